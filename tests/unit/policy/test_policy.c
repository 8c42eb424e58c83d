#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <linux/bpf.h>
#include <linux/capability.h>

#include <criterion/criterion.h>

#include "policy/policy.h"

static struct policy parsed(const char *text)
{
	struct policy policy = { 0 };
	struct error err = { 0 };

	cr_assert_eq(policy_parse(text, strlen(text), &policy, &err), 0, "%s: %s", text, err.message);
	return policy;
}

static enum policy_level of_conformant(int rule)
{
	return rule < POLICY_FLOOR_FIRST ? POLICY_WARN : POLICY_OFF;
}

Test(policy, conformant_is_there_by_name_and_lets_the_floor_be)
{
	struct policy policy = { 0 };
	struct error err = { 0 };

	cr_assert_eq(policy_load("conformant", &policy, &err), 0);
	cr_expect_eq(policy.set, POLICY_CONFORMANT);
	cr_expect_str_eq(policy_name(&policy), "conformant");
	for (int rule = 0; rule < POLICY_N_RULES; rule++)
		cr_expect_eq(policy_level(&policy, rule), of_conformant(rule), "%s", policy_rule_name(rule));
}

Test(policy, strict_and_baseline_let_nothing_of_the_floor_through)
{
	static const char *const names[] = { "strict", "baseline" };

	for (size_t i = 0; i < 2; i++) {
		struct policy policy = { 0 };

		cr_assert_eq(policy_load(names[i], &policy, NULL), 0);
		cr_expect_str_eq(policy_name(&policy), names[i]);
		for (int rule = 0; rule < POLICY_N_RULES; rule++) {
			enum policy_level level = policy_level(&policy, rule);

			if (rule < POLICY_FLOOR_FIRST)
				cr_expect_eq(level, POLICY_WARN, "%s", policy_rule_name(rule));
			else
				cr_expect(level == POLICY_ADJUST || level == POLICY_ENFORCE, "%s",
					  policy_rule_name(rule));
		}
		cr_expect_neq(policy_resources(&policy).pids.missing, 0);
		cr_expect_eq(policy_mount_sources(&policy).n + policy_hook_directories(&policy).n +
				     policy_loggers(&policy).n + policy_sysctls(&policy).n + policy_devices(&policy).n,
			     0);
		policy_done(&policy);
	}
}

Test(policy, without_one_the_built_in_set_holds)
{
	struct policy policy = { 0 };

	cr_assert_eq(policy_load(POLICY_BUILT_IN == POLICY_STRICT ? "strict" : "conformant", &policy, NULL), 0);
	cr_expect_eq(policy_set(NULL), POLICY_BUILT_IN);
	cr_expect_str_eq(policy_name(NULL), policy_name(&policy));
	cr_expect_eq(policy_resources(NULL).pids.missing, policy_resources(&policy).pids.missing);
	cr_expect_eq(policy_capabilities(NULL, true), policy_capabilities(&policy, true));
	cr_expect_eq(policy_ids(NULL).first, policy_ids(&policy).first);
	for (int rule = 0; rule < POLICY_N_RULES; rule++) {
		cr_expect_eq(policy_level(NULL, rule), policy_level(&policy, rule));
		cr_expect_null(policy_delegated(NULL, rule));
	}
}

Test(policy, the_ceiling_is_lower_without_a_user_namespace)
{
	/* One more or less is a decision, and docs/policy.md has them by name. */
	static const int short_list[] = { CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,  CAP_FSETID,	  CAP_KILL,
					  CAP_SETGID, CAP_SETUID,	CAP_SETPCAP, CAP_NET_BIND_SERVICE };
	const uint64_t net_raw = UINT64_C(1) << CAP_NET_RAW;
	uint64_t expected = 0;
	struct policy strict = parsed("{\"set\":\"strict\"}"), baseline = parsed("{\"set\":\"baseline\"}");
	struct policy more = parsed("{\"set\":\"strict\",\"capabilities\":[\"CAP_NET_RAW\"]}");

	cr_expect_eq(policy_capabilities(&strict, false), 0);
	for (size_t i = 0; i < sizeof(short_list) / sizeof(short_list[0]); i++)
		expected |= UINT64_C(1) << short_list[i];
	cr_expect_eq(policy_capabilities(&strict, true), expected);
	cr_expect_eq(policy_capabilities(&baseline, false), policy_capabilities(&strict, true));
	cr_expect_eq(policy_capabilities(&more, false), net_raw);
	cr_expect_eq(policy_capabilities(&more, true), policy_capabilities(&strict, true) | net_raw);
	policy_done(&strict);
	policy_done(&baseline);
	policy_done(&more);
}

Test(policy, other_names_are_refused_with_the_list)
{
	static const char *const names[] = { "strictest", "", "CONFORMANT", "policy.json" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct policy policy = { .set = 77 };
		struct error err = { 0 };

		cr_expect_eq(policy_load(names[i], &policy, &err), -ENOENT);
		cr_expect_eq(err.kind, ERROR_NOT_FOUND);
		cr_expect_not_null(strstr(err.message, names[i]));
		cr_expect_not_null(strstr(err.message, "available: strict, baseline, conformant, or a file"), "%s",
				   err.message);
		cr_expect_eq((int)policy.set, 77, "a failed load must not touch its output");
	}
}

Test(policy, rules_have_names_and_remedies_of_their_own)
{
	for (int rule = 0; rule < POLICY_N_RULES; rule++) {
		cr_assert_not_null(policy_rule_name(rule), "rule %d", rule);
		cr_expect_not_null(policy_rule_remedy(rule), "%s", policy_rule_name(rule));
		for (int other = 0; other < rule; other++)
			cr_expect_str_neq(policy_rule_name(rule), policy_rule_name(other));
	}
	cr_expect_str_eq(policy_rule_name(POLICY_RLIMIT_RAISE), "rlimit-raise");
	cr_expect_str_eq(policy_rule_name(POLICY_CAPABILITY_UNKNOWN), "capability-unknown");
	cr_expect_str_eq(policy_rule_name(POLICY_SELINUX_MISSING), "selinux-missing");
}

Test(policy, a_document_changes_the_rules_it_names_alone)
{
	struct policy policy = parsed("{\"set\": \"conformant\", \"rules\": {\"rlimit-raise\": \"enforce\", "
				      "\"capability-unknown\": \"off\", \"selinux-missing\": \"adjust\"}}");

	cr_expect_eq(policy_level(&policy, POLICY_RLIMIT_RAISE), POLICY_ENFORCE);
	cr_expect_eq(policy_level(&policy, POLICY_CAPABILITY_UNKNOWN), POLICY_OFF);
	cr_expect_eq(policy_level(&policy, POLICY_SELINUX_MISSING), POLICY_ADJUST);
	cr_expect_eq(policy_level(&policy, POLICY_CAPABILITY_WITHHELD), POLICY_WARN);
	cr_expect_eq(policy_level(&policy, POLICY_OOM_SCORE_LOWER), POLICY_WARN);
	cr_expect_eq(policy_level(&policy, POLICY_CGROUP_DISABLED), POLICY_WARN);
	policy_done(&policy);
	policy = parsed("{\"set\": \"conformant\"}");
	cr_expect_eq(policy_level(&policy, POLICY_RLIMIT_RAISE), POLICY_WARN);
	policy_done(&policy);
}

/* Each known rule can be named, and means itself. */
Test(policy, every_rule_can_be_set)
{
	char text[128];

	for (int rule = 0; rule < POLICY_N_RULES; rule++) {
		snprintf(text, sizeof(text), "{\"set\":\"conformant\",\"rules\":{\"%s\":\"enforce\"}}",
			 policy_rule_name(rule));
		struct policy policy = parsed(text);

		for (int other = 0; other < POLICY_N_RULES; other++)
			cr_expect_eq(policy_level(&policy, other), other == rule ? POLICY_ENFORCE : of_conformant(other));
		policy_done(&policy);
	}
}

struct refused {
	const char *text, *words;
};

Test(policy, what_does_not_fit_is_an_error_that_names_it)
{
	static const struct refused cases[] = {
		{ "", "no valid JSON" },
		{ "{", "no valid JSON" },
		{ "[]", "expected an object, found an array" },
		{ "null", "expected an object, found null" },
		{ "{}", "\"set\" is missing" },
		{ "{\"rules\":{}}", "\"set\" is missing" },
		{ "{\"set\":\"lax\"}", "set: \"lax\" is not a known policy set; allowed: strict, baseline, conformant" },
		{ "{\"set\":null}", "set: expected a string, found null" },
		{ "{\"set\":1}", "set: expected a string, found 1" },
		{ "{\"set\":\"conformant\",\"set\":\"conformant\"}", "twice" },
		{ "{\"set\":\"conformant\",\"sets\":1}",
		  "unknown key \"sets\"; there is: set, rules, delegate, limits, resources, user_namespaces, capabilities, " },
		{ "{\"Set\":\"conformant\"}", "unknown key \"Set\"; there is: set, rules" },
		{ "{\"set\":\"conformant\",\"rules\":[]}", "rules: expected an object, found an array" },
		{ "{\"set\":\"conformant\",\"rules\":null}", "rules: expected an object, found null" },
		{ "{\"set\":\"conformant\",\"rules\":{\"rlimit\":\"warn\"}}",
		  "rules: unknown key \"rlimit\"; there is: capability-unknown, capability-withheld, cgroup-disabled, "
		  "limit-raise, limit-unsupervised, oom-score-lower, rlimit-raise, selinux-missing, ambient-capability, " },
		{ "{\"set\":\"conformant\",\"limits\":{\"timeout\":\"soon\"}}",
		  "limits.timeout: is \"soon\": give seconds" },
		{ "{\"set\":\"conformant\",\"limits\":{\"max_output\":\"-1\"}}",
		  "limits.max_output: is \"-1\": give bytes" },
		{ "{\"set\":\"conformant\",\"limits\":{\"timeout\":90}}", "limits.timeout: expected a string, found" },
		{ "{\"set\":\"conformant\",\"limits\":{\"memory\":\"1g\"}}", "limits: unknown key \"memory\"" },
		{ "{\"set\":\"conformant\",\"rules\":{\"rlimit-raise\":\"ENFORCE\"}}",
		  "rules.rlimit-raise: \"ENFORCE\" is not a known level; allowed: enforce, adjust, warn, off" },
		{ "{\"set\":\"conformant\",\"rules\":{\"rlimit-raise\":null}}",
		  "rules.rlimit-raise: expected a string, found null" },
		{ "{\"set\":\"conformant\",\"rules\":{\"rlimit-raise\":{\"a\":1}}}",
		  "rules.rlimit-raise: expected a string, found an object" },
		{ "{\"set\":\"conformant\",\"rules\":{\"rlimit-raise\":\"off\",\"rlimit-raise\":\"enforce\"}}", "twice" },
		{ "{\"set\":\"conformant\"} x", "no valid JSON" },
		{ "{\"set\":\"conformant\"}{\"set\":\"conformant\"}", "no valid JSON" },
		{ "{\"set\":\"conform\xff\"}", "no valid UTF-8" },
		{ "{\"set\":\"conformant\\u0000\"}", "is not a known policy set" },
		{ "{\"set\":\"conformant\",\"rules\\u0000\":{}}", "unknown key" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy policy = { .set = 77 };
		struct error err = { 0 };

		cr_expect_eq(policy_parse(cases[i].text, strlen(cases[i].text), &policy, &err), -EINVAL, "%s",
			     cases[i].text);
		cr_expect_eq(err.kind, ERROR_INVALID, "%s", cases[i].text);
		cr_expect_not_null(strstr(err.message, cases[i].words), "%s: expected \"%s\" in: %s", cases[i].text,
				   cases[i].words, err.message);
		cr_expect_eq((int)policy.set, 77, "a failed parse must not touch its output");
	}
}

/* Caps come before the parser: nothing here may take long or much stack. */
Test(policy, size_and_depth_are_capped)
{
	static char text[POLICY_BYTES_MAX + 64];
	struct policy policy;
	struct error err = { 0 };
	size_t length = strlen("{\"set\":\"conformant\"}");

	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"set\":\"conformant\"}", length);
	cr_expect_eq(policy_parse(text, POLICY_BYTES_MAX, &policy, &err), 0, "%s", err.message);
	policy_done(&policy);
	cr_expect_eq(policy_parse(text, POLICY_BYTES_MAX + 1, &policy, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "at most 65536"), "%s", err.message);

	memset(text, '[', sizeof(text));
	cr_expect_eq(policy_parse(text, 1000, &policy, &err), -EINVAL);
	memcpy(text, "{\"rules\":", 9);
	for (size_t i = 9; i + 5 < sizeof(text); i += 5)
		memcpy(text + i, "{\"a\":", 5);
	cr_expect_eq(policy_parse(text, 60000, &policy, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "unknown key \"a\""), "%s", err.message);
}

Test(policy, a_document_says_lists_and_numbers)
{
	struct policy policy = parsed(
		"{\"set\":\"strict\","
		"\"resources\":{\"pids\":{\"missing\":100,\"most\":200},\"memory\":{\"missing\":\"1g\",\"most\":\"2g\"},"
		"\"cpu\":{\"missing\":\"0.25\",\"most\":\"1.5\"}},"
		"\"user_namespaces\":{\"first\":100000,\"count\":655360,\"size\":65536},"
		"\"mount_sources\":[\"/srv/data\"],\"hook_directories\":[\"/usr/libexec/hooks\",\"/opt/x\"],"
		"\"loggers\":[\"/usr/bin/log?KEY\"],"
		"\"sysctls\":[\"net.core.somaxconn\",\"net/ipv4/conf/*\"],"
		"\"devices\":[{\"type\":\"c\",\"major\":195},{\"type\":\"b\",\"major\":8,\"minor\":1,\"access\":\"r\"}],"
		"\"delegate\":{\"device\":\"example.com/devices\"}}");
	struct policy_resources resources = policy_resources(&policy);
	struct policy_devices devices = policy_devices(&policy);

	cr_expect(resources.pids.missing == 100 && resources.pids.most == 200);
	cr_expect(resources.memory.missing == UINT64_C(1) << 30 && resources.memory.most == UINT64_C(1) << 31);
	cr_expect(resources.cpu.missing == 250 && resources.cpu.most == 1500);
	cr_expect(policy_ids(&policy).first == 100000 && policy_ids(&policy).count == 655360 &&
		  policy_ids(&policy).size == 65536);
	cr_assert_eq(policy_mount_sources(&policy).n, 1);
	cr_expect_str_eq(policy_mount_sources(&policy).list[0], "/srv/data");
	cr_assert_eq(policy_hook_directories(&policy).n, 2);
	cr_expect_str_eq(policy_hook_directories(&policy).list[1], "/opt/x");
	cr_assert_eq(policy_loggers(&policy).n, 1);
	cr_expect_str_eq(policy_loggers(&policy).list[0], "/usr/bin/log?KEY");
	cr_assert_eq(policy_sysctls(&policy).n, 2);
	cr_expect_str_eq(policy_sysctls(&policy).list[0], "net/core/somaxconn");
	cr_expect_str_eq(policy_sysctls(&policy).list[1], "net/ipv4/conf/*");
	cr_assert_eq(devices.n, 2);
	cr_expect(devices.list[0].type == 'c' && devices.list[0].major == 195 && devices.list[0].minor == -1);
	cr_expect_eq(devices.list[0].access, BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE, "unless it says otherwise");
	cr_expect(devices.list[1].type == 'b' && devices.list[1].minor == 1);
	cr_expect_eq(devices.list[1].access, BPF_DEVCG_ACC_READ);
	cr_expect_str_eq(policy_delegated(&policy, POLICY_DEVICE), "example.com/devices");
	cr_expect_null(policy_delegated(&policy, POLICY_HOOK));
	policy_done(&policy);
}

Test(policy, a_device_can_be_named_by_its_path)
{
	struct policy policy =
		parsed("{\"set\":\"strict\",\"devices\":[{\"path\":\"/dev/not-there\"},{\"path\":\"/dev/null\"},"
		       "{\"path\":\"/dev/pts\"}]}");
	struct policy_devices devices = policy_devices(&policy);

	/* What is not there, and what is no device, can't be used either. */
	cr_assert_eq(devices.n, 1);
	cr_expect(devices.list[0].type == 'c' && devices.list[0].major == 1 && devices.list[0].minor == 3);
	policy_done(&policy);
}

Test(policy, the_sets_numbers_give_way_to_the_sites)
{
	struct policy lower = parsed("{\"set\":\"strict\",\"resources\":{\"pids\":{\"most\":64}}}");
	struct policy none =
		parsed("{\"set\":\"strict\",\"resources\":{\"pids\":{\"missing\":0},\"memory\":{\"most\":\"0\"}}}");

	cr_expect_eq(policy_resources(&lower).pids.missing, 64, "a container could not have more");
	cr_expect_eq(policy_resources(&none).pids.missing, 0);
	cr_expect_eq(policy_resources(&none).memory.most, 0);
	policy_done(&lower);
	policy_done(&none);
}

#define STRICT(rest) "{\"set\":\"strict\"," rest "}"

Test(policy, lists_and_numbers_that_make_no_sense_are_errors)
{
	static const struct refused cases[] = {
		{ STRICT("\"resources\":{\"disk\":{}}"), "resources: unknown key \"disk\"; there is: pids, memory, cpu" },
		{ STRICT("\"resources\":{\"pids\":{\"max\":1}}"),
		  "resources.pids: unknown key \"max\"; there is: missing, most" },
		{ STRICT("\"resources\":{\"pids\":{\"most\":\"1\"}}"), "resources.pids.most: expected an integer" },
		{ STRICT("\"resources\":{\"pids\":{\"most\":-1}}"), "resources.pids.most: " },
		{ STRICT("\"resources\":{\"pids\":{\"most\":4194305}}"), "resources.pids.most: " },
		{ STRICT("\"resources\":{\"pids\":{\"missing\":2,\"most\":1}}"),
		  "resources.pids: \"missing\" is more than \"most\"" },
		{ STRICT("\"resources\":{\"memory\":{\"most\":\"2x\"}}"), "resources.memory.most: is \"2x\": give bytes" },
		{ STRICT("\"resources\":{\"memory\":{\"most\":2}}"), "resources.memory.most: expected a string" },
		{ STRICT("\"resources\":{\"memory\":{\"missing\":\"2g\",\"most\":\"1g\"}}"),
		  "resources.memory: \"missing\"" },
		{ STRICT("\"resources\":{\"cpu\":{\"most\":\"1.2345\"}}"),
		  "resources.cpu.most: is \"1.2345\": give processors" },
		{ STRICT("\"resources\":{\"cpu\":{\"most\":\"0.001\"}}"),
		  "resources.cpu.most: is \"0.001\": give processors" },
		{ STRICT("\"resources\":{\"cpu\":{\"most\":\"1.\"}}"), "give processors" },
		{ STRICT("\"resources\":{\"cpu\":{\"most\":\"99999999\"}}"), "give processors" },
		{ STRICT("\"user_namespaces\":{\"first\":100000,\"count\":65536}"), "\"size\" is missing" },
		{ STRICT("\"user_namespaces\":{\"first\":1000,\"count\":65536,\"size\":65536}"),
		  "user_namespaces.first: 1000 is an id" },
		{ STRICT("\"user_namespaces\":{\"first\":100000,\"count\":65536,\"size\":1}"),
		  "user_namespaces.size: 1 ids" },
		{ STRICT("\"user_namespaces\":{\"first\":100000,\"count\":65536,\"size\":65537}"),
		  "user_namespaces.size: 65537" },
		{ STRICT("\"user_namespaces\":{\"first\":4294900000,\"count\":131072,\"size\":65536}"),
		  "user_namespaces.count: 131072 ids from 4294900000 on are more than there are" },
		{ STRICT("\"capabilities\":[\"CAP_ROOT\"]"), "capabilities[0]: \"CAP_ROOT\" is not a known capability" },
		{ STRICT("\"devices\":[{}]"), "devices[0]: give either \"path\", or \"type\" and \"major\"" },
		{ STRICT("\"devices\":[{\"type\":\"c\"}]"), "devices[0]: give either" },
		{ STRICT("\"devices\":[{\"type\":\"a\",\"major\":1}]"),
		  "devices[0].type: \"a\" is not a known device type; allowed: b, c" },
		{ STRICT("\"devices\":[{\"type\":\"c\",\"major\":1,\"path\":\"/dev/null\"}]"), "devices[0]: give either" },
		{ STRICT("\"devices\":[{\"path\":\"/etc/passwd\"}]"), "devices[0]: path: /etc/passwd is not below /dev" },
		{ STRICT("\"devices\":[{\"path\":\"/dev/../etc\"}]"),
		  "devices[0].path: \"/dev/../etc\" is not an absolute path" },
		{ STRICT("\"devices\":[{\"path\":\"/dev/null\",\"access\":\"x\"}]"),
		  "devices[0].access: \"x\" is no access" },
		{ STRICT("\"devices\":[{\"path\":\"/dev/null\",\"access\":\"\"}]"), "devices[0].access: is empty" },
		{ STRICT("\"mount_sources\":[\"srv\"]"), "mount_sources[0]: \"srv\" is not an absolute path" },
		{ STRICT("\"mount_sources\":[\"/srv/\"]"), "write \"/srv\"" },
		{ STRICT("\"mount_sources\":[\"/\"]"), "mount_sources[0]: \"/\" would be all there is" },
		{ STRICT("\"mount_sources\":\"/srv\""), "mount_sources: expected an array" },
		{ STRICT("\"hook_directories\":[\"/a//b\"]"), "hook_directories[0]: \"/a//b\" is not an absolute path" },
		{ STRICT("\"loggers\":[\"log\"]"), "loggers[0]: \"log\" is not an absolute path" },
		{ STRICT("\"loggers\":[\"/usr/../log?KEY\"]"), "loggers[0]: " },
		{ STRICT("\"sysctls\":[\"*\"]"), "sysctls[0]: \"*\" is not the name of a setting" },
		{ STRICT("\"sysctls\":[\"net.*.forwarding\"]"), "sysctls[0]: " },
		{ STRICT("\"sysctls\":[\"net core\"]"), "sysctls[0]: " },
		{ STRICT("\"delegate\":{\"devices\":\"a\"}"), "delegate: unknown key \"devices\"; there is: " },
		{ STRICT("\"delegate\":{\"device\":\"\"}"), "delegate.device: \"\" is not the name of an annotation" },
		{ STRICT("\"delegate\":{\"device\":\"a b\"}"), "delegate.device: " },
		{ STRICT("\"delegate\":{\"device\":true}"), "delegate.device: expected a string" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy policy = { .set = 77 };
		struct error err = { 0 };

		cr_expect_eq(policy_parse(cases[i].text, strlen(cases[i].text), &policy, &err), -EINVAL, "%s",
			     cases[i].text);
		cr_expect_eq(err.kind, ERROR_INVALID, "%s", cases[i].text);
		cr_expect_not_null(strstr(err.message, cases[i].words), "%s: expected \"%s\" in: %s", cases[i].text,
				   cases[i].words, err.message);
		cr_expect_eq((int)policy.set, 77, "a failed parse must not touch its output");
	}
}

Test(policy, levels_are_found_by_name)
{
	enum policy_level level = POLICY_WARN;

	cr_expect_not(policy_level_find("ENFORCE", &level));
	cr_expect_eq(level, POLICY_WARN);
	cr_expect(policy_level_find("enforce", &level));
	cr_expect_eq(level, POLICY_ENFORCE);
}

/* What docs/policy.md and brig-policy(5) tell people to start from. */
Test(policy, the_examples_are_good)
{
	static const struct {
		const char *name;
		enum policy_set set;
	} examples[] = { { "strict", POLICY_STRICT },
			 { "baseline", POLICY_BASELINE },
			 { "conformant", POLICY_CONFORMANT },
			 { "gpu", POLICY_STRICT } };

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		char path[512], text[8192] = "";
		FILE *file;
		size_t length;

		snprintf(path, sizeof(path), "%s/deploy/policy/%s.json", TEST_SOURCE_DIR, examples[i].name);
		file = fopen(path, "re");
		cr_assert_not_null(file, "%s", path);
		length = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
		cr_assert_gt(length, 0);
		struct policy policy = parsed(text);

		cr_expect_eq(policy.set, examples[i].set, "%s", examples[i].name);
		cr_expect_not_null(policy.arena);
		if (strcmp(examples[i].name, "gpu") == 0) {
			cr_expect_gt(policy_hook_directories(&policy).n, 0);
			cr_expect_geq(policy_devices(&policy).n, 1);
		}
		policy_done(&policy);
	}
}
