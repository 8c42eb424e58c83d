#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "container/state.h"
#include "container/store.h"
#include "tests/support/scratch.h"

/* ---- ids ---- */

Test(store, ids_that_are_fine)
{
	static const char *const ids[] = { "a", "web-1", "0", "A_b+c.d", "-", "_x", "+", "a.", "a..b" };
	struct error err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		cr_expect_eq(store_check_id(ids[i], &err), 0, "%s: %s", ids[i], err.message);
}

Test(store, ids_that_are_refused)
{
	static const char *const ids[] = { "",	   ".",	   "..",    ".hidden",	"a/b",	 "/",	  "../x", "a/../b",
					   "a b",  "a\nb", "a\tb",  "\xc3\xa9", "a\xff", "a:b",	  "a*",	  "a@b",
					   "a\\b", "a\"b", "$(id)", ";",	"a\x01", "a\x7f", "%s%n" };
	struct error err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		cr_expect_eq(store_check_id(ids[i], &err), -EINVAL, "\"%s\" was taken", ids[i]);
		cr_expect_eq(err.kind, ERROR_USAGE);
		cr_expect_not_null(strstr(err.message, "container id"), "%s", err.message);
	}
}

Test(store, ids_have_a_longest_one)
{
	char id[2000];
	struct error err = { 0 };

	memset(id, 'a', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	cr_expect_lt(store_check_id(id, &err), 0);
	id[1024] = '\0';
	cr_expect_eq(store_check_id(id, &err), -ENAMETOOLONG, "longer than a file's name");
	id[250] = '\0';
	cr_expect_eq(store_check_id(id, &err), 0, "%s", err.message);
	id[250] = 'a';
	id[251] = '\0';
	cr_expect_eq(store_check_id(id, &err), -ENAMETOOLONG);
}

/* ---- the directory ---- */

struct place {
	struct scratch scratch;
	char root[256];
	struct brig brig;
	struct error err;
};

static struct place place_new(void)
{
	struct place place = { .scratch = scratch_new() };

	umask(022);
	snprintf(place.root, sizeof(place.root), "%s/state", place.scratch.path);
	return place;
}

static void place_done_cleanup(struct place *place)
{
	scratch_done(&place->scratch);
}
#define PLACE(name)                                                                   \
	__attribute__((cleanup(place_done_cleanup))) struct place name = place_new(); \
	name.brig.root = name.root

static void describe(struct container *container, const char *id)
{
	struct state *state = &container->state;

	*state = (struct state){ .oci_version = "1.3.0",
				 .id = id,
				 .bundle = "/bundle",
				 .rootfs = "/bundle/rootfs",
				 .created = "2030-01-01T00:00:00Z",
				 .owner = "root",
				 .cgroup_path = "brig-x" };
}

static struct container reserve(struct place *place, const char *id)
{
	struct container container;

	cr_assert_eq(store_reserve(&place->brig, id, &container, &place->err), 0, "%s", place->err.message);
	describe(&container, id);
	return container;
}

static int open_it(struct place *place, const char *id, enum store_lock lock, struct container *ret)
{
	return store_open(&place->brig, id, lock, ret, &place->err);
}

Test(store, reserve_makes_private_directories)
{
	PLACE(place);
	struct container container = reserve(&place, "box");

	cr_expect_eq(scratch_mode(&place.scratch, "state"), S_IFDIR | 0700);
	cr_expect_eq(scratch_mode(&place.scratch, "state/box"), S_IFDIR | 0700);
	cr_expect(fcntl(container.dir_fd, F_GETFD) & FD_CLOEXEC);
	cr_expect(fcntl(container.root_fd, F_GETFD) & FD_CLOEXEC);
	store_done(&container);
}

Test(store, reserve_takes_an_id_once)
{
	PLACE(place);
	struct container container = reserve(&place, "box"), second = { .dir_fd = 77 };
	size_t before = scratch_count_fds();

	cr_expect_eq(store_reserve(&place.brig, "box", &second, &place.err), -EEXIST);
	cr_expect_eq(place.err.kind, ERROR_EXISTS);
	cr_expect_eq(second.dir_fd, 77, "the output stays as it was");
	cr_expect_eq(store_reserve(&place.brig, "../box", &second, &place.err), -EINVAL);
	cr_expect_eq(scratch_count_fds(), before);
	store_done(&container);
}

Test(store, save_open_and_remove)
{
	PLACE(place);
	struct container container = reserve(&place, "box"), opened;

	cr_assert_eq(store_save(&container, &place.err), 0, "%s", place.err.message);
	store_done(&container);
	cr_assert_eq(open_it(&place, "box", STORE_LOCKED, &opened), 0, "%s", place.err.message);
	cr_expect_str_eq(opened.state.id, "box");
	cr_expect_str_eq(opened.state.bundle, "/bundle");
	cr_expect_str_eq(opened.state.cgroup_path, "brig-x");
	cr_expect_eq(scratch_mode(&place.scratch, "state/box/state.json"), S_IFREG | 0600);
	cr_assert_eq(store_remove(&opened, &place.err), 0, "%s", place.err.message);
	store_done(&opened);
	cr_expect_not(scratch_has(&place.scratch, "state/box"));
	cr_expect_eq(open_it(&place, "box", STORE_UNLOCKED, &opened), -ENOENT);
	cr_expect_eq(place.err.kind, ERROR_NOT_FOUND);
}

Test(store, open_what_is_not_there)
{
	PLACE(place);
	struct container container;
	size_t before;

	cr_expect_eq(open_it(&place, "box", STORE_LOCKED, &container), -ENOENT, "no root directory at all");
	cr_expect_eq(place.err.kind, ERROR_NOT_FOUND);
	cr_expect_not(scratch_has(&place.scratch, "state"), "looking makes nothing");
	container = reserve(&place, "other");
	before = scratch_count_fds();
	scratch_file(&place.scratch, "state/file", "", 0600);
	scratch_link(&place.scratch, "state/link", "other");
	cr_expect_eq(open_it(&place, "box", STORE_LOCKED, &(struct container){ 0 }), -ENOENT);
	cr_expect_eq(place.err.kind, ERROR_NOT_FOUND);
	cr_expect_lt(open_it(&place, "file", STORE_LOCKED, &(struct container){ 0 }), 0);
	cr_expect_lt(open_it(&place, "link", STORE_LOCKED, &(struct container){ 0 }), 0, "a link is no container");
	cr_expect_eq(open_it(&place, "..", STORE_UNLOCKED, &(struct container){ 0 }), -EINVAL);
	cr_expect_eq(scratch_count_fds(), before);
	store_done(&container);
}

/* A brig that was killed while it made a container leaves a directory without state.json, maybe with the mark of its cgroup. */
Test(store, half_made_container_can_be_opened_and_removed)
{
	PLACE(place);
	struct container container = reserve(&place, "box"), opened;

	store_done(&container);
	cr_assert_eq(open_it(&place, "box", STORE_LOCKED, &opened), 0, "%s", place.err.message);
	cr_expect_str_eq(opened.state.id, "box");
	cr_expect_null(opened.state.cgroup_path);
	cr_expect_eq(opened.state.pid, 0);
	describe(&opened, "box");
	opened.state.cgroup_path = "some/where";
	opened.state.cgroup_manager = 2;
	cr_assert_eq(store_mark_cgroup(&opened, &place.err), 0, "%s", place.err.message);
	store_done(&opened);
	cr_assert_eq(open_it(&place, "box", STORE_LOCKED, &opened), 0, "%s", place.err.message);
	cr_expect_str_eq(opened.state.cgroup_path, "some/where");
	cr_expect_eq(opened.state.cgroup_manager, 2);
	cr_assert_eq(store_remove(&opened, &place.err), 0, "%s", place.err.message);
	store_done(&opened);
	cr_expect_not(scratch_has(&place.scratch, "state/box"));
}

Test(store, mark_without_sense_is_none)
{
	static const char *const marks[] = { "x", ":", "0:", "x:path", "00:path", "/etc/passwd" };
	struct container opened;

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		PLACE(place);
		struct container container = reserve(&place, "box");

		store_done(&container);
		scratch_link(&place.scratch, "state/box/cgroup", marks[i]);
		cr_assert_eq(open_it(&place, "box", STORE_LOCKED, &opened), 0, "%s", place.err.message);
		cr_expect_null(opened.state.cgroup_path, "%s", marks[i]);
		store_done(&opened);
	}
}

/* Another container's state in the directory: whoever acts on it would signal and remove the wrong one. */
Test(store, state_of_another_id_is_refused)
{
	PLACE(place);
	struct container container = reserve(&place, "box"), opened;

	describe(&container, "../other");
	cr_assert_eq(store_save(&container, &place.err), 0);
	store_done(&container);
	cr_expect_eq(open_it(&place, "box", STORE_LOCKED, &opened), -EINVAL);
	cr_expect_not_null(strstr(place.err.message, "box"), "%s", place.err.message);
}

Test(store, remove_takes_all_files_and_follows_no_link)
{
	PLACE(place);
	struct container container = reserve(&place, "box");
	char text[16];

	scratch_file(&place.scratch, "victim", "untouched", 0600);
	scratch_link(&place.scratch, "state/box/link", "../../victim");
	scratch_file(&place.scratch, "state/box/.hidden", "", 0600);
	cr_assert_eq(mkfifoat(place.scratch.fd, "state/box/fifo", 0600), 0);
	cr_assert_eq(store_remove(&container, &place.err), 0, "%s", place.err.message);
	store_done(&container);
	cr_expect_not(scratch_has(&place.scratch, "state/box"));
	cr_expect_str_eq(scratch_text(&place.scratch, "victim", text, sizeof(text)), "untouched");
}

/* ---- whose directory it is ---- */

Test(store, root_that_others_can_write_to_is_refused)
{
	PLACE(place);
	struct container container;

	scratch_directory(&place.scratch, "state");
	cr_assert_eq(fchmodat(place.scratch.fd, "state", 0770, 0), 0);
	cr_expect_eq(store_reserve(&place.brig, "box", &container, &place.err), -EPERM);
	cr_expect_eq(place.err.kind, ERROR_REFUSED);
	cr_expect_not_null(strstr(place.err.message, place.root), "%s", place.err.message);
	cr_expect_not_null(strstr(place.err.message, "0770"), "%s", place.err.message);
	cr_assert_eq(fchmodat(place.scratch.fd, "state", 0702, 0), 0);
	cr_expect_eq(open_it(&place, "box", STORE_UNLOCKED, &container), -EPERM);
	cr_assert_eq(fchmodat(place.scratch.fd, "state", 0711, 0), 0);
	cr_expect_eq(open_it(&place, "box", STORE_UNLOCKED, &container), -ENOENT);
}

Test(store, root_of_somebody_else_is_refused)
{
	PLACE(place);
	struct container container;

	if (geteuid() != 0)
		cr_skip_test("giving a directory away needs root");
	scratch_directory(&place.scratch, "state");
	cr_assert_eq(fchownat(place.scratch.fd, "state", 1000, 0, 0), 0);
	cr_expect_eq(store_reserve(&place.brig, "box", &container, &place.err), -EPERM);
	cr_expect_not_null(strstr(place.err.message, "user 1000"), "%s", place.err.message);
}

/* ---- locks ---- */

Test(store, busy_while_somebody_works_on_it)
{
	PLACE(place);
	struct container container = reserve(&place, "box"), watcher;

	cr_assert_eq(store_save(&container, &place.err), 0);
	cr_assert_eq(open_it(&place, "box", STORE_UNLOCKED, &watcher), 0, "looking never waits");
	cr_expect(store_is_busy(&watcher));
	store_unlock(&container);
	cr_expect_not(store_is_busy(&watcher));
	cr_expect_not(store_is_busy(&watcher), "asking takes no lock");
	store_done(&watcher);
	store_done(&container);
}

/* The one who waits for the lock gets it when the other is done. */
Test(store, lock_is_waited_for)
{
	PLACE(place);
	struct container container = reserve(&place, "box"), opened;
	int status = -1;
	pid_t pid;

	cr_assert_eq(store_save(&container, &place.err), 0);
	pid = fork();
	if (pid == 0) {
		close_and_reset(&container.dir_fd);
		_exit(open_it(&place, "box", STORE_LOCKED, &opened) == 0 ? 0 : 1);
	}
	usleep(150000);
	cr_expect_eq(waitpid(pid, NULL, WNOHANG), 0, "it did not wait");
	store_done(&container);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
}

/* flock(2) would have whoever asks through the descriptor that is locked let go of the lock. */
Test(store, to_ask_whether_it_is_busy_changes_nothing)
{
	PLACE(place);
	struct container container = reserve(&place, "box"), others[2];

	cr_assert_eq(store_save(&container, &place.err), 0);
	cr_expect_not(store_is_busy(&container), "nobody but us");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		cr_assert_eq(open_it(&place, "box", STORE_UNLOCKED, &others[i]), 0);
		cr_expect(store_is_busy(&others[i]));
	}
	store_done(&container);
	/* One who asks holds it for a moment, which is nothing to another. */
	cr_assert_eq(flock(others[0].dir_fd, LOCK_SH | LOCK_NB), 0);
	cr_expect_not(store_is_busy(&others[1]));
	store_done(&others[0]);
	cr_assert_eq(open_it(&place, "box", STORE_LOCKED, &container), 0);
	cr_expect_not(store_is_busy(&container));
	cr_expect(store_is_busy(&others[1]));
	store_done(&others[1]);
	store_done(&container);
}

/* ... and finds out that the container is gone, also where a new one has its name by then. */
Test(store, removed_while_waiting_for_the_lock)
{
	PLACE(place);
	struct container container = reserve(&place, "box"), opened;
	int status = -1;
	pid_t pid;

	cr_assert_eq(store_save(&container, &place.err), 0);
	pid = fork();
	if (pid == 0) {
		close_and_reset(&container.dir_fd);
		_exit(open_it(&place, "box", STORE_LOCKED, &opened) == -ENOENT && place.err.kind == ERROR_NOT_FOUND ? 0
														    : 1);
	}
	usleep(150000);
	cr_assert_eq(renameat(place.scratch.fd, "state/box", place.scratch.fd, "old"), 0);
	scratch_directory(&place.scratch, "state/box");
	store_done(&container);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0, "it worked on a directory that is no longer the container's");
}

/* ---- lists ---- */

Test(store, list_is_sorted_and_leaves_out_what_is_ours)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	PLACE(place);
	struct container containers[3] = { reserve(&place, "c"), reserve(&place, "a"), reserve(&place, "b") };
	const char **names = NULL;
	size_t n = 0;

	close(store_open_filter_cache(containers[0].root_fd));
	cr_expect(scratch_has(&place.scratch, "state/.filters"));
	cr_expect_eq(scratch_mode(&place.scratch, "state/.filters"), S_IFDIR | 0700);
	cr_assert_eq(store_list(&place.brig, arena, &names, &n, &place.err), 0, "%s", place.err.message);
	cr_assert_eq(n, 3);
	cr_expect_str_eq(names[0], "a");
	cr_expect_str_eq(names[1], "b");
	cr_expect_str_eq(names[2], "c");
	for (size_t i = 0; i < 3; i++)
		store_done(&containers[i]);
}

Test(store, list_of_many)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	PLACE(place);
	const char **names = NULL;
	size_t n = 7;
	char id[32];

	cr_assert_eq(store_list(&place.brig, arena, &names, &n, &place.err), 0, "no root directory: none");
	cr_expect_eq(n, 0);
	for (unsigned i = 0; i < 300; i++) {
		struct container container = reserve(&place, (snprintf(id, sizeof(id), "c%03u", i), id));

		store_done(&container);
	}
	cr_assert_eq(store_list(&place.brig, arena, &names, &n, &place.err), 0);
	cr_assert_eq(n, 300);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(id, sizeof(id), "c%03u", i);
		cr_expect_str_eq(names[i], id);
	}
}

Test(store, filter_cache_that_is_a_link_is_not_used)
{
	PLACE(place);
	struct container container = reserve(&place, "box");

	scratch_directory(&place.scratch, "elsewhere");
	scratch_link(&place.scratch, "state/.filters", "../elsewhere");
	cr_expect_lt(store_open_filter_cache(container.root_fd), 0);
	store_done(&container);
}
