/* libFuzzer: any bytes as a container's /etc/passwd. Whatever comes out is an absolute path without control characters. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "child/home.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uid_t uids[] = { 0, 5, 1000, 4294967295U };
	AUTO_FREE char *text = malloc(size + 1);
	char home[32];

	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(uids); i++) {
		memset(home, 'x', sizeof(home));
		home_find(text, uids[i], home, sizeof(home));
		if (home[0] != '/' || strnlen(home, sizeof(home)) == sizeof(home))
			abort();
		for (const char *letter = home; *letter; letter++) {
			if (iscntrl((unsigned char)*letter))
				abort();
		}
	}
	return 0;
}
