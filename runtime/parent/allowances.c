#include "parent/allowances.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/fd.h"

bool allowances_has_limits(const struct plan_process *process)
{
	for (size_t i = 0; i < process->n_rlimits; i++) {
		if (process->rlimits[i].by_parent)
			return true;
	}
	return false;
}

static int set_oom_score_adj(const struct plan_process *process, pid_t pid, struct error *err)
{
	char path[48], text[16];
	int rc;

	if (!process->set_oom_score_adj)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	snprintf(text, sizeof(text), "%d", process->oom_score_adj);
	rc = fd_write_file_at(AT_FDCWD, path, text);
	return rc < 0 ? error_system(err, -rc, "process.oomScoreAdj: write %s", text) : 0;
}

static int raise_limits(const struct plan_process *process, pid_t pid, struct error *err)
{
	for (size_t i = 0; i < process->n_rlimits; i++) {
		const struct plan_rlimit *limit = &process->rlimits[i];
		const struct rlimit value = { .rlim_cur = limit->soft, .rlim_max = limit->hard };

		if (limit->by_parent && prlimit(pid, (__rlimit_resource_t)limit->resource, &value, NULL) < 0)
			return error_system(err, errno, "process.rlimits[%zu]: raise it to soft %llu, hard %llu", i,
					    (unsigned long long)limit->soft, (unsigned long long)limit->hard);
	}
	return 0;
}

int allowances_give(const struct plan_process *process, pid_t pid, struct error *err)
{
	int rc = set_oom_score_adj(process, pid, err);

	return rc < 0 ? rc : raise_limits(process, pid, err);
}
