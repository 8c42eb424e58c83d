/* The filter, for `brig plan`. */
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdio.h>

#include "base/names.h"
#include "plan/plan_printer.h"

static void print_action(struct plan_printer *printer, const char *key, uint32_t action)
{
	uint32_t kind = action & SECCOMP_RET_ACTION_FULL;

	plan_printer_string(printer, key, names_text(&names_seccomp_actions, kind));
	if (kind == SECCOMP_RET_ERRNO || kind == SECCOMP_RET_TRACE)
		plan_printer_uint(printer, "errno", action & SECCOMP_RET_DATA);
}

static void print_rule(struct plan_printer *printer, const struct plan_seccomp_rule *rule)
{
	plan_printer_object(printer, NULL);
	print_action(printer, "action", rule->action);
	plan_printer_strings(printer, "names", rule->names, rule->n_names, PLAN_PRINTER_WHOLE);
	if (rule->n_args > 0)
		plan_printer_list(printer, "args");
	for (size_t i = 0; i < rule->n_args; i++) {
		plan_printer_object(printer, NULL);
		plan_printer_uint(printer, "index", rule->args[i].index);
		plan_printer_string(printer, "op", rule->args[i].op);
		plan_printer_uint(printer, "value", rule->args[i].value);
		plan_printer_uint(printer, "valueTwo", rule->args[i].value_two);
		plan_printer_object_end(printer);
	}
	if (rule->n_args > 0)
		plan_printer_list_end(printer);
	plan_printer_object_end(printer);
}

static void print_digest(struct plan_printer *printer, const struct plan_seccomp *seccomp)
{
	char text[2 * sizeof(seccomp->digest) + 1];

	for (size_t i = 0; i < sizeof(seccomp->digest); i++)
		snprintf(text + 2 * i, 3, "%02x", seccomp->digest[i]);
	plan_printer_string(printer, "sha256", text);
}

static void print_floor(struct plan_printer *printer, const struct plan_seccomp *seccomp)
{
	static const char *const floors[PLAN_N_FLOORS] = {
		[PLAN_FLOOR_STRICT] = "strict", [PLAN_FLOOR_BASELINE] = "baseline"
	};

	plan_printer_string(printer, "floor", floors[seccomp->floor]);
	if (seccomp->floor != PLAN_FLOOR_NONE && seccomp->floor_notifies)
		plan_printer_bool(printer, "floorNotifies", true);
}

static void print_config(struct plan_printer *printer, const struct plan_seccomp *seccomp)
{
	print_action(printer, "defaultAction", seccomp->default_action);
	if (seccomp->n_architectures > 0)
		plan_printer_list(printer, "architectures");
	for (size_t i = 0; i < seccomp->n_architectures; i++)
		plan_printer_string(printer, NULL, names_text(&names_seccomp_archs, seccomp->architectures[i]));
	if (seccomp->n_architectures > 0)
		plan_printer_list_end(printer);
	plan_printer_list(printer, "flags");
	for (size_t i = 0; i < names_seccomp_flags.n; i++) {
		if (seccomp->flags & names_seccomp_flags.list[i].value)
			plan_printer_string(printer, NULL, names_seccomp_flags.list[i].text);
	}
	plan_printer_list_end(printer);
	plan_printer_string(printer, "listenerPath", seccomp->listener_path);
	print_digest(printer, seccomp);
	plan_printer_list(printer, "rules");
	for (size_t i = 0; i < seccomp->n_rules; i++)
		print_rule(printer, &seccomp->rules[i]);
	plan_printer_list_end(printer);
}

void plan_print_seccomp(struct plan_printer *printer, const struct plan_seccomp *seccomp)
{
	if (!plan_has_filter(seccomp))
		return;
	plan_printer_object(printer, "seccomp");
	print_floor(printer, seccomp);
	if (seccomp->enabled)
		print_config(printer, seccomp);
	plan_printer_object_end(printer);
}
