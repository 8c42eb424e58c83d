/* Part of brig explain: where a container may connect to, how often it did, and what was refused. */
#pragma once

#include "base/json_write.h"
#include "container/explain/explain.h"
#include "parent/cgroup/egress.h"

struct explain_egress {
	bool is_counted; /* report is what the programs say */
	struct egress_report report;
};

/* Are the programs there that the plan wanted? A container that has ended keeps them until it is deleted. */
void explain_egress_find(const struct container *container, const struct expectation *expected,
			 struct explain_egress *ret, struct explain_findings *findings);
/* Nothing where the container has no list. */
void explain_egress_print(const struct expectation *expected, const struct explain_egress *egress, struct buffer *out);
/* The value of a member; null where the container has no list. */
void explain_egress_write(const struct expectation *expected, const struct explain_egress *egress,
			  struct json_writer *writer);
