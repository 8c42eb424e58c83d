/* What CRIU is told on its command line (criu(8)). */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "container/brig.h"
#include "plan/plan.h"

#define CRIU_STREAMS 3
/* Where a restored container's descriptors are handed to CRIU: the streams here and on, the network namespace after them. */
#define CRIU_STREAM_FD 10
#define CRIU_NETWORK_FD (CRIU_STREAM_FD + CRIU_STREAMS)
#define CRIU_DUMP_LOG "dump.log"
#define CRIU_RESTORE_LOG "restore.log"

struct criu_job {
	const struct brig_images *images; /* its paths absolute */
	const struct plan *plan;
	/* As CRIU names what the container has from outside: "pipe:[77]", "file[1a:2b]"; "": nothing of ours is there. */
	const char *streams[CRIU_STREAMS];
	bool locks_network; /* needs iptables or nft: only for connections that are to be kept */
	/* dump: */
	pid_t pid;
	const char *freezer;	/* directory of its cgroup in the v2 tree, or NULL */
	uint64_t network_inode; /* of the namespace that it joined; 0: none */
	/* restore: */
	const char *pid_file;
	bool stays_stopped; /* as by SIGSTOP */
};

/* NULL-terminated, argv[0] included; NULL: no memory. */
const char *const *criu_arguments_dump(struct arena *arena, const struct criu_job *job);
const char *const *criu_arguments_restore(struct arena *arena, const struct criu_job *job);
