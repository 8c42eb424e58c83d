/* A document with every field of OCI 1.3: each one arrives where spec.h says. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "spec/spec.h"

static struct spec *sample;

static void load_sample(void)
{
	AUTO_CLOSE int fd = open(TEST_SOURCE_DIR "/tests/unit/spec/data/complete", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct error err = { 0 };

	cr_assert_geq(fd, 0);
	cr_assert_eq(spec_load(fd, "config.json", &sample, NULL, &err), 0, "%s", err.message);
}

static void drop_sample(void)
{
	spec_free(sample);
	sample = NULL;
}

TestSuite(spec, .init = load_sample, .fini = drop_sample);

static const struct spec *complete(void)
{
	return sample;
}

static void expect_map(const struct spec_id_mapping *range, uint32_t container_id, uint32_t host_id, uint32_t size)
{
	cr_expect_eq(range->container_id, container_id);
	cr_expect_eq(range->host_id, host_id);
	cr_expect_eq(range->size, size);
}

Test(spec, root_and_names)
{
	const struct spec *spec = complete();

	cr_expect_str_eq(spec->oci_version, "1.3.0");
	cr_expect_str_eq(spec->root.path, "rootfs");
	cr_expect(spec->root.readonly);
	cr_expect_str_eq(spec->hostname, "web-1");
	cr_expect_str_eq(spec->domainname, "example.org");
	cr_assert_eq(spec->n_annotations, 2);
	cr_expect_str_eq(spec->annotations[0].name, "org.example.key");
	cr_expect_str_eq(spec->annotations[0].value, "value");
	cr_expect_str_eq(spec->annotations[1].value, "");
}

Test(spec, process)
{
	const struct spec_process *process = complete()->process;

	cr_assert_not_null(process);
	cr_expect(process->terminal);
	cr_expect_eq(process->console_size->height, 25);
	cr_expect_eq(process->console_size->width, 80);
	cr_expect_eq(process->user.uid, 1000);
	cr_expect_eq(process->user.gid, 1001);
	cr_expect(process->user.umask.set && process->user.umask.value == 077);
	cr_assert_eq(process->user.n_additional_gids, 2);
	cr_expect_eq(process->user.additional_gids[1], 4294967294);
	cr_assert_eq(process->n_args, 4);
	cr_expect_str_eq(process->args[2], "echo \"hello\"");
	cr_expect_str_eq(process->args[3], "");
	cr_assert_eq(process->n_env, 4);
	cr_expect_str_eq(process->env[1], "EMPTY=");
	cr_expect_str_eq(process->cwd, "/srv/app");
	cr_expect(process->no_new_privileges);
	cr_expect_str_eq(process->apparmor_profile, "brig-default");
	cr_expect_str_eq(process->selinux_label, "system_u:system_r:container_t:s0:c1,c2");
	cr_expect(process->oom_score_adj.set && process->oom_score_adj.value == -500);
	cr_expect_str_eq(process->exec_cpu_affinity->initial, "0-3");
	cr_expect_str_eq(process->exec_cpu_affinity->final, "1,2");
}

Test(spec, process_capabilities_and_limits)
{
	const struct spec_process *process = complete()->process;
	const struct spec_capabilities *capabilities = process->capabilities;

	cr_assert_eq(capabilities->n_bounding, 2);
	cr_expect_str_eq(capabilities->bounding[1], "CAP_FLY", "unknown ones are for the plan to report");
	cr_assert_eq(capabilities->n_effective, 1);
	cr_expect_str_eq(capabilities->effective[0], "CAP_KILL");
	cr_expect_eq(capabilities->n_inheritable, 0);
	cr_assert_eq(capabilities->n_permitted, 2);
	cr_expect_str_eq(capabilities->permitted[1], "CAP_CHOWN");
	cr_assert_eq(capabilities->n_ambient, 1);
	cr_expect_str_eq(capabilities->ambient[0], "CAP_CHOWN");
	cr_assert_eq(process->n_rlimits, 2);
	cr_expect_eq(process->rlimits[0].type, RLIMIT_NOFILE);
	cr_expect_eq(process->rlimits[0].hard, 4096);
	cr_expect_eq(process->rlimits[0].soft, 1024);
	cr_expect_eq(process->rlimits[1].type, RLIMIT_CORE);
	cr_expect_eq(process->rlimits[1].hard, UINT64_MAX);
}

Test(spec, process_scheduling)
{
	const struct spec_process *process = complete()->process;
	const struct spec_scheduler *scheduler = process->scheduler;

	cr_expect_eq(scheduler->policy, SCHED_DEADLINE);
	cr_expect_eq(scheduler->nice, -5);
	cr_expect_eq(scheduler->priority, 7);
	cr_expect_eq(scheduler->flags, SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_RECLAIM);
	cr_expect_eq(scheduler->runtime, 10000000);
	cr_expect_eq(scheduler->deadline, 20000000);
	cr_expect_eq(scheduler->period, 30000000);
	cr_expect_eq(process->io_priority->class, IOPRIO_CLASS_BE);
	cr_expect_eq(process->io_priority->priority, 4);
}

Test(spec, mounts)
{
	const struct spec *spec = complete();

	cr_assert_eq(spec->n_mounts, 2);
	cr_expect_str_eq(spec->mounts[0].destination, "/proc");
	cr_expect_str_eq(spec->mounts[0].type, "proc");
	cr_expect_str_eq(spec->mounts[0].source, "proc");
	cr_assert_eq(spec->mounts[0].n_options, 2);
	cr_expect_str_eq(spec->mounts[0].options[1], "noexec");
	cr_expect_str_eq(spec->mounts[1].destination, "data");
	cr_assert_eq(spec->mounts[1].n_uid_mappings, 1);
	cr_assert_eq(spec->mounts[1].n_gid_mappings, 1);
	expect_map(&spec->mounts[1].uid_mappings[0], 0, 100000, 65536);
	expect_map(&spec->mounts[1].gid_mappings[0], 0, 200000, 65536);
}

Test(spec, hooks)
{
	const struct spec_hooks *hooks = &complete()->hooks;

	cr_assert_eq(hooks->n_prestart, 1);
	cr_expect_str_eq(hooks->prestart[0].path, "/hooks/prestart");
	cr_expect_str_eq(hooks->prestart[0].args[1], "x");
	cr_expect_str_eq(hooks->prestart[0].env[0], "A=1");
	cr_expect(hooks->prestart[0].timeout.set && hooks->prestart[0].timeout.value == 3);
	cr_assert_eq(hooks->n_create_runtime, 1);
	cr_expect_str_eq(hooks->create_runtime[0].path, "/hooks/create-runtime");
	cr_expect_not(hooks->create_runtime[0].timeout.set);
	cr_assert_eq(hooks->n_create_container, 1);
	cr_expect_str_eq(hooks->create_container[0].path, "/hooks/create-container");
	cr_assert_eq(hooks->n_start_container, 1);
	cr_expect_str_eq(hooks->start_container[0].path, "/hooks/start-container");
	cr_assert_eq(hooks->n_poststart, 2);
	cr_expect_str_eq(hooks->poststart[1].path, "/hooks/poststart-2");
	cr_assert_eq(hooks->n_poststop, 1);
	cr_expect_str_eq(hooks->poststop[0].path, "/hooks/poststop");
}

Test(spec, namespaces_and_ids)
{
	const struct spec_linux *l = &complete()->linux_;

	cr_assert_eq(l->n_namespaces, 8);
	cr_expect_eq(l->namespaces[0].type, CLONE_NEWPID);
	cr_expect_null(l->namespaces[0].path);
	cr_expect_eq(l->namespaces[1].type, CLONE_NEWNET);
	cr_expect_str_eq(l->namespaces[1].path, "/var/run/netns/web");
	cr_expect_null(l->namespaces[4].path, "an empty path is none");
	cr_expect_eq(l->namespaces[7].type, CLONE_NEWTIME);
	cr_assert_eq(l->n_uid_mappings, 2);
	expect_map(&l->uid_mappings[1], 1, 100000, 65535);
	cr_assert_eq(l->n_gid_mappings, 1);
	expect_map(&l->gid_mappings[0], 0, 2000, 10);
	cr_assert_eq(l->n_time_offsets, 2);
	cr_expect_str_eq(l->time_offsets[0].clock, "monotonic");
	cr_expect_eq(l->time_offsets[0].secs, -172800);
	cr_expect_eq(l->time_offsets[0].nanosecs, 999999999);
	cr_expect_str_eq(l->time_offsets[1].clock, "boottime");
	cr_expect_eq(l->time_offsets[1].secs, 604800);
}

Test(spec, devices_and_paths)
{
	const struct spec_linux *l = &complete()->linux_;

	cr_assert_eq(l->n_devices, 3);
	cr_expect_str_eq(l->devices[0].path, "/dev/fuse");
	cr_expect_eq(l->devices[0].type, 'c');
	cr_expect(l->devices[0].major.set && l->devices[0].major.value == 10);
	cr_expect(l->devices[0].minor.set && l->devices[0].minor.value == 229);
	cr_expect(l->devices[0].file_mode.set && l->devices[0].file_mode.value == 0666);
	cr_expect(l->devices[0].uid.set && l->devices[0].uid.value == 1);
	cr_expect(l->devices[0].gid.set && l->devices[0].gid.value == 2);
	cr_expect_eq(l->devices[1].type, 'p');
	cr_expect_not(l->devices[1].major.set);
	cr_expect_eq(l->devices[2].type, 'b');
	cr_assert_eq(l->n_net_devices, 2);
	cr_expect_str_eq(l->net_devices[0].host_name, "eth1");
	cr_expect_str_eq(l->net_devices[0].name, "inner0");
	cr_expect_null(l->net_devices[1].name);
	cr_assert_eq(l->n_masked_paths, 2);
	cr_expect_str_eq(l->masked_paths[1], "/sys/firmware");
	cr_assert_eq(l->n_readonly_paths, 1);
	cr_expect_str_eq(l->readonly_paths[0], "/proc/sys");
}

Test(spec, rest_of_linux)
{
	const struct spec_linux *l = &complete()->linux_;

	cr_assert_eq(l->n_sysctl, 2);
	cr_expect_str_eq(l->sysctl[0].name, "net.ipv4.ip_forward");
	cr_expect_str_eq(l->sysctl[1].value, "4096\t131072 6291456");
	cr_expect_str_eq(l->cgroups_path, "system.slice:brig:web-1");
	cr_expect_eq(l->rootfs_propagation, MS_SLAVE | MS_REC);
	cr_expect_str_eq(l->mount_label, "system_u:object_r:container_file_t:s0");
	cr_expect_eq(l->personality->domain, 8);
	cr_expect_eq(l->personality->n_flags, 0);
	cr_expect_eq(l->memory_policy->mode, 6);
	cr_expect_str_eq(l->memory_policy->nodes, "0-1");
	cr_expect_eq(l->memory_policy->flags, MPOL_F_STATIC_NODES | MPOL_F_NUMA_BALANCING);
	cr_expect_str_eq(l->intel_rdt->clos_id, "group");
	cr_assert_eq(l->intel_rdt->n_schemata, 2);
	cr_expect_str_eq(l->intel_rdt->schemata[1], "MB:0=20");
	cr_expect_str_eq(l->intel_rdt->l3_cache_schema, "L3:0=7f0;1=1f");
	cr_expect_str_eq(l->intel_rdt->mem_bw_schema, "MB:0=20;1=70");
	cr_expect(l->intel_rdt->enable_cmt && l->intel_rdt->enable_mbm && l->intel_rdt->enable_monitoring);
}

Test(spec, seccomp)
{
	const struct spec_seccomp *seccomp = complete()->linux_.seccomp;
	const struct spec_seccomp_rule *rule;

	cr_assert_not_null(seccomp);
	cr_expect_eq(seccomp->default_action, SECCOMP_RET_ERRNO);
	cr_expect(seccomp->default_errno_ret.set && seccomp->default_errno_ret.value == 38);
	cr_assert_eq(seccomp->n_architectures, 2);
	cr_expect_eq(seccomp->architectures[0], AUDIT_ARCH_X86_64);
	cr_expect_eq(seccomp->architectures[1], NAMES_ARCH_X32);
	cr_expect(seccomp->flags.set);
	cr_expect_eq(seccomp->flags.value, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	cr_expect_str_eq(seccomp->listener_path, "/run/listener.sock");
	cr_expect_str_eq(seccomp->listener_metadata, "meta");
	cr_assert_eq(seccomp->n_syscalls, 3);
	cr_expect_str_eq(seccomp->syscalls[0].names[1], "write");
	cr_expect_eq(seccomp->syscalls[0].action, SECCOMP_RET_ALLOW);
	cr_expect_not(seccomp->syscalls[0].errno_ret.set);
	rule = &seccomp->syscalls[1];
	cr_expect(rule->errno_ret.set && rule->errno_ret.value == 1);
	cr_assert_eq(rule->n_args, 1);
	cr_expect_eq(rule->args[0].index, 5);
	cr_expect_eq(rule->args[0].value, UINT64_MAX);
	cr_expect_eq(rule->args[0].value_two, 8);
	cr_expect_eq(rule->args[0].op, SECCOMP_OPERATOR_MASKED_EQ);
	cr_expect_eq(seccomp->syscalls[2].action, SECCOMP_RET_USER_NOTIF);
}

Test(spec, resources_memory_and_cpu)
{
	const struct spec_resources *resources = &complete()->linux_.resources;
	const struct spec_memory *memory = &resources->memory;
	const struct spec_cpu *cpu = &resources->cpu;

	cr_expect(memory->limit.set && memory->limit.value == 536870912);
	cr_expect(memory->reservation.set && memory->reservation.value == 268435456);
	cr_expect(memory->swap.set && memory->swap.value == -1);
	cr_expect(memory->kernel.set && memory->kernel.value == 1);
	cr_expect(memory->kernel_tcp.set && memory->kernel_tcp.value == 2);
	cr_expect(memory->swappiness.set && memory->swappiness.value == 60);
	cr_expect(memory->disable_oom_killer.set && !memory->disable_oom_killer.value);
	cr_expect(memory->use_hierarchy.set && memory->use_hierarchy.value);
	cr_expect(memory->check_before_update.set && memory->check_before_update.value);
	cr_expect(cpu->shares.set && cpu->shares.value == 1024);
	cr_expect(cpu->quota.set && cpu->quota.value == 50000);
	cr_expect(cpu->burst.set && cpu->burst.value == 1000);
	cr_expect(cpu->period.set && cpu->period.value == 100000);
	cr_expect(cpu->realtime_runtime.set && cpu->realtime_runtime.value == 950000);
	cr_expect(cpu->realtime_period.set && cpu->realtime_period.value == 1000000);
	cr_expect_str_eq(cpu->cpus, "2-3");
	cr_expect_str_eq(cpu->mems, "0-7");
	cr_expect(cpu->idle.set && cpu->idle.value == 1);
	cr_expect(resources->pids_limit.set && resources->pids_limit.value == 32771);
}

static void expect_throttle(const struct spec_throttle_device *device, size_t n, int64_t minor, uint64_t rate)
{
	cr_assert_eq(n, 1);
	cr_expect_eq(device->major, 8);
	cr_expect_eq(device->minor, minor);
	cr_expect_eq(device->rate, rate);
}

Test(spec, resources_devices_and_io)
{
	const struct spec_resources *resources = &complete()->linux_.resources;
	const struct spec_device_rule *rules = resources->devices;
	const struct spec_block_io *io = &resources->block_io;

	cr_assert_eq(resources->n_devices, 3);
	cr_expect(!rules[0].allow && rules[0].type == 0 && !rules[0].major.set && !rules[0].minor.set);
	cr_expect_str_eq(rules[0].access, "rwm");
	cr_expect(rules[1].allow && rules[1].type == 'c' && rules[1].major.value == 10 && rules[1].minor.value == 229);
	cr_expect(rules[2].type == 'b' && rules[2].major.set && rules[2].major.value == -1);
	cr_expect_null(rules[2].access);
	cr_expect(io->weight.set && io->weight.value == 10);
	cr_expect(io->leaf_weight.set && io->leaf_weight.value == 20);
	cr_assert_eq(io->n_weight_device, 1);
	cr_expect_eq(io->weight_device[0].major, 8);
	cr_expect_eq(io->weight_device[0].minor, 0);
	cr_expect_eq(io->weight_device[0].weight.value, 500);
	cr_expect_eq(io->weight_device[0].leaf_weight.value, 300);
	expect_throttle(io->throttle_read_bps_device, io->n_throttle_read_bps_device, 1, 600);
	expect_throttle(io->throttle_write_bps_device, io->n_throttle_write_bps_device, 2, 601);
	expect_throttle(io->throttle_read_iops_device, io->n_throttle_read_iops_device, 3, 602);
	expect_throttle(io->throttle_write_iops_device, io->n_throttle_write_iops_device, 4, UINT64_MAX);
}

Test(spec, resources_others)
{
	const struct spec_resources *resources = &complete()->linux_.resources;

	cr_assert_eq(resources->n_hugepage_limits, 2);
	cr_expect_str_eq(resources->hugepage_limits[0].page_size, "2MB");
	cr_expect_eq(resources->hugepage_limits[0].limit, 209715200);
	cr_expect(resources->network.class_id.set && resources->network.class_id.value == 1048577);
	cr_assert_eq(resources->network.n_priorities, 1);
	cr_expect_str_eq(resources->network.priorities[0].name, "eth0");
	cr_expect_eq(resources->network.priorities[0].priority, 500);
	cr_assert_eq(resources->n_rdma, 2);
	cr_expect_str_eq(resources->rdma[0].device, "mlx5_1");
	cr_expect(resources->rdma[0].hca_handles.set && resources->rdma[0].hca_handles.value == 3);
	cr_expect_eq(resources->rdma[0].hca_objects.value, 10000);
	cr_expect_not(resources->rdma[1].hca_handles.set);
	cr_assert_eq(resources->n_unified, 2);
	cr_expect_str_eq(resources->unified[0].name, "memory.high");
	cr_expect_str_eq(resources->unified[0].value, "max");
}

Test(spec, smallest_document)
{
	static const char text[] =
		"{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"rootfs\"}, \"linux\": null, \"process\": null}";
	AUTO(spec_free) struct spec *spec = NULL;
	struct error err = { 0 };

	cr_assert_eq(spec_parse(text, strlen(text), &spec, &err), 0, "%s", err.message);
	cr_expect_null(spec->process);
	cr_expect_null(spec->linux_.seccomp);
	cr_expect_null(spec->linux_.personality);
	cr_expect_not(spec->linux_.resources.memory.limit.set);
	cr_expect_eq(spec->linux_.rootfs_propagation, 0);
}

Test(spec, process_by_itself)
{
	static const char text[] = "{\"user\": {\"uid\": 5, \"gid\": 6}, \"args\": [\"id\"], \"cwd\": \"/\"}";
	static const char bad[] = "{\"args\": [], \"cwd\": \"/\"}";
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct spec_process process = { 0 };
	struct error err = { 0 };

	cr_assert_eq(spec_parse_process(text, strlen(text), arena, &process, &err), 0, "%s", err.message);
	cr_expect_eq(process.user.uid, 5);
	cr_expect_eq(spec_parse_process(bad, strlen(bad), arena, &process, &err), -EINVAL);
	cr_expect_str_eq(err.message, "args: at least one is required: the program");
	cr_expect_eq(process.user.uid, 5, "a failed parse must not touch its output");
}

Test(spec, resources_by_themselves)
{
	static const char text[] = "{\"memory\": {\"limit\": 1048576}, \"pids\": {}}";
	static const char bad[] = "{\"cpu\": {\"period\": 5}}";
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct spec_resources resources = { 0 };
	struct error err = { 0 };

	cr_assert_eq(spec_parse_resources(text, strlen(text), arena, &resources, &err), 0, "%s", err.message);
	cr_expect_eq(resources.memory.limit.value, 1048576);
	cr_expect_not(resources.pids_limit.set);
	cr_expect_eq(spec_parse_resources(bad, strlen(bad), arena, &resources, &err), -EINVAL);
	cr_expect_str_eq(err.message, "cpu.period: 5 is out of range; allowed: 1000 to 1000000 microseconds");
}

/* A bundle of our own below /tmp, with whatever is made in it as config.json. */
static int make_bundle(char path[32])
{
	strcpy(path, "/tmp/brig-test-spec.XXXXXX");
	cr_assert_not_null(mkdtemp(path));
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void drop_bundle(const char *path, int fd)
{
	unlinkat(fd, "config.json", 0);
	unlinkat(fd, "config.json", AT_REMOVEDIR);
	close(fd);
	rmdir(path);
}

Test(spec, load_takes_a_regular_file_only)
{
	struct spec *spec = NULL;
	struct error err = { 0 };
	char path[32];
	int fd = make_bundle(path);

	cr_expect_eq(spec_load(fd, "config.json", &spec, NULL, &err), -ENOENT);
	cr_expect_not_null(strstr(err.message, "config.json"), "got: %s", err.message);
	cr_assert_eq(mkfifoat(fd, "config.json", 0600), 0);
	cr_expect_lt(spec_load(fd, "config.json", &spec, NULL, &err), 0, "a FIFO was taken");
	unlinkat(fd, "config.json", 0);
	cr_assert_eq(symlinkat("/etc/passwd", fd, "config.json"), 0);
	cr_expect_lt(spec_load(fd, "config.json", &spec, NULL, &err), 0, "a link was followed");
	unlinkat(fd, "config.json", 0);
	cr_assert_eq(mkdirat(fd, "config.json", 0700), 0);
	cr_expect_lt(spec_load(fd, "config.json", &spec, NULL, &err), 0, "a directory was taken");
	cr_expect_null(spec);
	drop_bundle(path, fd);
}

Test(spec, load_caps_the_size_before_it_reads)
{
	struct spec *spec = NULL;
	struct error err = { 0 };
	char path[32];
	int fd = make_bundle(path);
	AUTO_CLOSE int file = openat(fd, "config.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_eq(ftruncate(file, (off_t)SPEC_BYTES_MAX + 1), 0);
	cr_expect_lt(spec_load(fd, "config.json", &spec, NULL, &err), 0);
	cr_expect_not_null(strstr(err.message, "config.json"), "got: %s", err.message);
	cr_assert_eq(ftruncate(file, 0), 0);
	cr_expect_eq(spec_load(fd, "config.json", &spec, NULL, &err), -EINVAL);
	cr_expect_str_eq(err.message, "config.json: line 1, column 1: no valid JSON: parse error: premature EOF");
	drop_bundle(path, fd);
}

Test(spec, load_gives_the_text)
{
	static const char text[] = "{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"rootfs\"}}";
	AUTO(spec_free) struct spec *spec = NULL;
	struct buffer read = { 0 };
	struct error err = { 0 };
	char path[32];
	int fd = make_bundle(path);
	AUTO_CLOSE int file = openat(fd, "config.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(spec_load(fd, "config.json", &spec, &read, &err), 0, "%s", err.message);
	cr_expect_str_eq(read.data, text);
	buffer_done(&read);
	drop_bundle(path, fd);
}
