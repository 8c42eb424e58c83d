/* The home directory that the container's own /etc/passwd gives its user. */
#pragma once

#include <sys/types.h>

/* Fills home with the directory of uid, or "/" where there is none that makes sense. Reads /etc/passwd, which the container
 * controls: a regular file only, at most 1 MiB, absolute printable paths only (CVE-2022-4318). */
void home_of_user(uid_t uid, char *home, size_t size);
/* The same out of the text of a passwd(5) file: the first line of uid counts. size: at least 2 bytes. */
void home_find(const char *text, uid_t uid, char *home, size_t size);
