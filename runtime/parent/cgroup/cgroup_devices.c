#include "parent/cgroup/cgroup_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"

#define PROGRAM_NAME "brig_devices" /* how we know ours from systemd's and others' */
#define PROGRAMS_MAX 64		    /* the kernel's own limit for one group and kind */

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static int load(const struct bpf_insn *insns, size_t n)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)insns,
		.insn_cnt = (uint32_t)n,
		.license = (uintptr_t) "Apache-2.0",
		.prog_name = PROGRAM_NAME,
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

static bool is_ours(int program_fd)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr = {
		.info = { .bpf_fd = (uint32_t)program_fd, .info_len = sizeof(info), .info = (uintptr_t)&info }
	};

	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0 && strcmp(info.name, PROGRAM_NAME) == 0;
}

/* A descriptor of the program that an earlier call attached, or -ENOENT. */
static int find_ours(int cgroup_fd)
{
	uint32_t ids[PROGRAMS_MAX];
	union bpf_attr attr = { .query = { .target_fd = (uint32_t)cgroup_fd,
					   .attach_type = BPF_CGROUP_DEVICE,
					   .prog_ids = (uintptr_t)ids,
					   .prog_cnt = PROGRAMS_MAX } };
	int r = bpf(BPF_PROG_QUERY, &attr);

	for (uint32_t i = 0; r == 0 && i < attr.query.prog_cnt; i++) {
		union bpf_attr get = { .prog_id = ids[i] };
		int fd = bpf(BPF_PROG_GET_FD_BY_ID, &get);

		if (fd >= 0 && is_ours(fd))
			return fd;
		close_and_reset(&fd);
	}
	return r < 0 ? r : -ENOENT;
}

static int attach(int cgroup_fd, int program_fd, int replaced_fd)
{
	/* ALLOW_MULTI: a group below, delegated to the container, can add programs but not get rid of this one. */
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup_fd,
		.attach_bpf_fd = (uint32_t)program_fd,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI | (replaced_fd >= 0 ? BPF_F_REPLACE : 0),
		.replace_bpf_fd = replaced_fd >= 0 ? (uint32_t)replaced_fd : 0,
	};

	return bpf(BPF_PROG_ATTACH, &attr);
}

static int detach(int cgroup_fd, int program_fd)
{
	union bpf_attr attr = { .target_fd = (uint32_t)cgroup_fd,
				.attach_bpf_fd = (uint32_t)program_fd,
				.attach_type = BPF_CGROUP_DEVICE };

	return bpf(BPF_PROG_DETACH, &attr);
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
		old_fd = find_ours(cgroup_fd);
	r = attach(cgroup_fd, program_fd, old_fd);
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
		if (!fresh && n_rules > 0 && (old_fd = find_ours(cgroup_fd)) >= 0) {
			r = detach(cgroup_fd, old_fd);
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
