/* What of a plan can be looked for later in the running container, as report.json has it (expectation.h reads it back). Pure. */
#pragma once

#include <stdint.h>

#include "base/json_write.h"
#include "plan/plan.h"
#include "plan/report.h"

struct expectation_basis {
	const char *policy; /* its name */
	const struct plan *plan;
	const struct report *report;
	uint64_t n_filters; /* system call filters that the container is under, those that its maker was under included; 0: not known */
};

/* Appends one object. Errors are sticky in the writer's buffer. */
void expectation_write(const struct expectation_basis *basis, struct json_writer *writer);
