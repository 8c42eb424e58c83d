/* The tables of names against the kernel's numbers, and the forms that command lines use. */
#include <criterion/criterion.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/names.h"

static const struct name_table *const tables[] = {
	&names_capabilities,
	&names_signals,
	&names_rlimits,
	&names_namespaces,
	&names_propagations,
	&names_seccomp_actions,
	&names_seccomp_archs,
	&names_seccomp_operators,
	&names_seccomp_flags,
	&names_personalities,
	&names_scheduler_policies,
	&names_scheduler_flags,
	&names_io_classes,
	&names_memory_modes,
	&names_memory_flags,
	&names_clocks,
	&names_device_types,
	&names_device_rule_types,
};

static uint64_t value_of(const struct name_table *table, const char *text)
{
	uint64_t value = UINT64_MAX;

	cr_expect(names_find(table, text, &value), "%s is not there", text);
	return value;
}

Test(names, every_entry_is_found_both_ways)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct name *name = &tables[t]->list[i];
			const char *text = names_text(tables[t], name->value);

			cr_expect_eq(value_of(tables[t], name->text), name->value, "%s: %s is there twice",
				     tables[t]->what, name->text);
			cr_assert_not_null(text);
			cr_expect_eq(value_of(tables[t], text), name->value);
		}
	}
}

Test(names, values)
{
	cr_expect_eq(names_capabilities.n, CAP_LAST_CAP + 1);
	cr_expect_eq(value_of(&names_capabilities, "CAP_CHOWN"), 0);
	cr_expect_eq(value_of(&names_capabilities, "CAP_CHECKPOINT_RESTORE"), 40);
	for (size_t i = 0; i < names_capabilities.n; i++)
		cr_expect_eq(names_capabilities.list[i].value, i);
	cr_expect_eq(names_rlimits.n, RLIM_NLIMITS);
	cr_expect_eq(value_of(&names_rlimits, "RLIMIT_NOFILE"), RLIMIT_NOFILE);
	cr_expect_eq(value_of(&names_namespaces, "mount"), CLONE_NEWNS);
	cr_expect_eq(value_of(&names_namespaces, "time"), 0x80);
	cr_expect_eq(value_of(&names_propagations, "rslave"), MS_SLAVE | MS_REC);
	cr_expect_eq(value_of(&names_seccomp_actions, "SCMP_ACT_KILL"), SECCOMP_RET_KILL_THREAD);
	cr_expect_eq(value_of(&names_seccomp_archs, "SCMP_ARCH_X86_64"), AUDIT_ARCH_X86_64);
	cr_expect_eq(value_of(&names_seccomp_operators, "SCMP_CMP_MASKED_EQ"), 7);
	cr_expect_eq(value_of(&names_memory_modes, "MPOL_WEIGHTED_INTERLEAVE"), 6);
	cr_expect_eq(value_of(&names_device_types, "p"), 'p');
}

Test(names, look_up_is_exact)
{
	uint64_t value = 77;

	cr_expect_not(names_find(&names_namespaces, "PID", &value));
	cr_expect_not(names_find(&names_namespaces, "pi", &value));
	cr_expect_not(names_find(&names_namespaces, "pidx", &value));
	cr_expect_not(names_find(&names_namespaces, "", &value));
	cr_expect_not(names_find_n(&names_namespaces, "pid\0xyz", 7, &value));
	cr_expect_eq(value, 77, "a failed look-up must not touch its output");
	cr_expect(names_find_n(&names_namespaces, "pidx", 3, &value));
	cr_expect_null(names_text(&names_namespaces, 12345));
}

Test(names, list_fits_or_says_that_it_does_not)
{
	char text[64];

	cr_expect_str_eq(names_list(&names_device_types, text, sizeof(text)), "c, b, u, p");
	names_list(&names_capabilities, text, sizeof(text));
	cr_expect_lt(strlen(text), sizeof(text));
	cr_expect_str_eq(text + strlen(text) - 3, "...");
	for (size_t size = 1; size < sizeof(text); size++)
		cr_expect_lt(strlen(names_list(&names_signals, text, size)), size);
}

Test(names, capability)
{
	cr_expect_eq(names_capability("CAP_KILL"), CAP_KILL);
	cr_expect_eq(names_capability("kill"), CAP_KILL);
	cr_expect_eq(names_capability("cap_sys_admin"), CAP_SYS_ADMIN);
	cr_expect_eq(names_capability("CAP_"), -1);
	cr_expect_eq(names_capability(""), -1);
	cr_expect_eq(names_capability("CAP_FLY"), -1);
}

Test(names, signal)
{
	static const struct {
		const char *text;
		int number;
	} cases[] = {
		{ "SIGTERM", SIGTERM },
		{ "TERM", SIGTERM },
		{ "term", SIGTERM },
		{ "sigKill", SIGKILL },
		{ "9", 9 },
		{ "64", 64 },
		{ "IOT", SIGABRT },
		{ "0", -1 },
		{ "65", -1 },
		{ "-9", -1 },
		{ " 9", -1 },
		{ "9x", -1 },
		{ "0009", -1 },
		{ "", -1 },
		{ "SIG", -1 },
		{ "SIGFOO", -1 },
		{ "999999999999", -1 },
		{ "RTMIN+99", -1 },
		{ "RTMIN-1", -1 },
		{ "RTMAX+1", -1 },
		{ "RTMIN+", -1 },
		{ "RTMIN+ 1", -1 },
		{ "RTMINX", -1 },
		{ "SIGRTMIN+-1", -1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(names_signal(cases[i].text), cases[i].number, "%s", cases[i].text);
	cr_expect_eq(names_signal("SIGRTMIN"), SIGRTMIN);
	cr_expect_eq(names_signal("rtmin+3"), SIGRTMIN + 3);
	cr_expect_eq(names_signal("SIGRTMAX-2"), SIGRTMAX - 2);
}

Test(names, every_signal_of_the_table_is_found)
{
	for (size_t i = 0; i < names_signals.n; i++)
		cr_expect_eq(names_signal(names_signals.list[i].text), (int)names_signals.list[i].value, "%s",
			     names_signals.list[i].text);
}
