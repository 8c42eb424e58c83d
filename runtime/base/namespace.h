/* Namespaces by the files that stand for them (namespaces(7)). A kind is its flag: CLONE_NEWNET, ... */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Opens the namespace at path, and nothing else that may be there: the path is the caller's word, to open a device does something, and a
 * FIFO would hang us. A descriptor or a negative errno; -EINVAL: that is no namespace file. */
int namespace_open(const char *path);
/* "/proc/self/ns/net"; NULL: no such kind. */
const char *namespace_own_file(uint64_t kind);
/* Is it the one of that kind in which we are? Also where that can't be found out. */
bool namespace_is_own(int fd, uint64_t kind);
