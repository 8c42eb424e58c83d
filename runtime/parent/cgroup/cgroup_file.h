/* What small kernel files of a group say. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The number in dir_fd/file; "max", "-1" and v1's huge ones are -1 (no limit); otherwise where it can't be read. */
int64_t cgroup_file_number(int dir_fd, const char *file, int64_t otherwise);
/* The number behind the word key at the start of a line; otherwise where there is none. */
uint64_t cgroup_file_keyed(int dir_fd, const char *file, const char *key, uint64_t otherwise);
/* Is name one of the words, with blanks between, of list: the text of cgroup.controllers or cgroup.subtree_control? */
bool cgroup_file_has_word(const char *list, const char *name);
