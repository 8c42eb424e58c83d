#include "container/explain/denial_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/log.h"
#include "container/explain/denial_listener.h"

#define PAUSE_NS UINT64_C(1000000000)

struct denial_keeper {
	const struct brig *brig;
	const char *id;
	struct denial_listener *listener;
	int fd;
	char file[sizeof(DENIAL_KEEPER_EXEC_FILE) + 8]; /* in the container's directory */
	uint64_t saved_at;				/* 0: never */
	bool is_changed, is_ended;
};

struct denial_keeper *denial_keeper_new(const struct brig *brig, const char *id, int listener_fd)
{
	AUTO_CLOSE int fd = listener_fd;
	AUTO(denial_keeper_free) struct denial_keeper *keeper = calloc(1, sizeof(*keeper));

	if (!keeper)
		return NULL;
	keeper->fd = steal_fd(&fd);
	keeper->brig = brig;
	keeper->id = id;
	snprintf(keeper->file, sizeof(keeper->file), "%s", DENIAL_KEEPER_FILE);
	keeper->listener = denial_listener_new(/* limits= */ NULL);
	return keeper->listener ? steal_ptr(&keeper) : NULL;
}

struct denial_keeper *denial_keeper_new_exec(const struct brig *brig, const char *id, int listener_fd)
{
	struct denial_keeper *keeper = denial_keeper_new(brig, id, listener_fd);

	if (keeper)
		snprintf(keeper->file, sizeof(keeper->file), DENIAL_KEEPER_EXEC_FILE,
			 (unsigned)getpid() % DENIAL_KEEPER_EXECS);
	return keeper;
}

void denial_keeper_free(struct denial_keeper *keeper)
{
	if (!keeper)
		return;
	close_and_reset(&keeper->fd);
	denial_listener_free(keeper->listener);
	free(keeper);
}

int denial_keeper_fd(const struct denial_keeper *keeper)
{
	return keeper ? keeper->fd : -EBADF;
}

bool denial_keeper_serve(struct denial_keeper *keeper)
{
	return denial_keeper_serve_other(keeper, keeper->fd);
}

bool denial_keeper_serve_other(struct denial_keeper *keeper, int listener_fd)
{
	uint64_t before = denial_listener_total(keeper->listener);
	int r = denial_listener_serve(keeper->listener, listener_fd);

	if (denial_listener_total(keeper->listener) != before)
		keeper->is_changed = true;
	return r > 0;
}

void denial_keeper_take(struct denial_keeper *keeper, int listener_fd)
{
	close_and_reset(&keeper->fd);
	keeper->fd = listener_fd;
}

void denial_keeper_close(struct denial_keeper *keeper)
{
	close_and_reset(&keeper->fd);
}

uint64_t denial_keeper_due(const struct denial_keeper *keeper)
{
	if (!keeper || !keeper->is_changed)
		return 0;
	return keeper->saved_at ? keeper->saved_at + PAUSE_NS : 1;
}

static int open_directory(const struct brig *brig, const char *id)
{
	AUTO_CLOSE int root_fd = open(brig->root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root_fd < 0 ? -errno : openat(root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void denial_keeper_save(struct denial_keeper *keeper)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct json_writer writer = json_writer_on(&text, /* indent= */ 0);
	AUTO_CLOSE int dir_fd = open_directory(keeper->brig, keeper->id);
	struct error err = { 0 };

	keeper->is_changed = false;
	keeper->saved_at = clock_ns();
	denial_listener_write_json(keeper->listener, &writer);
	/* Somebody has deleted it. */
	if (dir_fd < 0 || text.failed)
		return;
	if (file_replace_at(dir_fd, keeper->file, &text, 0600, &err) < 0)
		log_warning("container %s: what was refused to it is not on record: %s", keeper->id, err.message);
}

void denial_keeper_end(struct denial_keeper *keeper)
{
	if (!keeper || keeper->is_ended)
		return;
	keeper->is_ended = true;
	close_and_reset(&keeper->fd);
	denial_listener_end(keeper->listener);
	/* No file: none. That costs a container which behaves nothing. */
	if (denial_listener_total(keeper->listener) > 0)
		denial_keeper_save(keeper);
}

const struct denial_listener *denial_keeper_listener(const struct denial_keeper *keeper)
{
	return keeper ? keeper->listener : NULL;
}
