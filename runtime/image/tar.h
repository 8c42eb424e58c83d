/* A tar archive (POSIX ustar and pax, GNU's long names and large numbers), read one entry at a time. Every byte is hostile: see
 * README.md for what is refused. Opens nothing and writes nothing: bytes come from a callback, what they mean is the caller's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

#define TAR_NAME_MAX 4095		   /* bytes of a name or a link's target: PATH_MAX without the NUL */
#define TAR_EXTENDED_MAX (256u * 1024)	   /* bytes of the extended headers of one entry */
#define TAR_TRAILING_MAX (1024u * 1024)	   /* bytes of zeros after the archive's end */
#define TAR_MEMBER_MAX ((uint64_t)1 << 62) /* bytes of one entry: far above what any caller lets through */

struct tar_source {
	/* As read(2) from a pipe: at most size bytes, 0 at the end, or a negative errno with err set. */
	ssize_t (*read)(void *context, void *data, size_t size, struct error *err);
	/* Goes on by size bytes; 0, or a negative errno with err set. NULL: they are read. */
	int (*skip)(void *context, uint64_t size, struct error *err);
	void *context;
};

enum tar_kind {
	TAR_FILE,
	TAR_DIRECTORY,
	TAR_SYMLINK,
	TAR_HARD_LINK,
	TAR_FIFO,
	TAR_DEVICE, /* a character or block device */
};

struct tar_entry {
	enum tar_kind kind;
	const char *name;   /* as it stands in the archive, not empty; valid until the next call */
	const char *target; /* of a link, not empty; else "" */
	uint64_t size;	    /* of a file's content, bytes; 0 for all others */
	mode_t mode;	    /* the bits 07777 */
	uid_t uid;
	gid_t gid;
	int64_t mtime; /* seconds since 1970 */
};

struct tar;

/* source is copied. NULL: no memory. */
struct tar *tar_new(const struct tar_source *source);
void tar_free(struct tar *tar);
DEFINE_CLEANUP(struct tar *, tar_free);

/* Goes to the next entry; what is left of the one before is skipped. Returns 1 with *ret, 0 at the archive's end (all of the
 * source is read then: only zeros may follow), or a negative errno: ERROR_REFUSED for what is damaged or not supported. The
 * source stands at the entry's content. */
int tar_next(struct tar *tar, struct tar_entry *ret, struct error *err);
/* Reads of the entry's content: at most size bytes, 0 at its end. ERROR_REFUSED: the archive ends before. */
ssize_t tar_read(struct tar *tar, void *data, size_t size, struct error *err);
