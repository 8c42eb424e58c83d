#include "child/home.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"

#define PASSWD_MAX ((size_t)1024 * 1024)

/* The nth field of a line with ":" between fields; NULL where there are fewer. */
static const char *field(const char *line, unsigned n, size_t *ret_length)
{
	while (n > 0 && *line && *line != '\n') {
		if (*line++ == ':')
			n--;
	}
	*ret_length = strcspn(line, ":\n");
	return n == 0 ? line : NULL;
}

static bool is_uid(const char *text, size_t length, uid_t uid)
{
	char wanted[16];
	int n = snprintf(wanted, sizeof(wanted), "%u", uid);

	return (size_t)n == length && memcmp(text, wanted, length) == 0;
}

static bool is_sound_path(const char *text, size_t length, size_t size)
{
	if (length == 0 || length >= size || text[0] != '/')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (iscntrl((unsigned char)text[i]))
			return false;
	}
	return true;
}

void home_find(const char *text, uid_t uid, char *home, size_t size)
{
	const char *line, *id, *directory;
	size_t n_id, n_directory;

	snprintf(home, size, "/");
	for (line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		id = field(line, 2, &n_id);
		if (!id || !is_uid(id, n_id, uid))
			continue;
		directory = field(line, 5, &n_directory);
		if (directory && is_sound_path(directory, n_directory, size)) {
			memcpy(home, directory, n_directory);
			home[n_directory] = '\0';
		}
		return;
	}
}

void home_of_user(uid_t uid, char *home, size_t size)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };

	snprintf(home, size, "/");
	if (file_read_at(AT_FDCWD, "/etc/passwd", PASSWD_MAX, &text, NULL) == 0 && text.data)
		home_find(text.data, uid, home, size);
}
