/* Documents that are refused, each with the words of its error; and some at the edge that are taken. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "spec/spec.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct variant {
	const char *member;  /* what differs from a good document */
	const char *message; /* NULL: it is taken */
};

static void expect(const char *before, const struct variant *variant, const char *after)
{
	AUTO(spec_free) struct spec *spec = NULL;
	struct buffer text = { 0 };
	struct error err = { 0 };
	int r;

	buffer_printf(&text, "%s%s%s", before, variant->member, after);
	r = spec_parse(text.data, text.length, &spec, &err);
	if (variant->message) {
		cr_expect_eq(r, -EINVAL, "%s was taken", text.data);
		cr_expect_eq(err.kind, ERROR_INVALID);
		cr_expect_str_eq(err.message, variant->message, "%s\n gave %s\n not  %s", text.data, err.message,
				 variant->message);
		cr_expect_null(spec, "a failed parse must not touch its output");
	} else {
		cr_expect_eq(r, 0, "%s: %s", text.data, err.message);
	}
	buffer_done(&text);
}

Test(spec_validate, version)
{
	static const struct variant variants[] = {
		{ "1.0.0", NULL },
		{ "1.0.2-dev", NULL },
		{ "1.2.0+dev", NULL },
		{ "1.0.0-rc5", NULL },
		{ "1.1.0-rc.2+build.7", NULL },
		{ "1.99.0", NULL },
		{ "", "ociVersion: \"\" is not a version such as \"1.3.0\"" },
		{ "1.0", "ociVersion: \"1.0\" is not a version such as \"1.3.0\"" },
		{ "1.0.0.0", "ociVersion: \"1.0.0.0\" is not a version such as \"1.3.0\"" },
		{ "1.0.0-", "ociVersion: \"1.0.0-\" is not a version such as \"1.3.0\"" },
		{ "01.0.0", "ociVersion: \"01.0.0\" is not a version such as \"1.3.0\"" },
		{ "v1.0.0", "ociVersion: \"v1.0.0\" is not a version such as \"1.3.0\"" },
		{ "2.0.0", "ociVersion: \"2.0.0\" is not supported; allowed: 1.x.y" },
		{ "0.5.0", "ociVersion: \"0.5.0\" is not supported; allowed: 1.x.y" },
		{ "10.0.0", "ociVersion: \"10.0.0\" is not supported; allowed: 1.x.y" },
	};

	for (size_t i = 0; i < COUNT(variants); i++)
		expect("{\"root\":{\"path\":\"r\"},\"ociVersion\":\"", &variants[i], "\"}");
}

Test(spec_validate, top)
{
	static const struct variant variants[] = {
		{ "\"ociVersion\":\"1.0.0\"", "\"root\" is missing; it is required" },
		{ "\"root\":{\"path\":\"r\"}", "\"ociVersion\" is missing; it is required" },
		{ "\"ociVersion\":\"1.0.0\",\"root\":{}", "root: \"path\" is missing; it is required" },
		{ "\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"\"}", "root.path: an empty path is not allowed" },
	};

	for (size_t i = 0; i < COUNT(variants); i++)
		expect("{", &variants[i], "}");
}

Test(spec_validate, process)
{
	static const struct variant variants[] = {
		{ "\"args\":[\"a\"],\"cwd\":\"/\"", NULL },
		{ "\"cwd\":\"/\"", "process.args: at least one is required: the program" },
		{ "\"args\":[],\"cwd\":\"/\"", "process.args: at least one is required: the program" },
		{ "\"args\":[\"\"],\"cwd\":\"/\"", "process.args[0]: the program's name must not be empty" },
		{ "\"args\":[\"a\"]", "process: \"cwd\" is missing; it is required" },
		{ "\"args\":[\"a\"],\"cwd\":\"\"",
		  "process.cwd: \"\" is not an absolute path; it has to begin with \"/\"" },
		{ "\"args\":[\"a\"],\"cwd\":\"tmp\"",
		  "process.cwd: \"tmp\" is not an absolute path; it has to begin with \"/\"" },
	};

	for (size_t i = 0; i < COUNT(variants); i++)
		expect("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"process\":{", &variants[i], "}}");
}

Test(spec_validate, process_members)
{
	static const struct variant variants[] = {
		{ "\"env\":[\"A=1\",\"B\"]", "process.env[1]: is not of the form NAME=VALUE" },
		{ "\"env\":[\"=x\"]", "process.env[0]: is not of the form NAME=VALUE" },
		{ "\"env\":[\"A=\\u0000\"]", "process.env[0]: the string contains a NUL character" },
		{ "\"env\":[\"HOME=/root\\nx:0:0\"]", "process.env[0]: a line break in HOME is not allowed" },
		{ "\"env\":[\"TEXT=a\\nb\",\"HOMES=\\n\"]", NULL },
		{ "\"user\":{\"gid\":1}", "process.user: \"uid\" is missing; it is required" },
		{ "\"user\":{\"uid\":1}", "process.user: \"gid\" is missing; it is required" },
		{ "\"user\":{\"uid\":4294967296,\"gid\":0}",
		  "process.user.uid: expected an integer from 0 to 4294967295, found 4294967296" },
		{ "\"user\":{\"uid\":-1,\"gid\":0}",
		  "process.user.uid: expected an integer from 0 to 4294967295, found -1" },
		{ "\"user\":{\"uid\":\"1000\",\"gid\":0}",
		  "process.user.uid: expected an integer from 0 to 4294967295, found the string \"1000\"" },
		{ "\"user\":{\"uid\":4294967295,\"gid\":0}",
		  "process.user.uid: 4294967295 is not a valid id; allowed: 0 to 4294967294" },
		{ "\"user\":{\"uid\":0,\"gid\":4294967295}",
		  "process.user.gid: 4294967295 is not a valid id; allowed: 0 to 4294967294" },
		{ "\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[1,4294967295]}",
		  "process.user.additionalGids[1]: 4294967295 is not a valid id; allowed: 0 to 4294967294" },
		{ "\"user\":{\"uid\":0,\"gid\":0,\"umask\":512}",
		  "process.user.umask: 512 is out of range; allowed: 0 to 511 (octal 0777)" },
		{ "\"oomScoreAdj\":1001", "process.oomScoreAdj: expected an integer from -1000 to 1000, found 1001" },
		{ "\"oomScoreAdj\":-1001", "process.oomScoreAdj: expected an integer from -1000 to 1000, found -1001" },
		{ "\"rlimits\":[{\"type\":\"RLIMIT_FOO\",\"hard\":1,\"soft\":1}]",
		  "process.rlimits[0].type: \"RLIMIT_FOO\" is not a known resource limit; allowed: RLIMIT_AS, RLIMIT_CORE, "
		  "RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_LOCKS, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE, "
		  "RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RSS, RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_SIGPENDING, RLIMIT_STACK" },
		{ "\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"hard\":1,\"soft\":1},{\"type\":\"RLIMIT_CPU\",\"hard\":1,\"soft\":1}]",
		  "process.rlimits[1].type: RLIMIT_CPU is there twice" },
		{ "\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"hard\":1,\"soft\":2}]",
		  "process.rlimits[0].soft: 2 is above the hard limit of 1" },
		{ "\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"hard\":1}]",
		  "process.rlimits[0]: \"soft\" is missing; it is required" },
		{ "\"apparmorProfile\":\"a\\nb\"", "process.apparmorProfile: the control character 0x0a is not allowed" },
		{ "\"apparmorProfile\":\"\",\"selinuxLabel\":\"\"", NULL },
		{ "\"execCPUAffinity\":{\"initial\":\"0-x\"}",
		  "process.execCPUAffinity.initial: \"0-x\" is not a list such as \"0-3,7\"" },
		{ "\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":20}",
		  "process.scheduler.nice: expected an integer from -20 to 19, found 20" },
		{ "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}",
		  "process.ioPriority.priority: expected an integer from 0 to 7, found 8" },
		{ "\"consoleSize\":{\"height\":65536,\"width\":1}",
		  "process.consoleSize.height: expected an integer from 0 to 65535, found 65536" },
		{ "\"capabilities\":{\"bounding\":[\"CAP_FLY\"],\"ambient\":null}", NULL },
		{ "\"capabilities\":[\"CAP_KILL\"]", "process.capabilities: expected an object, found an array" },
	};

	for (size_t i = 0; i < COUNT(variants); i++)
		expect("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",",
		       &variants[i], "}}");
}

Test(spec_validate, mounts_hooks_and_names)
{
	static const struct variant variants[] = {
		{ "\"mounts\":[{\"type\":\"proc\"}]", "mounts[0]: \"destination\" is missing; it is required" },
		{ "\"mounts\":[{\"destination\":\"\"}]", "mounts[0].destination: an empty path is not allowed" },
		{ "\"mounts\":[{\"destination\":\"relative\"}]", NULL },
		{ "\"mounts\":[{\"destination\":\"/a\",\"options\":\"ro\"}]",
		  "mounts[0].options: expected an array, found the string \"ro\"" },
		{ "\"mounts\":[{\"destination\":\"/a\",\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]}]",
		  "mounts[0].gidMappings is missing; uidMappings and gidMappings go together" },
		{ "\"mounts\":[{\"destination\":\"/a\",\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":0}],"
		  "\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]}]",
		  "mounts[0].uidMappings[0].size: 0 is not allowed" },
		{ "\"hooks\":{\"poststart\":[{\"path\":\"/a\"},{\"path\":\"b\"}]}",
		  "hooks.poststart[1].path: \"b\" is not an absolute path; it has to begin with \"/\"" },
		{ "\"hooks\":{\"prestart\":[{}]}", "hooks.prestart[0]: \"path\" is missing; it is required" },
		{ "\"hooks\":{\"poststop\":[{\"path\":\"/a\",\"timeout\":0}]}",
		  "hooks.poststop[0].timeout: 0 is not allowed; it has to be above 0 seconds" },
		{ "\"hooks\":{\"createRuntime\":[{\"path\":\"/a\",\"env\":[\"A\"]}]}",
		  "hooks.createRuntime[0].env[0]: is not of the form NAME=VALUE" },
		{ "\"annotations\":{\"\":\"x\"}", "annotations: an empty key is not allowed" },
		{ "\"annotations\":{\"a\":\"\",\"a\":\"\"}", "annotations: \"a\" is there twice" },
		{ "\"annotations\":{\"a\":1}", "annotations[\"a\"]: expected a string, found 1" },
		{ "\"hostname\":\"x\"", "hostname: \"x\" needs an entry of type \"uts\" in linux.namespaces" },
		{ "\"domainname\":\"x\"", "domainname: \"x\" needs an entry of type \"uts\" in linux.namespaces" },
		{ "\"hostname\":\"a\\nb\"", "hostname: the control character 0x0a is not allowed" },
		{ "\"hostname\":\"\"", NULL },
		{ "\"hostname\":\"1234567890123456789012345678901234567890123456789012345678901234\","
		  "\"linux\":{\"namespaces\":[{\"type\":\"uts\"}]}",
		  NULL },
		{ "\"hostname\":\"12345678901234567890123456789012345678901234567890123456789012345\","
		  "\"linux\":{\"namespaces\":[{\"type\":\"uts\"}]}",
		  "hostname: 65 bytes long; at most 64 are allowed" },
		{ "\"solaris\":{\"anything\":[]},\"future\":{\"a\":{\"b\":1}}", NULL },
	};

	for (size_t i = 0; i < COUNT(variants); i++)
		expect("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},", &variants[i], "}");
}

static const struct variant linux_variants[] = {
	{ "\"namespaces\":[{\"type\":\"net\"}]",
	  "linux.namespaces[0].type: \"net\" is not a known kind of namespace; allowed: pid, network, mount, ipc, uts, user, "
	  "cgroup, time" },
	{ "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\",\"path\":\"/x\"}]",
	  "linux.namespaces[1].type: \"pid\" is there twice" },
	{ "\"namespaces\":[{\"type\":\"pid\",\"path\":\"proc/1/ns/pid\"}]",
	  "linux.namespaces[0].path: \"proc/1/ns/pid\" is not an absolute path; it has to begin with \"/\"" },
	{ "\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]",
	  "linux.uidMappings: needs an entry of type \"user\" in linux.namespaces" },
	{ "\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]",
	  "linux.gidMappings: needs an entry of type \"user\" in linux.namespaces" },
	{ "\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":[{\"containerID\":0,\"hostID\":0}]",
	  "linux.uidMappings[0]: \"size\" is missing; it is required" },
	{ "\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":[{\"containerID\":0,\"hostID\":10,\"size\":10},"
	  "{\"containerID\":9,\"hostID\":20,\"size\":1}]",
	  "linux.uidMappings[1]: overlaps with linux.uidMappings[0]" },
	{ "\"namespaces\":[{\"type\":\"user\"}],\"gidMappings\":[{\"containerID\":0,\"hostID\":10,\"size\":10},"
	  "{\"containerID\":10,\"hostID\":19,\"size\":1}]",
	  "linux.gidMappings[1]: overlaps with linux.gidMappings[0]" },
	{ "\"namespaces\":[{\"type\":\"user\"}],\"gidMappings\":[{\"containerID\":0,\"hostID\":10,\"size\":10},"
	  "{\"containerID\":10,\"hostID\":20,\"size\":1}]",
	  NULL },
	{ "\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":4294967295}]",
	  NULL },
	{ "\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":4294967295}]",
	  "linux.uidMappings[0]: 4294967295 ids from 1 go beyond the last one, 4294967294" },
	{ "\"sysctl\":{\"../../etc/passwd\":\"1\"}",
	  "linux.sysctl: \"../../etc/passwd\" is not a name such as \"net.ipv4.ip_forward\"" },
	{ "\"sysctl\":{\"kernel..x\":\"1\"}",
	  "linux.sysctl: \"kernel..x\" is not a name such as \"net.ipv4.ip_forward\"" },
	{ "\"sysctl\":{\"/kernel/x\":\"1\"}",
	  "linux.sysctl: \"/kernel/x\" is not a name such as \"net.ipv4.ip_forward\"" },
	{ "\"sysctl\":{\"kernel.shm max\":\"1\"}",
	  "linux.sysctl: \"kernel.shm max\" is not a name such as \"net.ipv4.ip_forward\"" },
	{ "\"sysctl\":{\"\":\"1\"}", "linux.sysctl: \"\" is not a name such as \"net.ipv4.ip_forward\"" },
	{ "\"sysctl\":{\"kernel.shmmax\":\"1+\\nkernel.core_pattern=|/x\"}",
	  "linux.sysctl[\"kernel.shmmax\"]: the control character 0x0a is not allowed" },
	{ "\"sysctl\":{\"net.ipv4.conf.eth0/1.rp_filter\":\"1\",\"net/core/somaxconn\":\"1 2\"}", NULL },
	{ "\"cgroupsPath\":\"/a/../../b\"", "linux.cgroupsPath: \"/a/../../b\" leads out of its place by \"..\"" },
	{ "\"cgroupsPath\":\"..\"", "linux.cgroupsPath: \"..\" leads out of its place by \"..\"" },
	{ "\"cgroupsPath\":\"a\\nb\"", "linux.cgroupsPath: the control character 0x0a is not allowed" },
	{ "\"cgroupsPath\":\"/a..b/..c/d..\"", NULL },
	{ "\"devices\":[{\"path\":\"dev/x\",\"type\":\"p\"}]",
	  "linux.devices[0].path: \"dev/x\" is not an absolute path; it has to begin with \"/\"" },
	{ "\"devices\":[{\"path\":\"/dev/x\",\"type\":\"d\"}]",
	  "linux.devices[0].type: \"d\" is not a known device type; allowed: c, b, u, p" },
	{ "\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1}]",
	  "linux.devices[0]: \"minor\" is missing; only type \"p\" goes without" },
	{ "\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":4096,\"minor\":0}]",
	  "linux.devices[0].major: expected an integer from 0 to 4095, found 4096" },
	{ "\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1,\"minor\":3,\"fileMode\":65536}]",
	  "linux.devices[0].fileMode: 65536 is out of range; allowed: 0 to 65535" },
	{ "\"devices\":[{\"path\":\"/dev/x\",\"type\":\"p\",\"uid\":4294967295}]",
	  "linux.devices[0].path: the owner 4294967295 is not a valid id" },
	{ "\"maskedPaths\":[\"/proc/kcore\",\"sys\"]",
	  "linux.maskedPaths[1]: \"sys\" is not an absolute path; it has to begin with \"/\"" },
	{ "\"readonlyPaths\":[\"\"]", "linux.readonlyPaths[0]: \"\" is not an absolute path; it has to begin with \"/\"" },
	{ "\"rootfsPropagation\":\"slaves\"",
	  "linux.rootfsPropagation: \"slaves\" is not a known mount propagation; allowed: shared, slave, private, "
	  "unbindable, rshared, rslave, rprivate, runbindable" },
	{ "\"timeOffsets\":{\"monotonic\":{\"secs\":1}}",
	  "linux.timeOffsets: needs an entry of type \"time\" without path in linux.namespaces" },
	{ "\"timeOffsets\":{\"monotonic\":{\"secs\":1}},\"namespaces\":[{\"type\":\"time\",\"path\":\"/x\"}]",
	  "linux.timeOffsets: needs an entry of type \"time\" without path in linux.namespaces" },
	{ "\"timeOffsets\":{\"realtime\":{\"secs\":1}},\"namespaces\":[{\"type\":\"time\"}]",
	  "linux.timeOffsets: \"realtime\" is not a clock; allowed: monotonic, boottime" },
	{ "\"timeOffsets\":{\"boottime\":{\"nanosecs\":1000000000}},\"namespaces\":[{\"type\":\"time\"}]",
	  "linux.timeOffsets[\"boottime\"].nanosecs: expected an integer from 0 to 999999999, found 1000000000" },
	{ "\"netDevices\":{\"eth0\":{\"name\":\"a/b\"}}",
	  "linux.netDevices[\"eth0\"]: \"a/b\" is not an interface's name" },
	{ "\"netDevices\":{\"eth0\":{\"name\":\"1234567890123456\"}}",
	  "linux.netDevices[\"eth0\"]: \"1234567890123456\" is not an interface's name" },
	{ "\"netDevices\":{\"eth0\":{\"name\":\"a:b\"}}",
	  "linux.netDevices[\"eth0\"]: \"a:b\" is not an interface's name" },
	{ "\"netDevices\":{\"eth%d\":{}}", "linux.netDevices[\"eth%d\"]: \"eth%d\" is not an interface's name" },
	{ "\"netDevices\":{\"eth0\":{\"name\":\"%d\"}}", "linux.netDevices[\"eth0\"]: \"%d\" is not an interface's name" },
	{ "\"netDevices\":{\"eth0\":{\"name\":\"a%db\"}}",
	  "linux.netDevices[\"eth0\"]: \"a%db\" is not an interface's name" },
	{ "\"netDevices\":{\"eth0\":{\"name\":\"net%d\"},\"eth1\":{\"name\":\"net%d\"},\"wlan0+x\":{}}", NULL },
	{ "\"netDevices\":{\"eth0\":{},\"eth1\":{\"name\":\"eth0\"}}",
	  "linux.netDevices[\"eth1\"].name: \"eth0\" is there twice" },
	{ "\"personality\":{\"domain\":\"LINUX\",\"flags\":[\"X\"]}",
	  "linux.personality.flags: \"X\" is not known; no flag is defined" },
	{ "\"personality\":{\"domain\":\"BSD\"}",
	  "linux.personality.domain: \"BSD\" is not a known personality; allowed: LINUX, LINUX32" },
	{ "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0;1\"}",
	  "linux.memoryPolicy.nodes: \"0;1\" is not a list such as \"0-3,7\"" },
	{ "\"memoryPolicy\":{\"mode\":\"MPOL_LOCAL\",\"nodes\":\"\"}", NULL },
	{ "\"memoryPolicy\":{\"mode\":\"MPOL_PREFERRED\"}", NULL },
	{ "\"memoryPolicy\":{\"mode\":\"MPOL_DEFAULT\",\"nodes\":\"0\"}",
	  "linux.memoryPolicy.nodes: \"0\": MPOL_DEFAULT takes no nodes; leave them out" },
	{ "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\"}",
	  "linux.memoryPolicy.nodes: missing; MPOL_BIND takes a list such as \"0-3,7\"" },
	{ "\"intelRdt\":{\"closID\":\"../x\"}", "linux.intelRdt.closID: \"../x\" is not a directory's name" },
	{ "\"intelRdt\":{\"memBwSchema\":\"L3:0=1\"}",
	  "linux.intelRdt.memBwSchema: \"L3:0=1\" is not one line that begins with \"MB:\"" },
	{ "\"mountLabel\":\"a\\tb\"", "linux.mountLabel: the control character 0x09 is not allowed" },
};

Test(spec_validate, linux_section)
{
	for (size_t i = 0; i < COUNT(linux_variants); i++)
		expect("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"linux\":{", &linux_variants[i], "}}");
}

Test(spec_validate, resources)
{
	static const struct variant variants[] = {
		{ "\"devices\":[{\"access\":\"rwm\"}]",
		  "linux.resources.devices[0]: \"allow\" is missing; it is required" },
		{ "\"devices\":[{\"allow\":true,\"access\":\"rx\"}]",
		  "linux.resources.devices[0].access: \"rx\" is not made of \"r\", \"w\" and \"m\"" },
		{ "\"devices\":[{\"allow\":true,\"type\":\"p\"}]",
		  "linux.resources.devices[0].type: \"p\" is not a known device type; allowed: a, b, c" },
		{ "\"devices\":[{\"allow\":true,\"major\":-2}]",
		  "linux.resources.devices[0].major: expected an integer from -1 to 4095, found -2" },
		{ "\"memory\":{\"limit\":-2}",
		  "linux.resources.memory.limit: expected an integer from -1 to 9223372036854775807, found -2" },
		{ "\"memory\":{\"limit\":1e9}",
		  "linux.resources.memory.limit: expected an integer from -1 to 9223372036854775807, found 1e9" },
		{ "\"memory\":{\"swappiness\":101}",
		  "linux.resources.memory.swappiness: expected an integer from 0 to 100, found 101" },
		{ "\"cpu\":{\"period\":999}",
		  "linux.resources.cpu.period: 999 is out of range; allowed: 1000 to 1000000 microseconds" },
		{ "\"cpu\":{\"period\":1000001}",
		  "linux.resources.cpu.period: 1000001 is out of range; allowed: 1000 to 1000000 microseconds" },
		{ "\"cpu\":{\"quota\":999}",
		  "linux.resources.cpu.quota: 999 is out of range; allowed: -1, or from 1000 microseconds" },
		{ "\"cpu\":{\"shares\":0,\"quota\":0,\"period\":0,\"burst\":0}", NULL },
		{ "\"cpu\":{\"quota\":-1}", NULL },
		{ "\"cpu\":{\"cpus\":\"0-3\\n\"}", "linux.resources.cpu.cpus: \"0-3\n\" is not a list such as \"0-3,7\"" },
		{ "\"cpu\":{\"idle\":2}", "linux.resources.cpu.idle: expected an integer from 0 to 1, found 2" },
		{ "\"pids\":{\"limit\":-5}",
		  "linux.resources.pids.limit: expected an integer from -1 to 9223372036854775807, found -5" },
		{ "\"blockIO\":{\"weight\":9}", "linux.resources.blockIO.weight: 9 is out of range; allowed: 10 to 1000" },
		{ "\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"leafWeight\":1001}]}",
		  "linux.resources.blockIO.weightDevice[0].leafWeight: 1001 is out of range; allowed: 10 to 1000" },
		{ "\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0}]}",
		  "linux.resources.blockIO.throttleReadBpsDevice[0]: \"rate\" is missing; it is required" },
		{ "\"hugepageLimits\":[{\"pageSize\":\"../2MB\",\"limit\":1}]",
		  "linux.resources.hugepageLimits[0].pageSize: \"../2MB\" is not a size such as \"2MB\"" },
		{ "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1},{\"pageSize\":\"2MB\",\"limit\":2}]",
		  "linux.resources.hugepageLimits[1].pageSize: \"2MB\" is there twice" },
		{ "\"network\":{\"priorities\":[{\"name\":\"eth0 1\",\"priority\":1}]}",
		  "linux.resources.network.priorities[0].name: \"eth0 1\" is not an interface's name" },
		{ "\"rdma\":{\"mlx\":{}}", "linux.resources.rdma[\"mlx\"]: one of hcaHandles and hcaObjects is required" },
		{ "\"rdma\":{\"a b\":{\"hcaObjects\":1}}", "linux.resources.rdma[\"a b\"]: not a device's name" },
		{ "\"unified\":{\"../x\":\"1\"}",
		  "linux.resources.unified[\"../x\"]: not a limit's file; allowed: names such as \"memory.high\" without \"/\", "
		  "and of cgroup.* only cgroup.max.*" },
		{ "\"unified\":{\"cgroup.procs\":\"1\"}",
		  "linux.resources.unified[\"cgroup.procs\"]: not a limit's file; allowed: names such as \"memory.high\" without "
		  "\"/\", and of cgroup.* only cgroup.max.*" },
	};

	for (size_t i = 0; i < COUNT(variants); i++)
		expect("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"linux\":{\"resources\":{", &variants[i],
		       "}}}");
}

Test(spec_validate, seccomp)
{
	static const struct variant variants[] = {
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\"", NULL },
		{ "\"syscalls\":[]", "linux.seccomp: \"defaultAction\" is missing; it is required" },
		{ "\"defaultAction\":\"ALLOW\"",
		  "linux.seccomp.defaultAction: \"ALLOW\" is not a known seccomp action; allowed: SCMP_ACT_KILL_PROCESS, "
		  "SCMP_ACT_KILL_THREAD, SCMP_ACT_KILL, SCMP_ACT_TRAP, SCMP_ACT_ERRNO, SCMP_ACT_NOTIFY, SCMP_ACT_TRACE, "
		  "SCMP_ACT_LOG, SCMP_ACT_ALLOW" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":1",
		  "linux.seccomp.defaultErrnoRet: only SCMP_ACT_ERRNO and SCMP_ACT_TRACE take a value, not SCMP_ACT_ALLOW" },
		{ "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":4096",
		  "linux.seccomp.defaultErrnoRet: 4096 is out of range; allowed: 0 to 4095" },
		{ "\"defaultAction\":\"SCMP_ACT_TRACE\",\"defaultErrnoRet\":65535", NULL },
		{ "\"defaultAction\":\"SCMP_ACT_TRACE\",\"defaultErrnoRet\":65536",
		  "linux.seccomp.defaultErrnoRet: expected an integer from 0 to 65535, found 65536" },
		{ "\"defaultAction\":\"SCMP_ACT_NOTIFY\"",
		  "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY is not allowed as the default" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_KILL\"}]",
		  "linux.seccomp.syscalls[0].names: at least one is required" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a b\"],\"action\":\"SCMP_ACT_KILL\"}]",
		  "linux.seccomp.syscalls[0].names[0]: \"a b\" is not a system call" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_KILL\",\"errnoRet\":1}]",
		  "linux.seccomp.syscalls[0].errnoRet: only SCMP_ACT_ERRNO and SCMP_ACT_TRACE take a value, not "
		  "SCMP_ACT_KILL_THREAD" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_NOTIFY\"}]",
		  "linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY needs listenerPath" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_KILL\","
		  "\"args\":[{\"index\":6,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}]",
		  "linux.seccomp.syscalls[0].args[0].index: expected an integer from 0 to 5, found 6" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_KILL\","
		  "\"args\":[{\"index\":0,\"value\":0,\"op\":\"==\"}]}]",
		  "linux.seccomp.syscalls[0].args[0].op: \"==\" is not a known seccomp operator; allowed: SCMP_CMP_NE, SCMP_CMP_LT, "
		  "SCMP_CMP_LE, SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"x\"",
		  "linux.seccomp.listenerPath: \"x\" is not an absolute path" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerMetadata\":\"x\"",
		  "linux.seccomp.listenerMetadata: not allowed without listenerPath" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_NEW_LISTENER\"]",
		  "linux.seccomp.flags[0]: \"SECCOMP_FILTER_FLAG_NEW_LISTENER\" is not a known seccomp flag; allowed: "
		  "SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW, "
		  "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" },
	};

	for (size_t i = 0; i < COUNT(variants); i++)
		expect("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"linux\":{\"seccomp\":{", &variants[i],
		       "}}}");
}

Test(spec_validate, id_map_has_at_most_340_entries)
{
	struct buffer text = { 0 };
	const struct variant variant = { "\"namespaces\":[{\"type\":\"user\"}]}",
					 "linux.uidMappings: 341 entries; the kernel takes at most 340" };

	buffer_append_text(&text, "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"linux\":{\"uidMappings\":[");
	for (int i = 0; i <= 340; i++)
		buffer_printf(&text, "%s{\"containerID\":%d,\"hostID\":%d,\"size\":1}", i ? "," : "", i, i);
	buffer_append_text(&text, "],");
	expect(text.data, &variant, "}");
	buffer_done(&text);
}
