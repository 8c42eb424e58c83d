/* libFuzzer: any bytes as what a client of the egress proxy sends first after CONNECT. A name is there once, and more bytes change nothing. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "proxy/client_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_name(const uint8_t *data, size_t size, char name[static CLIENT_HELLO_NAME_MAX + 1])
{
	AUTO_FREE uint8_t *bytes = malloc(size ?: 1);

	memcpy(bytes, data, size);
	return client_hello_name(bytes, size, name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[CLIENT_HELLO_NAME_MAX + 1] = "untouched", shorter[CLIENT_HELLO_NAME_MAX + 1];
	int rc = read_name(data, size, name), part;

	if (rc != 0 && rc != 1 && rc != -EINVAL)
		abort();
	if (rc != 1) {
		if (strcmp(name, "untouched") != 0 || (rc == 0 && size >= CLIENT_HELLO_MAX))
			abort();
		return 0;
	}
	if (name[0] == '\0' || !memmem(data, size, name, 1))
		abort();
	/* It may come in any number of pieces: none of its beginnings may be refused, or be taken for another name. */
	for (size_t n = size > 64 ? size - 64 : 0; n < size; n++) {
		part = read_name(data, n, shorter);
		if (part < 0 || (part == 1 && strcmp(shorter, name) != 0))
			abort();
	}
	return 0;
}
