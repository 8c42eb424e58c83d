/* `bpf_programs FOLDER`: the numbers of the egress programs that are attached to a group of cgroup v2. `bpf_programs -gone NUMBER...`: succeeds
 * where the kernel has none of them any more. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const enum bpf_attach_type kinds[] = { BPF_CGROUP_INET4_CONNECT,	  BPF_CGROUP_INET6_CONNECT,
					      BPF_CGROUP_UDP4_SENDMSG,	  BPF_CGROUP_UDP6_SENDMSG,
					      BPF_CGROUP_INET_EGRESS,	  BPF_CGROUP_INET_INGRESS,
					      BPF_CGROUP_INET_SOCK_CREATE };

static int list(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY);

	for (size_t i = 0; fd >= 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint32_t ids[64];
		union bpf_attr attr = { .query = { .target_fd = (uint32_t)fd,
						   .attach_type = kinds[i],
						   .prog_ids = (uintptr_t)ids,
						   .prog_cnt = 64 } };

		if (syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)) < 0)
			return 1;
		for (uint32_t k = 0; k < attr.query.prog_cnt; k++)
			printf("%u\n", ids[k]);
	}
	return fd < 0;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return list(argv[1]);
	for (int i = 2; i < argc; i++) {
		union bpf_attr attr = { .prog_id = (uint32_t)atoi(argv[i]) };

		if (syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr)) >= 0)
			return 1;
	}
	return 0;
}
