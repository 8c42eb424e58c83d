/* libFuzzer: any bytes as the state.json of a container; what is taken is written and read back as the same. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "container/state.h"
#include "tests/fuzz/fuzz_directory.h"

#define ARENA_MAX ((size_t)64 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(int dir_fd, const struct state *state)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct state again;

	if (state_write(dir_fd, state, NULL) < 0 || state_read(dir_fd, arena, &again, NULL) < 0)
		abort();
	if (strcmp(again.id, state->id) != 0 || strcmp(again.cgroup_path, state->cgroup_path) != 0 ||
	    again.pid != state->pid || again.pid_start_time != state->pid_start_time ||
	    again.cgroup_manager != state->cgroup_manager || again.n_annotations != state->n_annotations)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	int dir_fd = fuzz_directory_with("state.json", data, size);
	struct error err = { 0 };
	struct state state;
	int rc = state_read(dir_fd, arena, &state, &err);

	if (rc < 0 && (err.kind == ERROR_NONE || !err.message[0]))
		abort();
	if (rc == 0) {
		close(state_open_process(&state));
		check_again(dir_fd, &state);
	}
	return 0;
}
