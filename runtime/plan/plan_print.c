#include "plan/plan_print.h"

#include "base/names.h"
#include "base/quantity.h"
#include "plan/plan_printer.h"
#include "plan/report.h"

static void print_map(struct plan_printer *printer, const char *key, const struct plan_id_map *map)
{
	if (map->n_ranges == 0)
		return;
	plan_printer_list(printer, key);
	for (size_t i = 0; i < map->n_ranges; i++) {
		plan_printer_object(printer, NULL);
		plan_printer_uint(printer, "inside", map->ranges[i].inside);
		plan_printer_uint(printer, "outside", map->ranges[i].outside);
		plan_printer_uint(printer, "count", map->ranges[i].count);
		plan_printer_object_end(printer);
	}
	plan_printer_list_end(printer);
}

static void print_time_offsets(struct plan_printer *printer, const struct plan_namespaces *namespaces)
{
	if (namespaces->n_time_offsets == 0)
		return;
	plan_printer_list(printer, "timeOffsets");
	for (size_t i = 0; i < namespaces->n_time_offsets; i++) {
		plan_printer_object(printer, NULL);
		plan_printer_string(printer, "clock",
				    names_text(&names_clocks, (uint64_t)namespaces->time_offsets[i].clock));
		plan_printer_int(printer, "seconds", namespaces->time_offsets[i].secs);
		plan_printer_uint(printer, "nanoseconds", namespaces->time_offsets[i].nanosecs);
		plan_printer_object_end(printer);
	}
	plan_printer_list_end(printer);
}

/* In the order of names_namespaces, whatever order config.json has: two plans that do the same print the same. */
static void print_namespaces(struct plan_printer *printer, const struct plan_namespaces *namespaces)
{
	plan_printer_object(printer, "namespaces");
	plan_printer_list(printer, "create");
	for (size_t i = 0; i < names_namespaces.n; i++) {
		if (namespaces->create & names_namespaces.list[i].value)
			plan_printer_string(printer, NULL, names_namespaces.list[i].text);
	}
	plan_printer_list_end(printer);
	if (namespaces->n_join > 0)
		plan_printer_list(printer, "join");
	for (size_t i = 0; i < namespaces->n_join; i++) {
		plan_printer_object(printer, NULL);
		plan_printer_string(printer, "type", names_text(&names_namespaces, namespaces->join[i].flag));
		plan_printer_string(printer, "path", namespaces->join[i].path);
		plan_printer_object_end(printer);
	}
	if (namespaces->n_join > 0)
		plan_printer_list_end(printer);
	print_map(printer, "uids", &namespaces->uids);
	print_map(printer, "gids", &namespaces->gids);
	plan_printer_bool(printer, "denySetgroups", namespaces->deny_setgroups);
	plan_printer_bool(printer, "lowPorts", namespaces->low_ports);
	print_time_offsets(printer, namespaces);
	plan_printer_object_end(printer);
}

/* Of a hook's environment the names alone, as in the audit trail: values are where engines put tokens. */
static void print_hook(struct plan_printer *printer, const struct plan_hook *hook)
{
	plan_printer_object(printer, NULL);
	plan_printer_string(printer, "where", hook->where);
	plan_printer_string(printer, "path", hook->path);
	plan_printer_arguments(printer, hook->argv);
	plan_printer_terminated(printer, "environment", hook->envp, PLAN_PRINTER_NAMES);
	if (hook->timeout)
		plan_printer_int(printer, "timeout", hook->timeout);
	plan_printer_object_end(printer);
}

static void print_hooks(struct plan_printer *printer, const struct plan *plan)
{
	plan_printer_list(printer, "hooks");
	for (size_t kind = 0; kind < PLAN_N_HOOK_KINDS; kind++) {
		for (size_t i = 0; i < plan->hooks[kind].n; i++)
			print_hook(printer, &plan->hooks[kind].list[i]);
	}
	plan_printer_list_end(printer);
}

static void print_sysctls(struct plan_printer *printer, const char *key, const struct plan_pair *list, size_t n)
{
	if (n == 0)
		return;
	plan_printer_object(printer, key);
	for (size_t i = 0; i < n; i++)
		plan_printer_string(printer, list[i].name, list[i].value);
	plan_printer_object_end(printer);
}

/* Name on the host: name inside. */
static void print_net_devices(struct plan_printer *printer, const struct plan *plan)
{
	if (plan->n_net_devices == 0)
		return;
	plan_printer_object(printer, "netDevices");
	for (size_t i = 0; i < plan->n_net_devices; i++)
		plan_printer_string(printer, plan->net_devices[i].host_name, plan->net_devices[i].name);
	plan_printer_object_end(printer);
}

static void print_settings(struct plan_printer *printer, const struct plan *plan)
{
	if (plan->n_annotations > 0)
		plan_printer_list(printer, "annotations");
	for (size_t i = 0; i < plan->n_annotations; i++)
		plan_printer_string(printer, NULL, plan->annotations[i].name);
	if (plan->n_annotations > 0)
		plan_printer_list_end(printer);
	print_net_devices(printer, plan);
	print_sysctls(printer, "sysctl", plan->sysctls, plan->n_sysctls);
	print_sysctls(printer, "sysctlByParent", plan->parent_sysctls, plan->n_parent_sysctls);
}

static void print_limits(struct plan_printer *printer, const struct plan_limits *limits)
{
	char timeout[QUANTITY_TEXT_MAX];

	if (limits->timeout.value == 0 && limits->max_output.value == 0)
		return;
	plan_printer_object(printer, "limits");
	if (limits->timeout.value > 0)
		plan_printer_string(printer, "timeout", quantity_format_duration(limits->timeout.value, timeout));
	if (limits->max_output.value > 0)
		plan_printer_uint(printer, "maxOutput", limits->max_output.value);
	plan_printer_object_end(printer);
}

static void print_report(struct plan_printer *printer, const struct report *report)
{
	plan_printer_list(printer, "report");
	for (size_t i = 0; report && i < report->n_lines; i++) {
		const struct report_line *line = &report->lines[i];

		plan_printer_object(printer, NULL);
		plan_printer_string(printer, "level", report_level_name(line->level));
		plan_printer_string(printer, "rule", line->rule);
		plan_printer_string(printer, "where", line->where);
		plan_printer_string(printer, "asked", line->asked);
		plan_printer_string(printer, "applied", line->applied);
		plan_printer_string(printer, "why", line->why);
		plan_printer_object_end(printer);
	}
	plan_printer_list_end(printer);
}

/* Levels as they are in force for this container: the policy's, with what its annotations may change of them. */
static void print_rules(struct plan_printer *printer, const struct plan *plan)
{
	plan_printer_object(printer, "rules");
	for (size_t i = 0; i < plan->n_rules; i++)
		plan_printer_string(printer, plan->rules[i].name, plan->rules[i].value);
	plan_printer_object_end(printer);
}

static void print_plan(struct plan_printer *printer, const struct plan *plan)
{
	plan_printer_object(printer, "plan");
	plan_printer_string(printer, "id", plan->id);
	plan_printer_string(printer, "bundle", plan->bundle);
	plan_printer_string(printer, "ociVersion", plan->oci_version);
	plan_printer_string(printer, "hostname", plan->hostname);
	plan_printer_string(printer, "domainname", plan->domainname);
	print_settings(printer, plan);
	print_namespaces(printer, &plan->namespaces);
	plan_print_files(printer, &plan->rootfs);
	if (plan->has_process)
		plan_print_process(printer, &plan->process);
	plan_print_seccomp(printer, &plan->seccomp);
	plan_print_landlock(printer, &plan->landlock);
	plan_print_limits(printer, &plan->cgroup);
	print_limits(printer, &plan->limits);
	plan_print_egress(printer, &plan->egress);
	print_hooks(printer, plan);
	plan_printer_object_end(printer);
}

void plan_print(const struct plan *plan, const struct report *report, const char *policy, enum plan_print_format format,
		struct buffer *out)
{
	struct plan_printer printer = plan_printer_on(out, format & PLAN_PRINT_JSON);

	printer.redacts_args = format & PLAN_PRINT_REDACTED;
	if (printer.json)
		json_write_object_begin(&printer.writer);
	plan_printer_string(&printer, "policy", policy);
	print_rules(&printer, plan);
	print_plan(&printer, plan);
	print_report(&printer, report);
	if (printer.json)
		json_write_object_end(&printer.writer);
	if (printer.json)
		buffer_append_text(out, "\n");
}
