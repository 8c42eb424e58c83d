/* CRI's message about a pod, and the table of the sandbox's states. */
#include <sched.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/buffer.h"
#include "shim/service/sandbox_config.h"
#include "shim/service/sandbox_state.h"

struct pod { /* what a PodSandboxConfig is packed of */
	const char *hostname;
	uint64_t network, pid, ipc;
	bool has_user;
	uint64_t user;
	const char *sysctl, *value;
};

static void pack(const struct pod *pod, struct buffer *message)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer linux_part = { 0 }, security = { 0 },
								    namespaces = { 0 }, user = { 0 }, pair = { 0 };

	wire_put_number(&namespaces, 1, pod->network);
	wire_put_number(&namespaces, 2, pod->pid);
	wire_put_number(&namespaces, 3, pod->ipc);
	wire_put_number(&user, 1, pod->user);
	if (pod->has_user)
		wire_put_message(&namespaces, 5, &user);
	wire_put_message(&security, 1, &namespaces);
	wire_put_message(&linux_part, 2, &security);
	wire_put_text(&pair, 1, pod->sysctl);
	wire_put_text(&pair, 2, pod->value);
	if (pod->sysctl)
		wire_put_message(&linux_part, 3, &pair);
	wire_put_text(message, 2, pod->hostname);
	wire_put_message(message, 8, &linux_part);
}

static int decode(const struct pod *pod, const char *network_path, struct arena *arena, struct sandbox_config *ret,
		  struct error *err)
{
	struct buffer *message = calloc(1, sizeof(*message));
	int r;

	pack(pod, message);
	r = sandbox_config_decode((struct wire_bytes){ (const uint8_t *)message->data, message->length }, network_path,
				  arena, ret, err);
	/* What it returned must not point into the message. */
	buffer_done(message);
	free(message);
	return r;
}

Test(sandbox_config, namespaces_follow_the_modes)
{
	static const struct {
		struct pod pod;
		const char *path;
		unsigned namespaces;
		bool joins, has_user;
	} cases[] = {
		{ { .pid = 1 }, "/run/netns/a", CLONE_NEWIPC | CLONE_NEWUTS, true, false },
		{ { .pid = 0 }, "/run/netns/a", CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID, true, false },
		{ { .pid = 2 }, "", CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET, false, false },
		{ { .pid = 1, .network = 2 }, "", CLONE_NEWIPC, false, false },
		{ { .pid = 1, .network = 2 }, "/run/netns/a", CLONE_NEWIPC, false, false },
		{ { .pid = 2, .network = 2, .ipc = 2 }, "", 0, false, false },
		{ { .pid = 1, .has_user = true, .user = 0 }, "/n", CLONE_NEWIPC | CLONE_NEWUTS, true, true },
		{ { .pid = 1, .has_user = true, .user = 2 }, "/n", CLONE_NEWIPC | CLONE_NEWUTS, true, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
		struct sandbox_config config;
		struct error err = { 0 };

		cr_assert_eq(decode(&cases[i].pod, cases[i].path, arena, &config, &err), 0, "%zu: %s", i, err.message);
		cr_expect_eq(config.namespaces, cases[i].namespaces, "%zu: %x", i, config.namespaces);
		cr_expect_eq(config.network_path != NULL, cases[i].joins, "%zu", i);
		cr_expect_eq(config.has_user_namespace, cases[i].has_user, "%zu", i);
		if (config.network_path)
			cr_expect_str_eq(config.network_path, cases[i].path);
	}
}

Test(sandbox_config, nothing_said_is_a_pod_of_its_own)
{
	AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
	struct sandbox_config config;
	struct error err = { 0 };

	cr_assert_eq(sandbox_config_decode((struct wire_bytes){ 0 }, "", arena, &config, &err), 0, "%s", err.message);
	cr_expect_eq(config.namespaces, CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET);
	cr_expect_str_eq(config.hostname, "");
	cr_expect_eq(config.n_sysctls, 0);
}

Test(sandbox_config, names_are_the_pods_only_where_it_has_a_namespace)
{
	AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
	struct sandbox_config config;
	struct error err = { 0 };
	struct pod pod = { .hostname = "web-1", .pid = 1, .sysctl = "kernel.shm_rmid_forced", .value = "1" };

	cr_assert_eq(decode(&pod, "/n", arena, &config, &err), 0, "%s", err.message);
	cr_expect_str_eq(config.hostname, "web-1");
	cr_assert_eq(config.n_sysctls, 1);
	cr_expect_str_eq(config.sysctls[0].name, "kernel.shm_rmid_forced");
	cr_expect_str_eq(config.sysctls[0].value, "1");
	pod.network = 2;
	cr_assert_eq(decode(&pod, "", arena, &config, &err), 0, "%s", err.message);
	cr_expect_str_eq(config.hostname, "", "the host keeps its name");
}

Test(sandbox_config, refuses_what_is_the_hosts_or_makes_no_sense)
{
	static const struct {
		struct pod pod;
		const char *path;
		enum error_kind kind;
		const char *reason;
	} cases[] = {
		{ { .network = 2, .sysctl = "net.ipv4.ip_forward", .value = "1" }, "", ERROR_REFUSED, "net.ipv4.ip_forward" },
		{ { .ipc = 2, .sysctl = "kernel.sem", .value = "1" }, "/n", ERROR_REFUSED, "kernel.sem" },
		{ { .sysctl = "kernel.core_pattern", .value = "|/x" }, "/n", ERROR_REFUSED, "kernel.core_pattern" },
		{ { .sysctl = "vm.overcommit_memory", .value = "1" }, "/n", ERROR_REFUSED, "vm.overcommit_memory" },
		{ { .sysctl = "net.../../kernel/core_pattern", .value = "1" }, "/n", ERROR_INVALID, "not a name" },
		{ { .sysctl = "net..kernel", .value = "1" }, "/n", ERROR_INVALID, "not a name" },
		{ { .sysctl = "net.", .value = "1" }, "/n", ERROR_INVALID, "not a name" },
		{ { .network = 4 }, "/n", ERROR_INVALID, "namespace_options" },
		{ { .pid = 1u << 31 }, "/n", ERROR_INVALID, "namespace_options" },
		{ { .has_user = true, .user = 1 }, "/n", ERROR_INVALID, "userns_options" },
		{ { .has_user = true }, "", ERROR_UNSUPPORTED, "userns_options" },
		{ { .pid = 1 }, "relative", ERROR_INVALID, "netns_path" },
		{ { .hostname = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
		  "/n",
		  ERROR_INVALID,
		  "hostname" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
		struct sandbox_config config = { .namespaces = 42 };
		struct error err = { 0 };

		cr_expect_lt(decode(&cases[i].pod, cases[i].path, arena, &config, &err), 0, "%zu", i);
		cr_expect_eq(err.kind, cases[i].kind, "%zu: %d: %s", i, err.kind, err.message);
		cr_expect_not_null(strstr(err.message, cases[i].reason), "%zu: %s", i, err.message);
		cr_expect_eq(config.namespaces, 42, "untouched on failure");
	}
}

/* Every beginning and every changed byte of a good message: an answer, and no crash. */
Test(sandbox_config, survives_any_damage)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer message = { 0 };
	const struct pod pod = { .hostname = "web", .pid = 1, .has_user = true, .sysctl = "net.a", .value = "1" };

	pack(&pod, &message);
	for (size_t i = 0; i < message.length; i++) {
		for (unsigned change = 0; change < 256; change++) {
			AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
			uint8_t *copy = malloc(message.length);
			struct sandbox_config config;
			struct error err = { 0 };
			int r;

			memcpy(copy, message.data, message.length);
			copy[i] = (uint8_t)change;
			r = sandbox_config_decode((struct wire_bytes){ copy, change ? message.length : i }, "/n", arena,
						  &config, &err);
			cr_expect(r == 0 || err.kind != ERROR_NONE);
			free(copy);
		}
	}
}

Test(sandbox_state, every_state_answers_every_event)
{
	static const struct {
		enum sandbox_event event;
		enum error_kind kinds[SANDBOX_N_STATES];
		enum sandbox_state next[SANDBOX_N_STATES];
	} rows[] = {
		{ SANDBOX_ASKED_CREATE, { 0, ERROR_EXISTS, ERROR_EXISTS, ERROR_EXISTS }, { SANDBOX_CREATED } },
		{ SANDBOX_ASKED_START, { ERROR_NOT_FOUND, 0, ERROR_STATE, ERROR_STATE }, { 0, SANDBOX_READY } },
		{ SANDBOX_ASKED_STOP, { ERROR_NOT_FOUND }, { 0, SANDBOX_STOPPED, SANDBOX_STOPPED, SANDBOX_STOPPED } },
		{ SANDBOX_ASKED_SHUTDOWN, { 0 }, { SANDBOX_STOPPED, SANDBOX_STOPPED, SANDBOX_STOPPED, SANDBOX_STOPPED } },
		{ SANDBOX_ASKED, { ERROR_NOT_FOUND }, { 0, SANDBOX_CREATED, SANDBOX_READY, SANDBOX_STOPPED } },
		{ SANDBOX_ENDED, { 0 }, { SANDBOX_NONE, SANDBOX_CREATED, SANDBOX_STOPPED, SANDBOX_STOPPED } },
	};

	cr_assert_eq(ARRAY_SIZE(rows), SANDBOX_N_EVENTS);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned state = 0; state < SANDBOX_N_STATES; state++) {
			struct sandbox_step step;
			struct error err = { 0 };
			int r = sandbox_state_step((enum sandbox_state)state, rows[i].event, &step, &err);

			cr_expect_eq(err.kind, rows[i].kinds[state], "event %zu in state %u: %s", i, state, err.message);
			cr_expect_eq(r < 0, rows[i].kinds[state] != ERROR_NONE);
			if (r == 0)
				cr_expect_eq(step.next, rows[i].next[state], "event %zu in state %u", i, state);
		}
	}
}

static int decode_resolver(const struct buffer *resolver, const char *cgroup, struct arena *arena,
			   struct sandbox_config *ret, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer message = { 0 }, linux_part = { 0 };

	wire_put_text(&linux_part, 1, cgroup);
	wire_put_message(&message, 4, resolver);
	wire_put_message(&message, 8, &linux_part);
	return sandbox_config_decode((struct wire_bytes){ (const uint8_t *)message.data, message.length }, "", arena,
				     ret, err);
}

Test(sandbox_config, resolver_is_written_as_its_file_is)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer resolver = { 0 }, nothing = { 0 };
	AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
	struct sandbox_config config;
	struct error err = { 0 };

	cr_assert_eq(decode_resolver(&nothing, NULL, arena, &config, &err), 0, "%s", err.message);
	cr_expect_null(config.resolver, "the host's serves");
	cr_expect_null(config.cgroup_path);
	wire_put_text(&resolver, 1, "10.0.0.1");
	wire_put_text(&resolver, 1, "fd00::1");
	wire_put_text(&resolver, 2, "a.example");
	wire_put_text(&resolver, 2, "b.example");
	wire_put_text(&resolver, 3, "ndots:5");
	wire_put_text(&resolver, 3, "rotate");
	cr_assert_eq(decode_resolver(&resolver, "/pods/one", arena, &config, &err), 0, "%s", err.message);
	cr_expect_str_eq(config.resolver, "search a.example b.example\nnameserver 10.0.0.1\nnameserver fd00::1\n"
					  "options ndots:5 rotate\n");
	cr_expect_str_eq(config.cgroup_path, "/pods/one");
}

Test(sandbox_config, resolver_of_more_lines_or_bytes_is_refused)
{
	static const char *const bad[] = { "a\nnameserver 6.6.6.6", "a b", "\xc3\xa4", "a\x7f" };
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer large = { 0 };
	AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
	struct sandbox_config config;
	struct error err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		__attribute__((cleanup(buffer_done_cleanup))) struct buffer resolver = { 0 };

		wire_put_text(&resolver, 2, bad[i]);
		cr_expect_eq(decode_resolver(&resolver, NULL, arena, &config, &err), -EINVAL, "%zu", i);
		cr_expect_not_null(strstr(err.message, "dns_config: a search"), "%s", err.message);
	}
	for (size_t i = 0; i < 3000; i++)
		wire_put_text(&large, 1, "a-name-server-of-30-letters.ex");
	cr_expect_eq(decode_resolver(&large, NULL, arena, &config, &err), -EMSGSIZE);
	cr_expect_not_null(strstr(err.message, "dns_config: more than 65536 bytes"), "%s", err.message);
}
