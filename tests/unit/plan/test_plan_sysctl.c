#include <stdio.h>

#include <criterion/criterion.h>

#include "plan_fixture.h"

Test(plan_sysctl, names_take_the_form_with_slashes)
{
	static const struct {
		const char *asked, *planned;
	} cases[] = {
		{ "net.ipv4.ip_forward", "net/ipv4/ip_forward" },
		{ "net/ipv4/ip_forward", "net/ipv4/ip_forward" },
		{ "net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding" },
		{ "net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding" },
		{ "kernel.shmmax", "kernel/shmmax" },
		{ "fs.mqueue.msg_max", "fs/mqueue/msg_max" },
		{ "kernel.domainname", "kernel/domainname" },
	};
	char json[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		snprintf(json, sizeof(json), ",'sysctl':{'%s':'1 2'}", cases[i].asked);
		plan_fixture_good(&fixture, &(struct plan_fixture_json){
						    .namespaces = ",{'type':'network'},{'type':'ipc'},{'type':'uts'}",
						    .linux_ = json });
		cr_assert_eq(fixture.plan->n_sysctls, 1);
		cr_expect_str_eq(fixture.plan->sysctls[0].name, cases[i].planned);
		cr_expect_str_eq(fixture.plan->sysctls[0].value, "1 2");
	}
}

Test(plan_sysctl, refuses_what_would_change_the_host)
{
	static const struct {
		const char *sysctl, *words;
	} cases[] = {
		{ "'net.ipv4.ip_forward':'1'", "\"network\"" },
		{ "'kernel.shmmax':'1'", "\"ipc\"" },
		{ "'fs.mqueue.msg_max':'1'", "\"ipc\"" },
		{ "'kernel.hostname':'x'", "\"uts\"" },
		{ "'kernel.core_pattern':'|/bin/sh'", "whole host" },
		{ "'kernel/core_pattern':'x'", "whole host" },
		{ "'kernel.shm':'1'", "whole host" },
		{ "'kernel.semaphore':'1'", "whole host" },
		{ "'kernel.msg_anything':'1'", "whole host" },
		{ "'fs.file-max':'1'", "whole host" },
		{ "'network.x':'1'", "whole host" },
		{ "'vm.swappiness':'1'", "whole host" },
		{ "'user.max_user_namespaces':'1'", "whole host" },
		{ "'net.ipv4.ip_forward':'1+kernel.core_pattern=|/bin/sh'", "CVE-2022-0811" },
	};
	char json[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(json, sizeof(json), ",'sysctl':{%s}", cases[i].sysctl);
		plan_fixture_refused(&(struct plan_fixture_json){ .linux_ = json }, ERROR_REFUSED, cases[i].words);
	}
}

Test(plan_sysctl, joined_namespaces_are_marked)
{
	PLAN_FIXTURE(fixture);

	plan_fixture_good(&fixture, &(struct plan_fixture_json){ .namespaces = ",{'type':'network','path':'/run/netns/a'}",
								 .linux_ = ",'sysctl':{'net.ipv4.ip_forward':'1'}" });
	cr_expect(fixture.plan->namespaces.join[0].not_the_hosts);
}
