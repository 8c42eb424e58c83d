#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"

struct thing {
	int *n_freed;
};

static void thing_free(struct thing *thing)
{
	(*thing->n_freed)++;
}
DEFINE_CLEANUP(struct thing *, thing_free);

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

Test(cleanup, destructor_runs_at_the_end_of_the_scope_but_not_for_null)
{
	int n = 0;
	struct thing thing = { &n };

	{
		AUTO(thing_free) struct thing *owner = &thing, *nobody = NULL;

		cr_assert_eq(n, 0);
		cr_assert_null(nobody);
		cr_assert_not_null(owner);
	}
	cr_assert_eq(n, 1);
}

Test(cleanup, stolen_pointer_is_not_freed)
{
	int n = 0;
	struct thing thing = { &n }, *kept;

	{
		AUTO(thing_free) struct thing *owner = &thing;

		kept = steal_ptr(&owner);
		cr_assert_null(owner);
	}
	cr_assert_eq(n, 0);
	cr_assert_eq(kept, &thing);
}

Test(cleanup, descriptor_closes_at_the_end_of_the_scope)
{
	int number;

	{
		AUTO_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), none = -EBADF;

		cr_assert_lt(none, 0);
		number = fd;
		cr_assert(is_open(number));
	}
	cr_assert_not(is_open(number));
}

Test(cleanup, descriptor_0_is_one_too)
{
	close(0);
	{
		AUTO_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		cr_assert_eq(fd, 0);
	}
	cr_assert_not(is_open(0));
}

Test(cleanup, stolen_descriptor_stays_open)
{
	int kept, error = -ENOENT;

	{
		AUTO_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		kept = steal_fd(&fd);
		cr_assert_eq(fd, -EBADF);
	}
	cr_assert(is_open(kept));
	close(kept);
	cr_assert_eq(steal_fd(&error), -ENOENT, "an error is handed on as it is");
}

Test(cleanup, close_and_reset_closes_once)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), number = fd;

	close_and_reset(&fd);
	cr_assert_eq(fd, -EBADF);
	cr_assert_not(is_open(number));
	errno = 0;
	close_and_reset(&fd);
	cr_assert_eq(errno, 0);
}

Test(cleanup, memory_is_freed)
{
	/* The leak checker of a sanitized build is the judge. */
	AUTO_FREE char *text = strdup("x"), *none = NULL;

	cr_assert_not_null(text);
	cr_assert_null(none);
}
