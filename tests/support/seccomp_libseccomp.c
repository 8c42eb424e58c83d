#include "tests/support/seccomp_libseccomp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <seccomp.h>

#include "base/cleanup.h"
#include "tests/support/seccomp_reading.h"

#define X32_BIT 0x40000000u

/* libseccomp 2.5.4 leaks the rules that it refuses: not ours to be told of by the leak sanitizer, which asks here. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libseccomp.so";
}

static bool is_new(const struct seccomp_data *data)
{
	return ((uint32_t)data->nr & ~X32_BIT) > 456 && ((uint32_t)data->nr & ~X32_BIT) < 500;
}

static bool has_no_number_of_its_own(const char *name)
{
	static const char *const names[] = { "accept", "send", "recv", "semop", "semtimedop" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static size_t count_orderings(const struct plan_seccomp_rule *rule)
{
	size_t n = 0;

	for (size_t i = 0; i < rule->n_args; i++)
		n += strstr(rule->args[i].op, "_G") || strstr(rule->args[i].op, "_L");
	return n;
}

bool seccomp_libseccomp_is_wrong(const struct plan_seccomp *plan, const struct seccomp_data *data)
{
	size_t n_orderings = 0;

	for (size_t i = 0; i < plan->n_rules; i++) {
		const struct plan_seccomp_rule *rule = &plan->rules[i];

		for (size_t k = 0; k < rule->n_names && rule->action != plan->default_action; k++) {
			if (seccomp_reading_is_listed(plan, SCMP_ARCH_X86) && has_no_number_of_its_own(rule->names[k]) &&
			    (data->arch == SCMP_ARCH_X86 || rule->n_args > 0))
				return true;
			if (count_orderings(rule) > 0 && seccomp_reading_is_named(rule->names[k], data))
				n_orderings += count_orderings(rule);
		}
	}
	return is_new(data) || n_orderings > 1;
}

static enum scmp_compare operator_of(const char *op)
{
	static const char *const names[] = { "", "NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ" };
	unsigned i = 1;

	while (strcmp(names[i], op + strlen("SCMP_CMP_")) != 0)
		i++;
	return (enum scmp_compare)i;
}

static int add_to_libseccomp(scmp_filter_ctx filter, const struct plan_seccomp_rule *rule, int number)
{
	struct scmp_arg_cmp args[8];
	int r = 0;

	for (size_t i = 0; i < rule->n_args; i++)
		args[i] = (struct scmp_arg_cmp){ rule->args[i].index, operator_of(rule->args[i].op),
						 rule->args[i].value, rule->args[i].value_two };
	if (!seccomp_reading_repeats_argument(rule))
		return seccomp_rule_add_array(filter, rule->action, number, (unsigned)rule->n_args, args);
	for (size_t i = 0; i < rule->n_args && r == 0; i++)
		r = seccomp_rule_add_array(filter, rule->action, number, 1, &args[i]);
	return r;
}

static int fill_libseccomp(scmp_filter_ctx filter, const struct plan_seccomp *plan)
{
	size_t n_names = 0;
	int r = 0;

	for (size_t i = 0; i < plan->n_architectures && (r == 0 || r == -EEXIST); i++)
		r = seccomp_arch_add(filter, plan->architectures[i]);
	if (r != 0 && r != -EEXIST)
		return r;
	for (size_t i = 0; i < plan->n_rules; i++)
		n_names += plan->rules[i].n_names;
	/* runc asks for libseccomp's own binary tree from 33 names on. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, n_names > 32 ? 2 : 1);
	for (size_t i = 0; i < plan->n_rules; i++) {
		const struct plan_seccomp_rule *rule = &plan->rules[i];

		for (size_t k = 0; k < rule->n_names && rule->action != plan->default_action; k++) {
			int number = seccomp_syscall_resolve_name(rule->names[k]);

			r = number == __NR_SCMP_ERROR ? 0 : add_to_libseccomp(filter, rule, number);
			if (r != 0)
				return r;
		}
	}
	return 0;
}

static struct sock_filter *export_libseccomp(scmp_filter_ctx filter, size_t *ret_n)
{
	AUTO_CLOSE int fd = memfd_create("filter", MFD_CLOEXEC);
	struct sock_filter *program;
	struct stat status;

	if (fd < 0 || seccomp_export_bpf(filter, fd) < 0 || fstat(fd, &status) < 0)
		return NULL;
	program = malloc((size_t)status.st_size);
	if (!program || pread(fd, program, (size_t)status.st_size, 0) != status.st_size) {
		free(program);
		return NULL;
	}
	*ret_n = (size_t)status.st_size / sizeof(*program);
	return program;
}

struct sock_filter *seccomp_libseccomp_compile(const struct plan_seccomp *plan, size_t *ret_n)
{
	scmp_filter_ctx filter = seccomp_init(plan->default_action);
	struct sock_filter *program = NULL;

	if (filter && fill_libseccomp(filter, plan) == 0)
		program = export_libseccomp(filter, ret_n);
	seccomp_release(filter);
	return program;
}
