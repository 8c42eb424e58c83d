/* What happens to tasks as containerd's events. Internal to the service. */
#pragma once

#include "shim/process/tasks.h"

/* For struct tasks_options; context: the service. */
void task_events_publish(void *context, enum task_event event, const struct task_info *info);
/* The same, to the log: containerd has no event for it. */
void task_events_ended_by_limit(void *context, enum task_limit limit, const struct task_info *info, const char *text);
