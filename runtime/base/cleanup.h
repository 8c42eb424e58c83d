/* Scoped cleanup: a variable declared with one of these is released when it goes out of scope. */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* For any type with a destructor `void x_free(struct x *)` or `void x_done(struct x *)` there is a DEFINE line beside it:
 * DEFINE_CLEANUP(struct x *, x_free) makes AUTO(x_free) usable on variables of that type. */
#define DEFINE_CLEANUP(type, function)                 \
	static inline void function##_cleanup(type *p) \
	{                                              \
		if (*p)                                \
			function(*p);                  \
	}                                              \
	struct cleanup_needs_a_semicolon
#define AUTO(function) __attribute__((cleanup(function##_cleanup)))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define AUTO_FREE __attribute__((cleanup(cleanup_free)))
#define AUTO_CLOSE __attribute__((cleanup(cleanup_close)))

/* Ownership leaves the scope with these. */
static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -EBADF;
	return taken;
}

#define steal_ptr(pointer)                                  \
	({                                                  \
		__typeof__(*(pointer)) taken_ = *(pointer); \
		*(pointer) = NULL;                          \
		taken_;                                     \
	})

static inline void close_and_reset(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -EBADF;
}

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
