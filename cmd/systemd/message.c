#include "cmd/systemd/message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define BYTES_MAX 1024

/* strtoull(3) takes "-1" for the greatest number, and an empty text for 0. */
static int number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno || end == text || *end || text[0] == '-' ? -EINVAL : 0;
}

static int append_u64(sd_bus_message *message, const struct request_property *property)
{
	uint64_t value;
	int r = number(property->value, &value);

	return r < 0 ? r : sd_bus_message_append(message, "(sv)", property->name, "t", value);
}

static int append_i32(sd_bus_message *message, const struct request_property *property)
{
	uint64_t value;
	int r = number(property->value, &value);

	if (r == 0 && value > INT32_MAX)
		r = -EINVAL;
	return r < 0 ? r : sd_bus_message_append(message, "(sv)", property->name, "i", (int32_t)value);
}

static int append_bool(sd_bus_message *message, const struct request_property *property)
{
	return sd_bus_message_append(message, "(sv)", property->name, "b", strcmp(property->value, "true") == 0);
}

static int append_text(sd_bus_message *message, const struct request_property *property)
{
	return sd_bus_message_append(message, "(sv)", property->name, "s", property->value);
}

/* "PATH SPEED": IOReadBandwidthMax and its like (org.freedesktop.systemd1(5)). */
static int append_device(sd_bus_message *message, const struct request_property *property)
{
	const char *space = strchr(property->value, ' ');
	AUTO_FREE char *path = space ? strndup(property->value, (size_t)(space - property->value)) : NULL;
	uint64_t value;
	int r = path ? number(space + 1, &value) : -EINVAL;

	return r < 0 ? r : sd_bus_message_append(message, "(sv)", property->name, "a(st)", 1, path, value);
}

/* "(sv)" by hand, around an array that `append` fills. */
static int append_array(sd_bus_message *message, const struct request_property *property,
			int (*append)(sd_bus_message *message, const char *value))
{
	int r = sd_bus_message_open_container(message, 'r', "sv");

	if (r >= 0)
		r = sd_bus_message_append(message, "s", property->name);
	if (r >= 0)
		r = sd_bus_message_open_container(message, 'v', property->signature);
	if (r >= 0)
		r = append(message, property->value);
	if (r >= 0)
		r = sd_bus_message_close_container(message);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

static int add_bytes(sd_bus_message *message, const char *value)
{
	unsigned char bytes[BYTES_MAX];
	size_t n = strlen(value) / 2;

	if (n > sizeof(bytes) || strlen(value) % 2 || strspn(value, "0123456789abcdef") != strlen(value))
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		const char two[] = { value[2 * i], value[2 * i + 1], '\0' };

		bytes[i] = (unsigned char)strtoul(two, NULL, 16);
	}
	return sd_bus_message_append_array(message, 'y', bytes, n);
}

static int add_words(sd_bus_message *message, const char *value)
{
	AUTO_FREE char *copy = strdup(value);
	char *rest = copy;
	int r = copy ? sd_bus_message_open_container(message, 'a', "s") : -ENOMEM;

	for (const char *word = strsep(&rest, " "); r >= 0 && word; word = strsep(&rest, " ")) {
		if (*word)
			r = sd_bus_message_append(message, "s", word);
	}
	return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_bytes(sd_bus_message *message, const struct request_property *property)
{
	return append_array(message, property, add_bytes);
}

static int append_words(sd_bus_message *message, const struct request_property *property)
{
	return append_array(message, property, add_words);
}

/* By the signature that brig gives: which properties there are is known to cgroup_unit_properties.c alone. */
static int append_property(sd_bus_message *message, const struct request_property *property)
{
	static const struct {
		const char *signature;
		int (*append)(sd_bus_message *message, const struct request_property *property);
	} kinds[] = {
		{ "t", append_u64 },	{ "i", append_i32 },	{ "b", append_bool },	    { "s", append_text },
		{ "ay", append_bytes }, { "as", append_words }, { "a(st)", append_device },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(property->signature, kinds[i].signature) == 0)
			return kinds[i].append(message, property);
	}
	return -EINVAL;
}

static int append_all(sd_bus_message *message, const struct request *request)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < request->n_properties; i++)
		r = append_property(message, &request->properties[i]);
	return r;
}

/* PIDs 0 is who asks, as the bus knows it: a number of ours could be another process in systemd's pid namespace. */
static int append_common(sd_bus_message *message, const struct request *request)
{
	int r = sd_bus_message_append(message, "(sv)(sv)(sv)(sv)(sv)(sv)", "Description", "s", request->description,
				      "Slice", "s", request->slice, "Delegate", "b", 1, "DefaultDependencies", "b", 0,
				      "CollectMode", "s", "inactive-or-failed", "PIDs", "au", 1, 0);

	return r;
}

int message_append_start(sd_bus_message *message, const struct request *request)
{
	int r = sd_bus_message_open_container(message, 'a', "(sv)");

	if (r >= 0)
		r = append_common(message, request);
	if (r >= 0)
		r = append_all(message, request);
	if (r >= 0)
		r = sd_bus_message_close_container(message);
	return r < 0 ? r : sd_bus_message_append(message, "a(sa(sv))", 0);
}

int message_append_set(sd_bus_message *message, const struct request *request)
{
	int r = sd_bus_message_open_container(message, 'a', "(sv)");

	if (r >= 0)
		r = append_all(message, request);
	return r < 0 ? r : sd_bus_message_close_container(message);
}
