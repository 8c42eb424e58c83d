/* Each field that config.json may have, and what bounds it under the floor: a new field without a line here fails. Where a rule holds it, a
 * document that abuses that field alone is shown to meet the rule, and to pass without it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "plan_fixture.h"
#include "spec/spec_types.h"

#define PATH_LENGTH 128

struct field {
	const char *path;      /* arrays and maps have no part of their own in it */
	enum policy_rule rule; /* POLICY_N_RULES: none, and `why` says what else */
	struct plan_fixture_json json;
	void (*prepare)(struct plan_fixture *fixture);
	/* Without a document: it can do no harm by itself, or another field's line stands for it. With one and without a rule: what every
	 * policy refuses. */
	const char *why;
};

static const struct host_source etc = { .known = true, .mode = S_IFDIR | 0755, .mappable = true, .real = "/etc" };
static const struct host_source volume = { .known = true, .mode = S_IFDIR | 0755, .mappable = true, .real = "/srv/volume" };

static void source_is_etc(struct plan_fixture *fixture)
{
	fixture->request.sources = &etc;
}

static void source_is_a_volume(struct plan_fixture *fixture)
{
	fixture->request.sources = &volume;
}

static void root_is_etc(struct plan_fixture *fixture)
{
	fixture->request.root_source = etc;
	fixture->request.root_is_at_path = true;
}

static void with_apparmor(struct plan_fixture *fixture)
{
	fixture->host.apparmor = fixture->host.apparmor_default = true;
}

#define RULE(rule, ...) POLICY_##rule, { __VA_ARGS__ }, NULL, NULL
#define WITH(prepare, rule, ...) POLICY_##rule, { __VA_ARGS__ }, prepare, NULL
#define NONE(why) POLICY_N_RULES, { 0 }, NULL, why
#define NOBODY(...) POLICY_N_RULES, { __VA_ARGS__ }, NULL, "no policy lets it"
/* The rule is met later, by what the file is, or as part of something: why says where that is shown. */
#define ELSEWHERE(rule, why) POLICY_##rule, { 0 }, NULL, why

#define OF_ITS_OWN "a matter of its own program or files alone"
#define A_LIMIT "a limit: it takes from the container, and leaves to others"
#define A_SHARE "beside others at the same level; rule resource-maximum has the sum"
#define AS_IT_IS .top = ""
#define DEVICE(members) .linux_ = ",'devices':[{'path':'/dev/a','type':'b','major':8,'minor':0" members "}]"
#define DEVICES(rule) .linux_ = ",'resources':{'devices':[" rule "]}"
#define ALL_CAPABILITIES                                                                          \
	.process = ",'capabilities':{'bounding':['CAP_SYS_ADMIN'],'effective':['CAP_SYS_ADMIN']," \
		   "'permitted':['CAP_SYS_ADMIN'],'inheritable':['CAP_SYS_ADMIN'],'ambient':['CAP_SYS_ADMIN']}"
#define CORE .process = ",'rlimits':[{'type':'RLIMIT_CORE','soft':1,'hard':1}]"
#define REALTIME(members) .process = ",'scheduler':{'policy':'SCHED_FIFO','priority':1" members "}"
#define DEADLINE .process = ",'scheduler':{'policy':'SCHED_DEADLINE','runtime':10,'deadline':20,'period':30}"
#define DISK_FIRST .process = ",'ioPriority':{'class':'IOPRIO_CLASS_RT','priority':0}"
#define MAPS                              \
	.namespaces = ",{'type':'user'}", \
	.linux_ = ",'uidMappings':[{'containerID':0,'hostID':0,'size':10}],'gidMappings':[{'containerID':0,'hostID':0,'size':10}]"
#define BIND(options) .mounts = "{'destination':'/a','type':'bind','source':'/b','options':['rbind'" options "]}"
#define UNIFIED(name, value) .linux_ = ",'resources':{'unified':{'" name "':'" value "'}}"
#define ALLOWS_ALL(members) .linux_ = ",'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'" members "}"
#define ALLOWS_ONE ALLOWS_ALL(",'syscalls':[{'names':['bpf'],'action':'SCMP_ACT_ALLOW'}]")
#define RESCTRL .linux_ = ",'intelRdt':{'closID':'a'}"
#define MAPPED_MOUNT                                                                                            \
	"only with a source that rule mount-source lets in, of which the container's own root is root anyway; " \
	"beneath the floor's user namespace onto its own range alone: userns.bats"
#define OF_THE_SITE "the site listed the program, docs/policy.md: one that may be called with any"
#define OF_THE_HOSTS_SELINUX \
	"what a label may do is said by SELinux's policy on the host; engines choose labels, and AppArmor is the floor's"

static const struct field fields[] = {
	{ "ociVersion", NONE("a number") },
	{ "process.terminal", NONE("a terminal of its own") },
	{ "process.consoleSize.height", NONE(OF_ITS_OWN) },
	{ "process.consoleSize.width", NONE(OF_ITS_OWN) },
	{ "process.user.uid", RULE(USER_NAMESPACE, AS_IT_IS) },
	{ "process.user.gid", RULE(USER_NAMESPACE, AS_IT_IS) },
	{ "process.user.additionalGids", RULE(USER_NAMESPACE, AS_IT_IS) },
	{ "process.user.umask", NONE(OF_ITS_OWN) },
	{ "process.args", NONE("its own program") },
	{ "process.env", NONE("its own program's; hooks have none of it") },
	{ "process.cwd", NONE("in its own root, and looked at once it is entered: CVE-2024-21626 of tests/cve") },
	{ "process.capabilities.bounding", RULE(CAPABILITY, .process = ",'capabilities':{'bounding':['CAP_SYS_ADMIN']}") },
	{ "process.capabilities.effective", RULE(CAPABILITY, ALL_CAPABILITIES) },
	{ "process.capabilities.permitted", RULE(CAPABILITY, ALL_CAPABILITIES) },
	{ "process.capabilities.inheritable", RULE(AMBIENT_CAPABILITY, ALL_CAPABILITIES) },
	{ "process.capabilities.ambient", RULE(AMBIENT_CAPABILITY, ALL_CAPABILITIES) },
	{ "process.rlimits.type", RULE(CAPABILITY, .process = ",'rlimits':[{'type':'RLIMIT_NICE','soft':40,'hard':40}]") },
	{ "process.rlimits.hard", RULE(CORE_DUMP, CORE) },
	{ "process.rlimits.soft", RULE(CORE_DUMP, CORE) },
	{ "process.noNewPrivileges", RULE(NEW_PRIVILEGES, .process = ",'noNewPrivileges':false") },
	{ "process.apparmorProfile", WITH(with_apparmor, APPARMOR, .process = ",'apparmorProfile':'unconfined'") },
	{ "process.oomScoreAdj", RULE(OOM_SCORE, .process = ",'oomScoreAdj':-500") },
	{ "process.scheduler.policy", RULE(CAPABILITY, REALTIME("")) },
	{ "process.scheduler.nice", RULE(CAPABILITY, .process = ",'scheduler':{'policy':'SCHED_OTHER','nice':-1}") },
	{ "process.scheduler.priority", RULE(CAPABILITY, REALTIME("")) },
	{ "process.scheduler.flags", RULE(CAPABILITY, REALTIME(",'flags':['SCHED_FLAG_RESET_ON_FORK']")) },
	{ "process.scheduler.runtime", RULE(CAPABILITY, DEADLINE) },
	{ "process.scheduler.deadline", RULE(CAPABILITY, DEADLINE) },
	{ "process.scheduler.period", RULE(CAPABILITY, DEADLINE) },
	{ "process.selinuxLabel", NONE(OF_THE_HOSTS_SELINUX) },
	{ "process.ioPriority.class", RULE(CAPABILITY, DISK_FIRST) },
	{ "process.ioPriority.priority", RULE(CAPABILITY, DISK_FIRST) },
	{ "process.execCPUAffinity.initial",
	  NONE("a moment of exec's, on processors that the kernel lets brig itself use") },
	{ "process.execCPUAffinity.final", NONE("of the processors of its group") },
	{ "root.path", WITH(root_is_etc, MOUNT_SOURCE, AS_IT_IS) },
	{ "root.readonly", NONE("stricter where it is set") },
	{ "hostname", RULE(HOST_NAMESPACE, .top = ",'hostname':'a'", .namespaces = ",{'type':'uts'}") },
	{ "domainname", RULE(HOST_NAMESPACE, .top = ",'domainname':'a'", .namespaces = ",{'type':'uts'}") },
	{ "mounts.destination", NOBODY(.mounts = "{'destination':'/proc/sys','type':'tmpfs','source':'tmpfs'}") },
	{ "mounts.type", RULE(MOUNT_SOURCE, .mounts = "{'destination':'/a','type':'ext4','source':'/dev/sda1'}") },
	{ "mounts.source", WITH(source_is_etc, MOUNT_SOURCE, BIND("")) },
	{ "mounts.options", WITH(source_is_a_volume, MOUNT_FLAGS, BIND(",'suid','dev'")) },
	{ "mounts.uidMappings.containerID", NONE(MAPPED_MOUNT) },
	{ "mounts.uidMappings.hostID", NONE(MAPPED_MOUNT) },
	{ "mounts.uidMappings.size", NONE(MAPPED_MOUNT) },
	{ "mounts.gidMappings.containerID", NONE(MAPPED_MOUNT) },
	{ "mounts.gidMappings.hostID", NONE(MAPPED_MOUNT) },
	{ "mounts.gidMappings.size", NONE(MAPPED_MOUNT) },
#define HOOKS(kind)                                                                                            \
	{ "hooks." kind ".path", RULE(HOOK, .top = ",'hooks':{'" kind "':[{'path':'/bin/sh'}]}") },            \
		{ "hooks." kind ".args", NONE(OF_THE_SITE) },                                                  \
		{ "hooks." kind ".env",                                                                        \
		  RULE(HOOK, .top = ",'hooks':{'" kind "':[{'path':'/opt/hook','env':['LD_PRELOAD=/a']}]}") }, \
	{                                                                                                      \
		"hooks." kind ".timeout", NONE("how long its own start may wait; a shim has a deadline")       \
	}
	HOOKS("prestart"),
	HOOKS("createRuntime"),
	HOOKS("createContainer"),
	HOOKS("startContainer"),
	HOOKS("poststart"),
	HOOKS("poststop"),
	{ "annotations", RULE(ANNOTATION, .top = ",'annotations':{'run.oci.handler':'krun'}") },
	{ "linux.uidMappings.containerID", RULE(USER_NAMESPACE, MAPS) },
	{ "linux.uidMappings.hostID", RULE(USER_NAMESPACE, MAPS) },
	{ "linux.uidMappings.size", RULE(USER_NAMESPACE, MAPS) },
	{ "linux.gidMappings.containerID", RULE(USER_NAMESPACE, MAPS) },
	{ "linux.gidMappings.hostID", RULE(USER_NAMESPACE, MAPS) },
	{ "linux.gidMappings.size", RULE(USER_NAMESPACE, MAPS) },
	{ "linux.sysctl", RULE(SYSCTL, .linux_ = ",'sysctl':{'net.core.somaxconn':'1'}",
			       .namespaces = ",{'type':'network','path':'/run/netns/a'}") },
	{ "linux.resources.devices.allow", RULE(DEVICE, DEVICES("{'allow':true,'access':'rwm'}")) },
	{ "linux.resources.devices.type", RULE(DEVICE, DEVICES("{'allow':true,'type':'b','access':'r'}")) },
	{ "linux.resources.devices.major", RULE(DEVICE, DEVICES("{'allow':true,'type':'b','major':8,'access':'r'}")) },
	{ "linux.resources.devices.minor",
	  RULE(DEVICE, DEVICES("{'allow':true,'type':'b','major':8,'minor':0,'access':'w'}")) },
	{ "linux.resources.devices.access", RULE(DEVICE, DEVICES("{'allow':true,'access':'rw'}")) },
	{ "linux.resources.memory.limit",
	  RULE(RESOURCE_MAXIMUM, .linux_ = ",'resources':{'memory':{'limit':100000000}}") },
	{ "linux.resources.memory.reservation", NONE("kept of what it may have") },
	{ "linux.resources.memory.swap",
	  NONE("the host's disk, of which a site gives swap space to share: docs/policy.md") },
	{ "linux.resources.memory.kernel", NONE(A_LIMIT) },
	{ "linux.resources.memory.kernelTCP", NONE(A_LIMIT) },
	{ "linux.resources.memory.swappiness", NONE("what of its own memory goes first") },
	{ "linux.resources.memory.disableOOMKiller", NONE("its own programs wait where others would be ended") },
	{ "linux.resources.memory.useHierarchy", NONE(A_LIMIT) },
	{ "linux.resources.memory.checkBeforeUpdate", NONE("of an update that may fail") },
	{ "linux.resources.cpu.shares", NONE(A_SHARE) },
	{ "linux.resources.cpu.quota", RULE(RESOURCE_MAXIMUM, .linux_ = ",'resources':{'cpu':{'quota':1000000}}") },
	{ "linux.resources.cpu.burst", NONE("saved up from its own quota, at most as much as that") },
	{ "linux.resources.cpu.period",
	  RULE(RESOURCE_MAXIMUM, .linux_ = ",'resources':{'cpu':{'quota':100000,'period':10000}}") },
	{ "linux.resources.cpu.realtimeRuntime",
	  NONE("for programs with realtime priorities, which rule capability lets nobody have") },
	{ "linux.resources.cpu.realtimePeriod", NONE("the same") },
	{ "linux.resources.cpu.cpus", NONE("of the processors of the group above its own, which others keep") },
	{ "linux.resources.cpu.mems", NONE("the same of memory nodes") },
	{ "linux.resources.cpu.idle", NONE(A_LIMIT) },
	{ "linux.resources.pids.limit", RULE(RESOURCE_MAXIMUM, .linux_ = ",'resources':{'pids':{'limit':100000}}") },
	{ "linux.resources.blockIO.weight", NONE(A_SHARE) },
	{ "linux.resources.blockIO.leafWeight", NONE(A_SHARE) },
#define OF_DISK(list, value) "linux.resources.blockIO." list "." value
	{ OF_DISK("weightDevice", "major"), NONE(A_SHARE) },
	{ OF_DISK("weightDevice", "minor"), NONE(A_SHARE) },
	{ OF_DISK("weightDevice", "weight"), NONE(A_SHARE) },
	{ OF_DISK("weightDevice", "leafWeight"), NONE(A_SHARE) },
#define THROTTLE(list)                                                                        \
	{ OF_DISK(list, "major"), NONE(A_LIMIT) }, { OF_DISK(list, "minor"), NONE(A_LIMIT) }, \
	{                                                                                     \
		OF_DISK(list, "rate"), NONE(A_LIMIT)                                          \
	}
	THROTTLE("throttleReadBpsDevice"),
	THROTTLE("throttleWriteBpsDevice"),
	THROTTLE("throttleReadIOPSDevice"),
	THROTTLE("throttleWriteIOPSDevice"),
	{ "linux.resources.hugepageLimits.pageSize", NONE("a name of the kernel's, and no path: tests/unit/spec") },
	{ "linux.resources.hugepageLimits.limit", NONE(A_LIMIT) },
	{ "linux.resources.network.classID",
	  NONE("a mark of version 1 for rules of the host's, which give a container nothing by themselves") },
	{ "linux.resources.network.priorities.name", NONE("the same") },
	{ "linux.resources.network.priorities.priority", NONE("the same") },
	{ "linux.resources.rdma.hcaHandles", NONE(A_LIMIT) },
	{ "linux.resources.rdma.hcaObjects", NONE(A_LIMIT) },
	{ "linux.resources.unified", RULE(RESOURCE_MAXIMUM, UNIFIED("cpuset.cpus.partition", "isolated")) },
	{ "linux.cgroupsPath", NOBODY(.linux_ = ",'cgroupsPath':'/'") },
	{ "linux.namespaces.type", RULE(HOST_NAMESPACE, AS_IT_IS) },
	{ "linux.namespaces.path",
	  ELSEWHERE(HOST_NAMESPACE, "by what is joined: host-namespace-by-path.json of tests/floor/corpus") },
	{ "linux.devices.path", RULE(DEVICE, DEVICE("")) },
	{ "linux.devices.type", RULE(DEVICE, DEVICE("")) },
	{ "linux.devices.major", RULE(DEVICE, DEVICE("")) },
	{ "linux.devices.minor", RULE(DEVICE, DEVICE("")) },
	{ "linux.devices.fileMode", NONE("of nodes that rule device lets in") },
	{ "linux.devices.uid", NONE("the same") },
	{ "linux.devices.gid", NONE("the same") },
	{ "linux.netDevices.name",
	  RULE(DEVICE, .linux_ = ",'netDevices':{'eth0':{'name':'a'}}", .namespaces = ",{'type':'network'}") },
	{ "linux.seccomp.defaultAction", RULE(SECCOMP, ALLOWS_ALL("")) },
	{ "linux.seccomp.defaultErrnoRet", NONE("what its own program is told") },
	{ "linux.seccomp.architectures", RULE(SECCOMP, ALLOWS_ALL(",'architectures':['SCMP_ARCH_X32']")) },
	{ "linux.seccomp.flags", RULE(SECCOMP, ALLOWS_ALL(",'flags':['SECCOMP_FILTER_FLAG_SPEC_ALLOW']")) },
	{ "linux.seccomp.listenerPath",
	  RULE(MOUNT_SOURCE,
	       ALLOWS_ALL(",'listenerPath':'/run/a','syscalls':[{'names':['bpf'],'action':'SCMP_ACT_NOTIFY'}]")) },
	{ "linux.seccomp.listenerMetadata", NONE("for a listener that rule mount-source lets in") },
	{ "linux.seccomp.syscalls.names", RULE(SECCOMP, ALLOWS_ONE) },
	{ "linux.seccomp.syscalls.action", RULE(SECCOMP, ALLOWS_ONE) },
	{ "linux.seccomp.syscalls.errnoRet", NONE("what its own program is told") },
	{ "linux.seccomp.syscalls.args.index", NONE("narrows a rule") },
	{ "linux.seccomp.syscalls.args.value", NONE("the same") },
	{ "linux.seccomp.syscalls.args.valueTwo", NONE("the same") },
	{ "linux.seccomp.syscalls.args.op", NONE("the same") },
	{ "linux.rootfsPropagation", RULE(MOUNT_PROPAGATION, .linux_ = ",'rootfsPropagation':'shared'") },
	{ "linux.maskedPaths", RULE(MASKED_PATH, .linux_ = ",'maskedPaths':[]") },
	{ "linux.readonlyPaths", RULE(MASKED_PATH, .linux_ = ",'readonlyPaths':[]") },
	{ "linux.mountLabel", NONE(OF_THE_HOSTS_SELINUX) },
	{ "linux.intelRdt.closID", NOBODY(RESCTRL) },
	{ "linux.intelRdt.schemata", NOBODY(RESCTRL) },
	{ "linux.intelRdt.l3CacheSchema", NOBODY(RESCTRL) },
	{ "linux.intelRdt.memBwSchema", NOBODY(RESCTRL) },
	{ "linux.intelRdt.enableCMT", NOBODY(RESCTRL) },
	{ "linux.intelRdt.enableMBM", NOBODY(RESCTRL) },
	{ "linux.intelRdt.enableMonitoring", NOBODY(RESCTRL) },
	{ "linux.memoryPolicy.mode", NONE("where its own memory lies, of the nodes of its group") },
	{ "linux.memoryPolicy.nodes", NONE("the same") },
	{ "linux.memoryPolicy.flags", NONE("the same") },
	{ "linux.personality.domain", NONE("its own programs', of two that the table of names has") },
	{ "linux.personality.flags", NONE("none is defined, and any is an error: tests/unit/spec") },
	{ "linux.timeOffsets.secs", NONE("of a time namespace of its own") },
	{ "linux.timeOffsets.nanosecs", NONE("of a time namespace of its own") },
};

/* ---- each field has a line, and each line a field ---- */

struct walk {
	bool seen[ARRAY_SIZE(fields)];
	size_t n_leaves;
};

static void visit_leaf(struct walk *walk, const char *path)
{
	size_t n = 0;

	walk->n_leaves++;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcmp(fields[i].path, path) != 0)
			continue;
		walk->seen[i] = true;
		n++;
	}
	cr_expect_eq(n, 1, "%s: %zu lines here say what bounds it under the floor, and one is to", path, n);
}

static const struct json_type *content_of(const struct json_type *type)
{
	while (type->kind == JSON_ARRAY || type->kind == JSON_MAP || type->kind == JSON_POINTER)
		type = type->element;
	return type;
}

static void visit(struct walk *walk, const struct json_type *object, const char *above)
{
	for (const struct json_field *field = object->fields; field->name; field++) {
		const struct json_type *type = content_of(field->type);
		char path[PATH_LENGTH];

		if (type->kind == JSON_IGNORED)
			continue;
		cr_assert_lt(snprintf(path, sizeof(path), "%s%s%s", above, *above ? "." : "", field->name),
			     (int)sizeof(path));
		if (type->kind == JSON_OBJECT)
			visit(walk, type, path);
		else
			visit_leaf(walk, path);
	}
}

Test(plan_fields, each_field_of_config_json_is_bounded_or_said_to_need_no_bound)
{
	struct walk walk = { 0 };

	visit(&walk, &spec_type, "");
	cr_expect_eq(walk.n_leaves, ARRAY_SIZE(fields));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		cr_expect(walk.seen[i], "%s: config.json has no such field", fields[i].path);
		cr_expect(fields[i].why || fields[i].rule != POLICY_N_RULES, "%s", fields[i].path);
	}
}

/* ---- the rules hold ---- */

static const char strict[] = "{\"set\":\"strict\",\"hook_directories\":[\"/opt/hook\"],\"resources\":"
			     "{\"pids\":{\"most\":1000},\"memory\":{\"most\":\"10m\"},\"cpu\":{\"most\":\"2\"}}}";

static void build(struct plan_fixture *fixture, const struct field *field, struct policy *policy, enum policy_level level)
{
	cr_assert_eq(policy_parse(strict, strlen(strict), policy, &fixture->err), 0, "%s", fixture->err.message);
	for (size_t rule = POLICY_FLOOR_FIRST; rule < POLICY_N_RULES; rule++)
		policy->levels[rule] = POLICY_OFF;
	policy->levels[field->rule] = level;
	if (field->prepare)
		field->prepare(fixture);
	fixture->request.policy = policy;
	plan_fixture_build(fixture, &field->json);
}

static bool is_abuse(const struct field *field)
{
	const struct plan_fixture_json *json = &field->json;

	return json->top || json->process || json->linux_ || json->namespaces || json->mounts;
}

/* Refused by it, or changed and reported. */
static bool is_held(const struct plan_fixture *fixture, const char *rule)
{
	char words[64];

	if (fixture->rc == 0)
		return plan_fixture_has_line(fixture, rule);
	snprintf(words, sizeof(words), "rule %s of policy", rule);
	return fixture->rc == -EPERM && strstr(fixture->err.message, words);
}

Test(plan_fields, what_is_abused_meets_its_rule_and_passes_without)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		AUTO(policy_done) struct policy with = { 0 };
		AUTO(policy_done) struct policy without = { 0 };
		const struct field *field = &fields[i];
		PLAN_FIXTURE(held);
		PLAN_FIXTURE(passed);

		if (field->rule == POLICY_N_RULES || !is_abuse(field))
			continue;
		build(&held, field, &with, POLICY_ADJUST);
		/* What this version can't do nobody has. */
		if (held.rc == -EOPNOTSUPP)
			continue;
		cr_expect(is_held(&held, policy_rule_name(field->rule)), "%s: rule %s does not see it: %d %s",
			  field->path, policy_rule_name(field->rule), held.rc, held.err.message);
		build(&passed, field, &without, POLICY_OFF);
		cr_assert_eq(passed.rc, 0, "%s: %s", field->path, passed.err.message);
		cr_expect_not(plan_fixture_has_line(&passed, policy_rule_name(field->rule)), "%s", field->path);
	}
}

Test(plan_fields, what_nobody_may_have_is_refused_by_every_policy)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		PLAN_FIXTURE(fixture);

		if (fields[i].rule != POLICY_N_RULES || !is_abuse(&fields[i]))
			continue;
		plan_fixture_build(&fixture, &fields[i].json);
		cr_expect_lt(fixture.rc, 0, "%s", fields[i].path);
	}
}
