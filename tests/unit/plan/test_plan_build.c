#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "plan/plan_print.h"
#include "plan_fixture.h"
#include "tests/support/rounds.h"

Test(plan_build, copies_what_it_needs)
{
	PLAN_FIXTURE(fixture);

	plan_fixture_good(&fixture, &(struct plan_fixture_json){ .top = ",'annotations':{'a':'b'}" });
	spec_free(fixture.spec);
	fixture.spec = NULL;
	cr_expect_str_eq(fixture.plan->id, "box");
	cr_expect_str_eq(fixture.plan->bundle, "/bundle");
	cr_expect_str_eq(fixture.plan->oci_version, "1.2.0");
	cr_assert_eq(fixture.plan->n_annotations, 1);
	cr_expect_str_eq(fixture.plan->annotations[0].name, "a");
	cr_expect_str_eq(fixture.plan->annotations[0].value, "b");
	plan_free(NULL);
}

Test(plan_build, what_is_not_supported_yet_is_refused_by_name)
{
	static const struct {
		struct plan_fixture_json json;
		const char *words;
	} cases[] = {
		{ { .linux_ = ",'intelRdt':{'closID':'a'}" }, "linux.intelRdt" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		plan_fixture_refused(&cases[i].json, ERROR_UNSUPPORTED, cases[i].words);
}

Test(plan_hooks, all_six_kinds)
{
	PLAN_FIXTURE(fixture);
	const struct plan_hook *hook;

	plan_fixture_good(
		&fixture,
		&(struct plan_fixture_json){
			.top = ",'hooks':{'prestart':[{'path':'/p'}],'createRuntime':[{'path':'/cr'},{'path':'/cr2'}],"
			       "'createContainer':[{'path':'/cc'}],'startContainer':[{'path':'/sc'}],'poststart':[{'path':'/ps'}],"
			       "'poststop':[{'path':'/st','args':['st','x'],'env':['A=1'],'timeout':3}]}" });
	cr_expect_eq(fixture.plan->hooks[PLAN_HOOK_CREATE_RUNTIME].n, 2);
	hook = &fixture.plan->hooks[PLAN_HOOK_CREATE_RUNTIME].list[1];
	cr_expect_str_eq(hook->where, "hooks.createRuntime[1]");
	cr_expect_str_eq(hook->argv[0], "/cr2");
	cr_expect_null(hook->argv[1]);
	cr_expect_null(hook->envp[0], "a hook's environment is what it names, never ours");
	cr_expect_eq(hook->timeout, 0);
	hook = &fixture.plan->hooks[PLAN_HOOK_POSTSTOP].list[0];
	cr_expect_str_eq(hook->argv[1], "x");
	cr_expect_str_eq(hook->envp[0], "A=1");
	cr_expect_eq(hook->timeout, 3);
	cr_expect_str_eq(fixture.plan->hooks[PLAN_HOOK_PRESTART].list[0].path, "/p");
	cr_expect_str_eq(fixture.plan->hooks[PLAN_HOOK_CREATE_CONTAINER].list[0].path, "/cc");
	cr_expect_str_eq(fixture.plan->hooks[PLAN_HOOK_START_CONTAINER].list[0].path, "/sc");
	cr_expect_str_eq(fixture.plan->hooks[PLAN_HOOK_POSTSTART].list[0].path, "/ps");
	cr_expect(plan_fixture_has_line(&fixture, "hook-deprecated"));
}

/* ---- exec ---- */

static int build_exec(struct plan_fixture *fixture, const struct plan_fixture_json *json,
		      const struct spec_process *process)
{
	plan_fixture_parse(fixture, json);
	fixture->rc = plan_build_exec(&fixture->request, process, &fixture->plan, &fixture->report, &fixture->err);
	return fixture->rc;
}

Test(plan_build_exec, has_the_process_and_the_filter_alone)
{
	const char *const args[] = { "ls", "-l" };
	const struct spec_process process = { .args = args, .n_args = 2, .cwd = "/tmp", .user = { .uid = 7 } };
	PLAN_FIXTURE(fixture);

	cr_assert_eq(build_exec(&fixture,
				&(struct plan_fixture_json){ .mounts = "{'destination':'/proc','type':'proc'}",
							     .namespaces = PLAN_FIXTURE_USER,
							     .linux_ = PLAN_FIXTURE_MAPS
							     ",'seccomp':{'defaultAction':'SCMP_ACT_LOG'},"
							     "'cgroupsPath':'/a','resources':{'pids':{'limit':1}}",
							     .top = ",'hooks':{'prestart':[{'path':'/p'}]}" },
				&process),
		     0, "%s", fixture.err.message);
	cr_expect_str_eq(fixture.plan->process.argv[1], "-l");
	cr_expect_eq(fixture.plan->process.uid, 7);
	cr_expect(fixture.plan->seccomp.enabled);
	cr_expect_str_eq(fixture.plan->cgroup.path, "a");
	cr_expect_eq(fixture.plan->cgroup.resources.set, 0);
	cr_expect_eq(fixture.plan->namespaces.create, 0);
	cr_expect_eq(fixture.plan->namespaces.n_join, 0);
	cr_expect_eq(fixture.plan->namespaces.uids.n_ranges, 1);
	cr_expect_eq(fixture.plan->rootfs.n_mounts + fixture.plan->rootfs.n_devices, 0);
	cr_expect_eq(fixture.plan->hooks[PLAN_HOOK_PRESTART].n, 0);
}

/* A process from exec's command line has not been through spec/. */
Test(plan_build_exec, checks_the_process)
{
	const char *const args[] = { "ls" };
	const struct {
		struct spec_process process;
		const char *words;
	} cases[] = {
		{ { .cwd = "/" }, "process.args" },
		{ { .args = args, .n_args = 1, .cwd = "tmp" }, "process.cwd" },
		{ { .args = args, .n_args = 1, .cwd = "/", .user = { .uid = 1000 } }, "process.user.uid" },
		{ { .args = args, .n_args = 1, .cwd = "/", .user = { .uid = UINT32_MAX } }, "process.user.uid" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		cr_expect_eq(build_exec(&fixture,
					&(struct plan_fixture_json){ .namespaces = PLAN_FIXTURE_USER,
								     .linux_ = PLAN_FIXTURE_MAPS },
					&cases[i].process),
			     -EINVAL);
		cr_expect_not_null(strstr(fixture.err.message, cases[i].words), "%s", fixture.err.message);
	}
}

/* ---- properties, for documents that nobody wrote on purpose ---- */

/* Of the kind that was there, so that not everything is refused by spec/ already. */
static const char *const numbers[] = { "0", "1", "5", "9", "10", "999", "4294967294", "true", "[]" };
static const char *const strings[] = { "\"\"",		"\"/\"",    "\"/dev\"",	 "\"/a/../proc\"",
				       "\"bind\"",	"\"user\"", "\"tmpfs\"", "\"sysfs\"",
				       "\"devpts\"",	"\"ro\"",   "\"uid=9\"", "\"idmap\"",
				       "\"tmpcopyup\"", "\"ipc\"",  "\"a\"",	 "\"rprivate\"" };

#define PICK(list, seed) (list)[(size_t)rand_r(seed) % (sizeof(list) / sizeof((list)[0]))]

/* Replaces one value of text by another. */
static void mutate(char *text, size_t size, unsigned *seed)
{
	size_t length = strlen(text), at = (size_t)rand_r(seed) % length, end;
	const char *snippet;

	while (at > 0 && text[at - 1] != ':' && text[at - 1] != '[')
		at--;
	if (text[at] == '{' || text[at] == '[')
		return;
	end = at + strcspn(text + at, ",]}");
	snippet = text[at] == '"' ? PICK(strings, seed) : PICK(numbers, seed);
	if (length - (end - at) + strlen(snippet) + 1 > size)
		return;
	memmove(text + at + strlen(snippet), text + end, length - end + 1);
	memcpy(text + at, snippet, strlen(snippet));
}

static const char everything[] =
	"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\",\"readonly\":true},\"hostname\":\"h\",\"process\":{\"user\":{\"uid\":1,"
	"\"gid\":2,\"additionalGids\":[3]},\"args\":[\"a\"],\"cwd\":\"/\",\"env\":[\"A=b\"],\"capabilities\":{\"bounding\":[\"CAP_KILL\"]},"
	"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":2}],\"oomScoreAdj\":-5,\"terminal\":true},\"mounts\":[{\"destination\":"
	"\"/proc\",\"type\":\"proc\"},{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"options\":[\"mode=755\",\"uid=1\"]},{\"destination\":\"/v\","
	"\"type\":\"bind\",\"source\":\"/s\",\"options\":[\"rbind\",\"ro\",\"rshared\",\"idmap\"]},{\"destination\":\"/sys\",\"type\":\"sysfs\","
	"\"options\":[\"ro\"]},{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"options\":[\"gid=5\"]},{\"destination\":\"/sys/fs/cgroup\","
	"\"type\":\"cgroup\"}],\"hooks\":{\"prestart\":[{\"path\":\"/p\"}]},\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,"
	"\"size\":10}],\"gidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":10}],\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"},"
	"{\"type\":\"uts\"},{\"type\":\"network\",\"path\":\"/n\"},{\"type\":\"cgroup\"}],\"sysctl\":{\"net.core.somaxconn\":\"1\"},\"devices\":"
	"[{\"path\":\"/dev/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229}],\"maskedPaths\":[\"/proc/kcore\"],\"resources\":{\"devices\":"
	"[{\"allow\":false}],\"memory\":{\"limit\":5},\"blockIO\":{\"weightDevice\":[{\"major\":1,\"minor\":1,\"weight\":10}]}},\"seccomp\":"
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]},\"cgroupsPath\":\"/a/b\"}}";

static int build_and_print(const struct plan_fixture *fixture, struct buffer *out)
{
	struct report report = { 0 };
	struct error err = { 0 };
	struct plan *plan = NULL;
	int rc = plan_build(&fixture->request, &plan, &report, &err);

	if (rc < 0) {
		cr_expect_neq(err.kind, ERROR_INTERNAL, "%s", err.message);
		cr_expect_gt(strlen(err.message), 0);
		buffer_append_text(out, err.message);
		return rc;
	}
	plan_print(plan, &report, "conformant", PLAN_PRINT_JSON, out);
	plan_print(plan, &report, "conformant", PLAN_PRINT_TEXT, out);
	plan_free(plan);
	return 0;
}

Test(plan_build, any_document_gives_an_answer_and_always_the_same, .timeout = 60)
{
	const unsigned n_rounds = rounds_of(20000);
	unsigned seed = 20261122, planned = 0, refused = 0;
	char text[8192];

	for (unsigned i = 0; i < n_rounds; i++) {
		struct plan_fixture fixture = plan_fixture_new();
		struct buffer first = { 0 }, second = { 0 };

		strcpy(text, everything);
		for (int n = rand_r(&seed) % 4; n >= 0 && i > 0; n--)
			mutate(text, sizeof(text), &seed);
		if (spec_parse(text, strlen(text), &fixture.spec, &fixture.err) < 0)
			continue;
		if (rand_r(&seed) % 3 == 0)
			fixture.host = (struct host){
				.euid = 1000, .egid = 1000, .last_capability = 40, .in_user_namespace = i % 2
			};
		fixture.request.spec = fixture.spec;
		fixture.request.host = &fixture.host;
		if (build_and_print(&fixture, &first) < 0)
			refused++;
		else
			planned++;
		build_and_print(&fixture, &second);
		cr_assert_str_eq(first.data, second.data);
		buffer_done(&first);
		buffer_done(&second);
		plan_fixture_done(&fixture);
	}
	cr_expect_gt(planned, n_rounds / 20, "%u planned", planned);
	cr_expect_gt(refused, n_rounds / 20, "%u refused", refused);
}
