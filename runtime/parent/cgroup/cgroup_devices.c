#include "parent/cgroup/cgroup_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "parent/cgroup/cgroup_bpf.h"

#define PROGRAM_NAME "brig_devices"

static int load(const struct bpf_insn *insns, size_t n)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)insns,
		.insn_cnt = (uint32_t)n,
		.license = (uintptr_t) "Apache-2.0",
		.prog_name = PROGRAM_NAME,
	};

	return cgroup_bpf_call(BPF_PROG_LOAD, &attr);
}

/* In a user namespace nobody can load such programs; nobody can make device nodes there either, nor open those on a file
 * system that the namespace mounted, so the rules' purpose is served. */
static bool in_user_namespace(void)
{
	static const char initial[] = "         0          0 4294967295";
	char map[64];

	return fd_read_file_at(AT_FDCWD, "/proc/self/uid_map", map, sizeof(map)) >= 0 && strcmp(map, initial) != 0;
}

static int refused(int r, const char *what, struct error *err)
{
	if (r == -EPERM && (geteuid() != 0 || in_user_namespace())) {
		log_warning("linux.resources.devices is not enforced: it needs CAP_BPF in the host's user namespace; "
			    "no device nodes can be made here");
		return 0;
	}
	return error_set(err, r == -EINVAL || r == -ENOSYS ? ERROR_UNSUPPORTED : ERROR_SYSTEM, -r,
			 "linux.resources.devices: %s: %s; the kernel needs CONFIG_CGROUP_BPF, and brig CAP_BPF and "
			 "CAP_NET_ADMIN or CAP_SYS_ADMIN",
			 what, strerrordesc_np(-r) ?: "unknown error");
}

static int install(int cgroup_fd, const struct cgroup_device_program *program, bool fresh, struct error *err)
{
	AUTO_CLOSE int program_fd = load(program->insns, program->n), old_fd = -EBADF;
	int r;

	if (program_fd < 0)
		return refused(program_fd, "load the device program", err);
	if (!fresh)
		old_fd = cgroup_bpf_find(cgroup_fd, BPF_CGROUP_DEVICE, PROGRAM_NAME);
	r = cgroup_bpf_attach(cgroup_fd, BPF_CGROUP_DEVICE, program_fd, old_fd);
	return r < 0 ? refused(r, "attach the device program", err) : 0;
}

int cgroup_devices_install(int cgroup_fd, const struct plan_device_rule *rules, size_t n_rules, bool fresh,
			   struct error *err)
{
	AUTO(arena_free) struct arena *arena = NULL;
	AUTO_CLOSE int old_fd = -EBADF;
	struct cgroup_device_program program;
	int r;

	if (cgroup_devices_program_allows_all(rules, n_rules)) {
		if (!fresh && n_rules > 0 && (old_fd = cgroup_bpf_find(cgroup_fd, BPF_CGROUP_DEVICE, PROGRAM_NAME)) >= 0) {
			r = cgroup_bpf_detach(cgroup_fd, BPF_CGROUP_DEVICE, old_fd);
			return r < 0 ? refused(r, "detach the device program", err) : 0;
		}
		return 0;
	}
	arena = arena_new(/* limit= */ 1024 * 1024);
	if (!arena)
		return error_memory(err);
	r = cgroup_devices_program(rules, n_rules, arena, &program, err);
	return r < 0 ? r : install(cgroup_fd, &program, fresh, err);
}
