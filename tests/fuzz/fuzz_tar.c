/* libFuzzer: any bytes as a tar archive. Whatever entries come out have names and targets that the tree can be given, and names that
 * are cut stay inside. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "image/entry_name.h"
#include "image/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory {
	const uint8_t *data;
	size_t size;
};

static ssize_t memory_read(void *context, void *data, size_t size, struct error *err)
{
	struct memory *memory = context;
	size_t n = memory->size < size ? memory->size : size;

	(void)err;
	if (n > 0)
		memcpy(data, memory->data, n);
	memory->data += n;
	memory->size -= n;
	return (ssize_t)n;
}

static void check_inside(const char *name)
{
	struct entry_name cut;
	struct error err = { 0 };

	if (entry_name_cut(name, &cut, &err) < 0)
		return;
	if (cut.parent[0] == '/' || strchr(cut.leaf, '/') || strcmp(cut.leaf, "..") == 0 || strcmp(cut.leaf, ".") == 0 ||
	    strncmp(cut.parent, "../", 3) == 0 || strcmp(cut.parent, "..") == 0 || strstr(cut.parent, "/../"))
		abort();
}

static void check_entry(const struct tar_entry *entry)
{
	bool is_link = entry->kind == TAR_SYMLINK || entry->kind == TAR_HARD_LINK;

	if (!*entry->name || strlen(entry->name) > TAR_NAME_MAX || strlen(entry->target) > TAR_NAME_MAX ||
	    is_link != (*entry->target != '\0') || entry->mode > 07777 || entry->mtime < 0 ||
	    (entry->kind != TAR_FILE && entry->size > 0) || entry->size > TAR_MEMBER_MAX)
		abort();
	check_inside(entry->name);
	check_inside(entry->target);
}

/* Whatever looks like a header gets the checksum that fits: chance alone never finds one. */
static void repair(uint8_t *data, size_t size)
{
	for (uint8_t *block = data; size >= 512; block += 512, size -= 512) {
		unsigned sum = 0;

		if (memcmp(block + 257, "ustar", 5) != 0)
			continue;
		memset(block + 148, ' ', 8);
		for (unsigned i = 0; i < 512; i++)
			sum += block[i];
		for (unsigned i = 6; i-- > 0; sum >>= 3)
			block[148 + i] = (uint8_t)('0' + (sum & 7));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE uint8_t *copy = malloc(size + 1);
	struct memory memory = { copy, size };
	struct tar_source source = { .read = memory_read, .context = &memory };
	AUTO(tar_free) struct tar *tar = tar_new(&source);
	struct error err = { 0 };
	struct tar_entry entry;
	char content[100];
	int rc;

	memcpy(copy, data, size);
	repair(copy, size);
	while ((rc = tar_next(tar, &entry, &err)) > 0) {
		check_entry(&entry);
		if (tar_read(tar, content, sizeof(content), &err) < 0)
			break;
	}
	if (rc == 0 && memory.size > 0)
		abort(); /* the end is where nothing is left */
	return 0;
}
