#include "plan/plan_digest.h"

#include <string.h>

#include <sha2.h>

static void add_number(SHA2_CTX *context, uint64_t number)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> (8 * i));
	SHA256Update(context, bytes, sizeof(bytes));
}

/* NULL and "" differ: the length of what is missing is one that no text has. */
static void add_text(SHA2_CTX *context, const char *text)
{
	size_t length = text ? strlen(text) : 0;

	add_number(context, text ? length : UINT64_MAX);
	SHA256Update(context, (const uint8_t *)(text ? text : ""), length);
}

static void add_rule(SHA2_CTX *context, const struct plan_seccomp_rule *rule)
{
	add_number(context, rule->n_names);
	for (size_t i = 0; i < rule->n_names; i++)
		add_text(context, rule->names[i]);
	add_number(context, rule->action);
	add_number(context, rule->n_args);
	for (size_t i = 0; i < rule->n_args; i++) {
		add_number(context, rule->args[i].index);
		add_number(context, rule->args[i].value);
		add_number(context, rule->args[i].value_two);
		add_text(context, rule->args[i].op);
	}
}

void plan_digest_seccomp(const struct plan_seccomp *plan, uint8_t digest[static 32])
{
	SHA2_CTX context;

	SHA256Init(&context);
	add_text(&context, "brig seccomp 2"); /* this form's own name, to be changed with it */
	add_number(&context, plan->floor);
	add_number(&context, plan->floor_capabilities);
	add_number(&context, plan->floor_notifies);
	add_number(&context, plan->enabled);
	add_number(&context, plan->default_action);
	add_number(&context, plan->n_architectures);
	for (size_t i = 0; i < plan->n_architectures; i++)
		add_number(&context, plan->architectures[i]);
	add_number(&context, plan->flags);
	add_number(&context, plan->n_rules);
	for (size_t i = 0; i < plan->n_rules; i++)
		add_rule(&context, &plan->rules[i]);
	add_text(&context, plan->listener_path);
	add_text(&context, plan->listener_metadata);
	SHA256Final(digest, &context);
}
