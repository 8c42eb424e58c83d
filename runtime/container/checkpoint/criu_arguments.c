#include "container/checkpoint/criu_arguments.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIXED_MAX 64

struct arguments {
	struct arena *arena;
	const char **list;
	size_t n;
	bool failed;
};

static void add_text(struct arguments *arguments, const char *text)
{
	arguments->failed |= !text;
	arguments->list[arguments->n++] = text;
}

__attribute__((format(printf, 3, 4))) static void add_value(struct arguments *arguments, const char *option,
							    const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	add_text(arguments, option);
	add_text(arguments, text ? arena_strdup(arguments->arena, text) : NULL);
	free(text);
}

static void add_if(struct arguments *arguments, bool asked, const char *option)
{
	if (asked)
		add_text(arguments, option);
}

static struct arguments begin(struct arena *arena, const struct criu_job *job, const char *action)
{
	const struct brig_images *images = job->images;
	struct arguments arguments = { .arena = arena };

	arguments.list = arena_array_of(arena, FIXED_MAX + 2 * job->plan->rootfs.n_mounts, const char *);
	arguments.failed = !arguments.list;
	if (arguments.failed)
		return arguments;
	add_text(&arguments, "criu");
	add_text(&arguments, action);
	add_value(&arguments, "--images-dir", "%s", images->path);
	add_value(&arguments, "--work-dir", "%s", images->work_path);
	/* Errors and warnings: the last error is the reason that the caller gets to see. */
	add_text(&arguments, "-v2");
	add_text(&arguments, "--manage-cgroups=ignore");
	if (!job->locks_network)
		add_value(&arguments, "--network-lock", "%s", "skip");
	add_if(&arguments, images->tcp_established, "--tcp-established");
	add_if(&arguments, images->external_unix_sockets, "--ext-unix-sk");
	add_if(&arguments, images->shell_job, "--shell-job");
	add_if(&arguments, images->file_locks, "--file-locks");
	return arguments;
}

static const char *const *end(const struct arguments *arguments)
{
	return arguments->failed ? NULL : arguments->list;
}

const char *const *criu_arguments_dump(struct arena *arena, const struct criu_job *job)
{
	const struct brig_images *images = job->images;
	const struct plan_rootfs *rootfs = &job->plan->rootfs;
	struct arguments arguments = begin(arena, job, images->pre_dump ? "pre-dump" : "dump");

	if (arguments.failed)
		return NULL;
	add_value(&arguments, "--tree", "%d", job->pid);
	add_value(&arguments, "--log-file", "%s", CRIU_DUMP_LOG);
	if (job->freezer)
		add_value(&arguments, "--freeze-cgroup", "%s", job->freezer);
	if (images->parent_path)
		add_value(&arguments, "--prev-images-dir", "%s", images->parent_path);
	add_if(&arguments, images->parent_path || images->pre_dump, "--track-mem");
	add_if(&arguments, images->auto_dedup, "--auto-dedup");
	add_if(&arguments, images->leave_running && !images->pre_dump, "--leave-running");
	for (size_t i = 0; i < CRIU_STREAMS; i++) {
		/* A pipe is known to be one by its number; of a file CRIU has to be told. */
		if (strncmp(job->streams[i], "file[", strlen("file[")) == 0)
			add_value(&arguments, "--external", "%s", job->streams[i]);
	}
	if (job->network_inode)
		add_value(&arguments, "--external", "net[%" PRIu64 "]:network", job->network_inode);
	for (size_t i = 0; i < rootfs->n_mounts; i++) {
		if (rootfs->mounts[i].kind == PLAN_MOUNT_BIND)
			add_value(&arguments, "--external", "mnt[%s]:mount-%zu", rootfs->mounts[i].destination, i);
	}
	return end(&arguments);
}

const char *const *criu_arguments_restore(struct arena *arena, const struct criu_job *job)
{
	const struct plan_rootfs *rootfs = &job->plan->rootfs;
	struct arguments arguments = begin(arena, job, "restore");

	if (arguments.failed)
		return NULL;
	add_value(&arguments, "--root", "%s", rootfs->path);
	add_value(&arguments, "--log-file", "%s", CRIU_RESTORE_LOG);
	add_value(&arguments, "--pidfile", "%s", job->pid_file);
	/* The program is to be our child, not CRIU's. */
	add_text(&arguments, "--restore-detached");
	add_text(&arguments, "--restore-sibling");
	add_if(&arguments, job->stays_stopped, "--leave-stopped");
	for (unsigned i = 0; i < CRIU_STREAMS; i++) {
		if (*job->streams[i])
			add_value(&arguments, "--inherit-fd", "fd[%u]:%s", CRIU_STREAM_FD + i, job->streams[i]);
	}
	for (size_t i = 0; i < job->plan->namespaces.n_join; i++)
		add_value(&arguments, "--inherit-fd", "fd[%d]:network", CRIU_NETWORK_FD);
	for (size_t i = 0; i < rootfs->n_mounts; i++) {
		if (rootfs->mounts[i].kind == PLAN_MOUNT_BIND)
			add_value(&arguments, "--external", "mnt[mount-%zu]:%s", i, rootfs->mounts[i].source);
	}
	return end(&arguments);
}
