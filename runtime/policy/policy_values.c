#include "policy/policy_values.h"

#include <ctype.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/path.h"
#include "base/quantity.h"

#define PROCESSORS_MAX 65536
#define PROCESSORS_LEAST 10 /* thousandths: with the usual period the least quota that the kernel takes */
#define PIDS_MAX ((uint64_t)4 * 1024 * 1024)

static int convert_bytes(const char *text, void *target, struct arena *arena, struct error *err)
{
	uint64_t value;

	(void)arena;
	if (quantity_size(text, &value) < 0)
		return error_invalid(err,
				     "is \"%.64s\": give bytes, as \"4096\", or with the suffix k, m, g or t, as \"2g\"; "
				     "\"0\" for no limit",
				     text);
	*(uint64_t *)target = value;
	return 0;
}

/* Thousandths, so that no floating-point number decides on a limit. */
static int convert_processors(const char *text, void *target, struct arena *arena, struct error *err)
{
	uint64_t value;

	(void)arena;
	if (quantity_thousandths(text, PROCESSORS_MAX, &value) < 0 || (value > 0 && value < PROCESSORS_LEAST))
		return error_invalid(
			err,
			"is \"%.64s\": give processors, as \"2\", \"1.5\" or \"0.25\", 0.01 to %d; \"0\" for no limit",
			text, PROCESSORS_MAX);
	*(uint64_t *)target = value;
	return 0;
}

/* Only in the form that the plan compares with: "/a/" or "/a/../b" would be an entry that never matches. */
static int convert_path(const char *text, void *target, struct arena *arena, struct error *err)
{
	const char *normal = path_normalise(arena, text);

	if (!normal)
		return error_memory(err);
	if (text[0] != '/' || strcmp(text, normal) != 0)
		return error_invalid(
			err, "\"%.200s\" is not an absolute path without \"//\", \".\" and \"..\": write \"%.200s\"",
			text, normal);
	if (text[1] == '\0')
		return error_invalid(err, "\"/\" would be all there is: name what lies below it");
	*(const char **)target = normal;
	return 0;
}

static int convert_sysctl(const char *text, void *target, struct arena *arena, struct error *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";
	size_t length = strspn(text, letters);
	char *name = arena_strdup(arena, text);

	if (!name)
		return error_memory(err);
	/* All of them would be no list. */
	if (length == 0 || (text[length] && strcmp(text + length, "*") != 0))
		return error_invalid(
			err,
			"\"%.200s\" is not the name of a setting: as \"net.core.somaxconn\", or with a star at its "
			"end, as \"net.ipv4.*\"",
			text);
	path_of_sysctl(name);
	*(const char **)target = name;
	return 0;
}

static int convert_interface(const char *text, void *target, struct arena *arena, struct error *err)
{
	size_t length = strcspn(text, "*"), n_visible = 0;

	while (isgraph((unsigned char)text[n_visible]))
		n_visible++;
	if (length == 0 || length >= IFNAMSIZ || text[n_visible] || (text[length] && text[length + 1]) ||
	    strpbrk(text, "/:%"))
		return error_invalid(
			err,
			"\"%.200s\" is not the name of a network interface: as \"eth1\", or with a star at its end, "
			"as \"mlx*\"",
			text);
	*(const char **)target = arena_strdup(arena, text);
	return *(const char **)target ? 0 : error_memory(err);
}

static int convert_annotation(const char *text, void *target, struct arena *arena, struct error *err)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++) {
		if (!isgraph((unsigned char)text[i]))
			length = 0;
	}
	if (length == 0)
		return error_invalid(err, "\"%.200s\" is not the name of an annotation, as \"brig.dev/device\"", text);
	*(const char **)target = arena_strdup(arena, text);
	return *(const char **)target ? 0 : error_memory(err);
}

static int convert_endpoint(const char *text, void *target, struct arena *arena, struct error *err)
{
	(void)arena;
	return endpoint_parse(text, target, err);
}

static int convert_capability(const char *text, void *target, struct arena *arena, struct error *err)
{
	int capability = names_capability(text);

	(void)arena;
	if (capability < 0)
		return error_invalid(err, "\"%.64s\" is not a known capability, as \"CAP_NET_RAW\"", text);
	*(int *)target = capability;
	return 0;
}

/* Each letter once: "rr" is a slip for "rw" more often than not. */
static int convert_access(const char *text, void *target, struct arena *arena, struct error *err)
{
	unsigned access = 0;

	(void)arena;
	for (const char *c = text; *c; c++) {
		unsigned bit = *c == 'r'   ? BPF_DEVCG_ACC_READ
			       : *c == 'w' ? BPF_DEVCG_ACC_WRITE
			       : *c == 'm' ? BPF_DEVCG_ACC_MKNOD
					   : 0;

		if (bit == 0 || access & bit)
			return error_invalid(err, "\"%.64s\" is no access: give letters of \"rwm\" (read, write, mknod)",
					     text);
		access |= bit;
	}
	if (access == 0)
		return error_invalid(err, "is empty: give letters of \"rwm\" (read, write, mknod)");
	*(unsigned *)target = access;
	return 0;
}

static const struct json_type pids = JSON_UNSIGNED_OF(uint64_t, PIDS_MAX);
static const struct json_type bytes = { .kind = JSON_CONVERT, .size = sizeof(uint64_t), .convert = convert_bytes };
static const struct json_type processors = { .kind = JSON_CONVERT,
					     .size = sizeof(uint64_t),
					     .convert = convert_processors };

const struct json_type policy_values_count = JSON_OPTIONAL_OF(struct opt_u64, &pids);
const struct json_type policy_values_bytes = JSON_OPTIONAL_OF(struct opt_u64, &bytes);
const struct json_type policy_values_processors = JSON_OPTIONAL_OF(struct opt_u64, &processors);

const struct json_type policy_values_path = { .kind = JSON_CONVERT, .size = sizeof(char *), .convert = convert_path };
const struct json_type policy_values_sysctl = { .kind = JSON_CONVERT, .size = sizeof(char *), .convert = convert_sysctl };
const struct json_type policy_values_interface = { .kind = JSON_CONVERT,
						   .size = sizeof(char *),
						   .convert = convert_interface };
const struct json_type policy_values_annotation = { .kind = JSON_CONVERT,
						    .size = sizeof(char *),
						    .convert = convert_annotation };
const struct json_type policy_values_endpoint = { .kind = JSON_CONVERT,
						  .size = sizeof(struct endpoint),
						  .convert = convert_endpoint };
const struct json_type policy_values_capability = { .kind = JSON_CONVERT,
						    .size = sizeof(int),
						    .convert = convert_capability };
const struct json_type policy_values_access = { .kind = JSON_CONVERT, .size = sizeof(unsigned), .convert = convert_access };
