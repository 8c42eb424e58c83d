/* The report: one line wherever the plan does something else than config.json asked for, or is worth a remark. */
#pragma once

#include "base/error.h"
#include "plan/plan.h"

/* Appends a copy of line; its strings are borrowed: literals, or in the plan's arena. NULL for `where`, `asked` or
 * `applied`: nothing to say. Returns 0, or -ENOMEM with err set: a remark that is lost would be a silent change. */
int report_add(struct report *report, const struct report_line *line, struct error *err);
/* "note", "adjusted", "warning", "refused" */
const char *report_level_name(enum report_level level);
