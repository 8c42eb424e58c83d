/* Small kernel files of a group as numbers. */
#pragma once

#include <stdint.h>

/* The number in dir_fd/file; "max", "-1" and v1's huge ones are -1 (no limit); otherwise where it can't be read. */
int64_t cgroup_file_number(int dir_fd, const char *file, int64_t otherwise);
/* The number behind the word key at the start of a line; otherwise where there is none. */
uint64_t cgroup_file_keyed(int dir_fd, const char *file, const char *key, uint64_t otherwise);
/* CLOCK_MONOTONIC in milliseconds, for deadlines. */
int64_t cgroup_file_milliseconds(void);
