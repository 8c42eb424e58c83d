#include "parent/cgroup/egress.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "parent/cgroup/cgroup_bpf.h"
#include "parent/cgroup/cgroup_internal.h"
#include "parent/cgroup/egress_internal.h"

#define ARENA_MAX ((size_t)4 * 1024 * 1024)

/* No pins: a map lives as long as a program that uses it, and a program as long as the group that it is attached to. */
static int make_map(enum bpf_map_type type, const char *name, size_t key_size, size_t value_size, size_t n)
{
	union bpf_attr attr = {
		.map_type = type,
		.key_size = (uint32_t)key_size,
		.value_size = (uint32_t)value_size,
		.max_entries = (uint32_t)n,
	};

	strcpy(attr.map_name, name);
	return cgroup_bpf_call(BPF_MAP_CREATE, &attr);
}

/* One message for all steps: which of the three is missing (a kernel's option, a capability, a group above that forbids it) the
 * errno does not tell. */
static int refused(int r, const char *what, struct error *err)
{
	return error_set(err, r == -EINVAL || r == -ENOSYS || r == -E2BIG ? ERROR_UNSUPPORTED : ERROR_SYSTEM, -r,
			 "annotations[\"brig.dev/egress\"]: can't be held: %s: %s; the kernel needs CONFIG_CGROUP_BPF, brig "
			 "CAP_BPF and CAP_NET_ADMIN (or CAP_SYS_ADMIN), and no group above a program that forbids others; "
			 "or leave it out",
			 what, strerrordesc_np(-r) ?: "unknown error");
}

static void maps_done(struct egress_maps *maps)
{
	close_and_reset(&maps->counts_fd);
	close_and_reset(&maps->denied_fd);
	close_and_reset(&maps->replies_fd);
}

static inline void maps_done_cleanup(struct egress_maps *maps)
{
	maps_done(maps);
}

static int make_maps(size_t n_entries, struct egress_maps *maps, struct error *err)
{
	size_t size = sizeof(struct egress_counters) + n_entries * sizeof(struct egress_pair);

	maps->counts_fd = make_map(BPF_MAP_TYPE_ARRAY, EGRESS_COUNTS_NAME, sizeof(uint32_t), size, 1);
	maps->denied_fd = make_map(BPF_MAP_TYPE_HASH, EGRESS_DENIED_NAME, sizeof(struct egress_denied_key),
				   sizeof(struct egress_denied_value), EGRESS_DENIED_MAX);
	maps->replies_fd = make_map(BPF_MAP_TYPE_LRU_HASH, "brig_eg_replies", sizeof(struct egress_reply_key),
				    sizeof(uint64_t), EGRESS_REPLIES_MAX);
	if (maps->counts_fd < 0)
		return refused(maps->counts_fd, "make a map", err);
	if (maps->denied_fd < 0)
		return refused(maps->denied_fd, "make a map", err);
	return maps->replies_fd < 0 ? refused(maps->replies_fd, "make a map", err) : 0;
}

static int load(enum egress_program program, const struct egress_code *code, struct error *err)
{
	const struct egress_program_kind *kind = &egress_program_kinds[program];
	union bpf_attr attr = {
		.prog_type = kind->type,
		.expected_attach_type = kind->attach,
		.insns = (uintptr_t)code->insns,
		.insn_cnt = (uint32_t)code->n,
		.license = (uintptr_t) "Apache-2.0",
	};
	int r;

	strcpy(attr.prog_name, kind->name);
	r = cgroup_bpf_call(BPF_PROG_LOAD, &attr);
	return r < 0 ? refused(r, kind->name, err) : r;
}

/* Attached beside others' programs (BPF_F_ALLOW_MULTI): all of them have to let a packet through. */
static int install_one(int cgroup_fd, enum egress_program program, const struct plan_egress *egress,
		       const struct egress_maps *maps, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	AUTO_CLOSE int program_fd = -EBADF;
	const struct egress_means means = { egress, maps, arena };
	struct egress_builder *builder;
	int r = arena ? egress_programs_build(program, &means, &builder, err) : error_memory(err);

	if (r < 0)
		return r;
	program_fd = load(program, &builder->code, err);
	if (program_fd < 0)
		return program_fd;
	r = cgroup_bpf_attach(cgroup_fd, egress_program_kinds[program].attach, program_fd, /* replaced_fd= */ -EBADF);
	return r < 0 ? refused(r, "attach to the container's cgroup", err) : 0;
}

/* By the names of our programs: those of somebody else on the same group stay. */
void egress_remove(int cgroup_fd)
{
	for (unsigned i = 0; i < EGRESS_N_PROGRAMS; i++) {
		const struct egress_program_kind *kind = &egress_program_kinds[i];
		AUTO_CLOSE int fd = cgroup_bpf_find(cgroup_fd, kind->attach, kind->name);

		if (fd >= 0)
			cgroup_bpf_detach(cgroup_fd, kind->attach, fd);
	}
}

int egress_install(struct cgroup *cgroup, const struct plan_egress *egress, struct error *err)
{
	__attribute__((cleanup(maps_done_cleanup))) struct egress_maps maps = { -EBADF, -EBADF, -EBADF };
	int fd = cgroup_tree_fd(cgroup, CGROUP_TREE_V2), rc;

	if (fd < 0)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "annotations[\"brig.dev/egress\"]: can't be held: the container has no cgroup of version "
				 "2; mount cgroup2, or leave it out");
	rc = make_maps(egress->n, &maps, err);
	for (unsigned i = 0; rc >= 0 && i < EGRESS_N_PROGRAMS; i++)
		rc = install_one(fd, i, egress, &maps, err);
	if (rc < 0)
		egress_remove(fd);
	return rc;
}
