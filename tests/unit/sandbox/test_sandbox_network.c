#include <errno.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "sandbox/sandbox_network.h"

Test(sandbox_network, resolvers_of_the_list)
{
	static const struct {
		const char *egress, *wanted;
	} list[] = {
		{ "none", NULL },
		{ "192.0.2.1:443", NULL },
		{ "192.0.2.0/24:443/tcp,dns=10.0.2.3", "nameserver 10.0.2.3\n" },
		{ "dns=10.0.2.3,dns=2001:db8::53", "nameserver 10.0.2.3\nnameserver 2001:db8::53\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		AUTO(arena_free) struct arena *arena = arena_new(1 << 16);
		const char *text = "untouched";
		struct error err = { 0 };

		cr_assert_eq(sandbox_network_resolv_conf(list[i].egress, arena, &text, &err), 0, "%s: %s",
			     list[i].egress, err.message);
		if (list[i].wanted)
			cr_expect_str_eq(text, list[i].wanted);
		else
			cr_expect_null(text);
	}
}

Test(sandbox_network, no_list)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 16);
	const char *text = "untouched";
	struct error err = { 0 };

	cr_expect_eq(sandbox_network_resolv_conf("example.org", arena, &text, &err), -EINVAL);
	cr_expect_str_eq(text, "untouched");
}

/* Our own namespaces are the host's: nothing is started for them, whoever we are. */
Test(sandbox_network, not_for_the_host)
{
	struct sandbox_network network = sandbox_network_none();
	const struct pace always = { 0 };
	struct error err = { 0 };

	cr_expect_lt(sandbox_network_start(getpid(), &always, &network, &err), 0);
	cr_expect_eq(err.kind, ERROR_UNSUPPORTED, "%s", err.message);
	cr_expect_eq(network.pid, -1);
	sandbox_network_stop(&network);
}
