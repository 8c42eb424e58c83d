#include "parent/cgroup/cgroup_bpf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PROGRAMS_MAX 64 /* the kernel's own limit for one group and kind */

int cgroup_bpf_call(enum bpf_cmd command, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static bool has_name(int program_fd, const char *name)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr = {
		.info = { .bpf_fd = (uint32_t)program_fd, .info_len = sizeof(info), .info = (uintptr_t)&info }
	};

	return cgroup_bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0 && strcmp(info.name, name) == 0;
}

int cgroup_bpf_find(int cgroup_fd, enum bpf_attach_type type, const char *name)
{
	uint32_t ids[PROGRAMS_MAX];
	union bpf_attr attr = { .query = { .target_fd = (uint32_t)cgroup_fd,
					   .attach_type = type,
					   .prog_ids = (uintptr_t)ids,
					   .prog_cnt = PROGRAMS_MAX } };
	int r = cgroup_bpf_call(BPF_PROG_QUERY, &attr);

	for (uint32_t i = 0; r == 0 && i < attr.query.prog_cnt; i++) {
		union bpf_attr get = { .prog_id = ids[i] };
		int fd = cgroup_bpf_call(BPF_PROG_GET_FD_BY_ID, &get);

		if (fd >= 0 && has_name(fd, name))
			return fd;
		close_and_reset(&fd);
	}
	return r < 0 ? r : -ENOENT;
}

int cgroup_bpf_attach(int cgroup_fd, enum bpf_attach_type type, int program_fd, int replaced_fd)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup_fd,
		.attach_bpf_fd = (uint32_t)program_fd,
		.attach_type = type,
		.attach_flags = BPF_F_ALLOW_MULTI | (replaced_fd >= 0 ? BPF_F_REPLACE : 0),
		.replace_bpf_fd = replaced_fd >= 0 ? (uint32_t)replaced_fd : 0,
	};

	return cgroup_bpf_call(BPF_PROG_ATTACH, &attr);
}

int cgroup_bpf_detach(int cgroup_fd, enum bpf_attach_type type, int program_fd)
{
	union bpf_attr attr = { .target_fd = (uint32_t)cgroup_fd,
				.attach_bpf_fd = (uint32_t)program_fd,
				.attach_type = type };

	return cgroup_bpf_call(BPF_PROG_DETACH, &attr);
}
