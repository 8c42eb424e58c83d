/* One walk over a plan, two forms: JSON, or indented text in which each element of a list takes one line. For plan_print*.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json_write.h"
#include "plan/plan.h"

struct plan_printer {
	bool json;
	struct json_writer writer;
	struct buffer *out;
	unsigned depth; /* text: how far to indent */
	unsigned flow;	/* text: how deep we are inside one line */
	bool redacts_args;
	bool first; /* text: nothing stands before the next value in its brackets */
};

#define PLAN_PRINTER_ARGUMENT_MAX 128 /* bytes of an argument that are shown */

/* A printer at the start of out. Errors are sticky there (out->failed). */
struct plan_printer plan_printer_on(struct buffer *out, bool json);
/* key NULL: an element of a list. */
void plan_printer_object(struct plan_printer *printer, const char *key);
void plan_printer_object_end(struct plan_printer *printer);
void plan_printer_list(struct plan_printer *printer, const char *key);
void plan_printer_list_end(struct plan_printer *printer);
/* Nothing where text is NULL. */
void plan_printer_string(struct plan_printer *printer, const char *key, const char *text);
void plan_printer_int(struct plan_printer *printer, const char *key, int64_t value);
void plan_printer_uint(struct plan_printer *printer, const char *key, uint64_t value);
/* The text form leaves out what is false. */
void plan_printer_bool(struct plan_printer *printer, const char *key, bool value);
/* UINT64_MAX (RLIM_INFINITY) as "unlimited". */
void plan_printer_limit(struct plan_printer *printer, const char *key, uint64_t value);
/* A list of strings; none: nothing. cut: at most PLAN_PRINTER_ARGUMENT_MAX bytes of each. names: of each only what is before "=". */
enum plan_printer_strings { PLAN_PRINTER_WHOLE, PLAN_PRINTER_CUT, PLAN_PRINTER_NAMES };
void plan_printer_strings(struct plan_printer *printer, const char *key, const char *const *list, size_t n,
			  enum plan_printer_strings how);
/* As plan_printer_strings, of a list that ends with NULL. */
void plan_printer_terminated(struct plan_printer *printer, const char *key, const char *const *list,
			     enum plan_printer_strings how);

/* A program's: "args", cut, or how many there are beside the program's name. */
void plan_printer_arguments(struct plan_printer *printer, const char *const *argv);

/* ---- parts of the plan ---- */

/* Each prints one part, under its own key, inside the object that is open. A part that is off (seccomp, egress, Landlock) is left
 * out. */
void plan_print_files(struct plan_printer *printer, const struct plan_rootfs *rootfs);
void plan_print_limits(struct plan_printer *printer, const struct plan_cgroup *cgroup);
void plan_print_process(struct plan_printer *printer, const struct plan_process *process);
void plan_print_egress(struct plan_printer *printer, const struct plan_egress *egress);
void plan_print_landlock(struct plan_printer *printer, const struct plan_landlock *landlock);
void plan_print_seccomp(struct plan_printer *printer, const struct plan_seccomp *seccomp);
