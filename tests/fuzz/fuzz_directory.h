/* One directory for a fuzzer's whole run, for parsers that read files. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The directory's descriptor, made (below $TMPDIR or /tmp) and removed at exit; name in it holds data. Aborts where that fails. */
int fuzz_directory_with(const char *name, const uint8_t *data, size_t size);
