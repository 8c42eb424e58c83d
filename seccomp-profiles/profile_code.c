/* A table and its program as C. */
#include "seccomp-profiles/profile.h"

#include <inttypes.h>

static void write_conditions(const struct seccomp_floor_table *table, const char *name, struct buffer *code)
{
	for (size_t i = 0; i < table->n_verdicts; i++)
		for (size_t k = 0; k < table->verdicts[i].n; k++) {
			const struct seccomp_floor_rule *rule = &table->verdicts[i].rules[k];

			if (rule->n_conditions == 0)
				continue;
			buffer_printf(code, "static const struct seccomp_condition %s_conditions_%zu_%zu[] = {\n", name,
				      i, k);
			for (uint32_t j = 0; j < rule->n_conditions; j++)
				buffer_printf(code, "\t{ SECCOMP_EQUAL, %u, false, %s, 0x%" PRIx64 ", 0x%" PRIx64 " },\n",
					      rule->conditions[j].argument, rule->conditions[j].wide ? "true" : "false",
					      rule->conditions[j].mask, rule->conditions[j].value);
			buffer_append_text(code, "};\n");
		}
}

static void write_rules(const struct seccomp_floor_table *table, const char *name, struct buffer *code)
{
	for (size_t i = 0; i < table->n_verdicts; i++) {
		buffer_printf(code, "static const struct seccomp_floor_rule %s_rules_%zu[] = {\n", name, i);
		for (size_t k = 0; k < table->verdicts[i].n; k++) {
			const struct seccomp_floor_rule *rule = &table->verdicts[i].rules[k];

			buffer_printf(code, "\t{ 0x%" PRIx64 ", 0x%08x, %u, ", rule->needs, rule->action,
				      rule->n_conditions);
			if (rule->n_conditions > 0)
				buffer_printf(code, "%s_conditions_%zu_%zu },\n", name, i, k);
			else
				buffer_append_text(code, "NULL },\n");
		}
		buffer_append_text(code, "};\n");
	}
	buffer_printf(code, "static const struct seccomp_floor_verdict %s_verdicts[] = {\n", name);
	for (size_t i = 0; i < table->n_verdicts; i++)
		buffer_printf(code, "\t{ %s_rules_%zu, %zu },\n", name, i, table->verdicts[i].n);
	buffer_append_text(code, "};\n");
}

static void write_sections(const struct seccomp_floor_table *table, const char *name, struct buffer *code)
{
	for (size_t i = 0; i < table->n_sections; i++) {
		const struct seccomp_floor_section *section = &table->sections[i];

		buffer_printf(code, "static const struct seccomp_floor_range %s_ranges_%zu[] = {\n", name, i);
		for (size_t k = 0; k < section->n; k++)
			buffer_printf(code, "%s{ %u, %u },%s", k % 8 == 0 ? "\t" : " ", section->ranges[k].first,
				      section->ranges[k].verdict, k % 8 == 7 || k + 1 == section->n ? "\n" : "");
		buffer_append_text(code, "};\n");
	}
	buffer_printf(code, "static const struct seccomp_floor_section %s_sections[] = {\n", name);
	for (size_t i = 0; i < table->n_sections; i++)
		buffer_printf(code, "\t{ 0x%08x, %s_ranges_%zu, %zu },\n", table->sections[i].audit, name, i,
			      table->sections[i].n);
	buffer_append_text(code, "};\n");
}

static void write_program(const struct seccomp_program *program, const char *name, struct buffer *code)
{
	buffer_printf(code, "static const struct sock_filter %s_instructions[] = {\n", name);
	for (size_t i = 0; i < program->n; i++)
		buffer_printf(code, "\t{ 0x%02x, %u, %u, 0x%08x },\n", program->instructions[i].code,
			      program->instructions[i].jt, program->instructions[i].jf, program->instructions[i].k);
	buffer_append_text(code, "};\n");
}

void profile_code(const struct seccomp_floor_table *table, const struct seccomp_program *program, const char *name,
		  struct buffer *code)
{
	write_conditions(table, name, code);
	write_rules(table, name, code);
	write_sections(table, name, code);
	write_program(program, name, code);
	buffer_printf(code, "#define %s { %s_verdicts, %zu, %s_sections, %zu, 0x%" PRIx64 ", %s_instructions, %zu }\n\n",
		      name, name, table->n_verdicts, name, table->n_sections, table->gates, name, program->n);
}
