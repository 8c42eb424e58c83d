#include "shim/bootstrap/address.h"

#include <string.h>

#include <sha2.h>

#include "base/json.h"
#include "base/path.h"
#include "shim/bootstrap/arguments.h"

/* The first one that is there counts: the pod that CRI-O gives, containerd's own, then the pod that CRI gives. CRI-O copies whatever
 * annotations a pod has, the other two among them, and sets its own last: a pod's author must not choose another pod's shim. */
static const char *const group_annotations[] = { "io.kubernetes.cri-o.SandboxID", "io.containerd.runc.v2.group",
						 "io.kubernetes.cri.sandbox-id" };

/* All that `start` reads of config.json: the rest is looked at when the container is made, and its errors are told then. */
struct config {
	const struct json_pair *annotations;
	size_t n_annotations;
};

static const struct json_field config_fields[] = {
	{ "annotations", &json_pairs, JSON_COUNTED(struct config, annotations) },
	{ 0 },
};
static const struct json_type config_type = JSON_OBJECT_OF(struct config, config_fields);

static void append_hex(const uint8_t digest[SHA256_DIGEST_LENGTH], char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i++) {
		*text++ = digits[digest[i] >> 4];
		*text++ = digits[digest[i] & 15];
	}
	*text = '\0';
}

/* As Go's filepath.Join: folded, and absolute only where the first part is. */
static const char *join(const struct address_parts *parts, struct arena *arena)
{
	const char *given = arena_printf(arena, "%s/%s/%s", parts->containerd, parts->namespace, parts->group);
	const char *path = given ? path_normalise(arena, given) : NULL;

	if (path && parts->containerd[0] != '/')
		path++;
	return path;
}

int address_format(const struct address_parts *parts, struct arena *arena, const char **ret, struct error *err)
{
	char hex[2 * SHA256_DIGEST_LENGTH + 1];
	uint8_t digest[SHA256_DIGEST_LENGTH];
	const char *joined = join(parts, arena);
	const char *address;
	SHA2_CTX context;

	if (parts->directory[0] != '/')
		return error_invalid(err,
				     "the socket directory \"%.200s\" is not absolute; give a path that begins with /",
				     parts->directory);
	if (strlen(parts->directory) + 1 + sizeof(hex) - 1 > ADDRESS_PATH_MAX)
		return error_invalid(
			err, "the socket directory \"%.200s\" has %zu bytes, and a socket's path leaves room for %zu",
			parts->directory, strlen(parts->directory), ADDRESS_PATH_MAX - sizeof(hex));
	if (!joined)
		return error_memory(err);
	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)joined, strlen(joined));
	SHA256Final(digest, &context);
	append_hex(digest, hex);
	address = arena_printf(arena, ADDRESS_SCHEME "%s/%s", parts->directory, hex);
	if (!address)
		return error_memory(err);
	*ret = address;
	return 0;
}

/* An empty value says nothing: CRI sets annotations that it has no value for. */
static const char *find_annotation(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_annotations; i++) {
		if (strcmp(config->annotations[i].name, name) == 0 && *config->annotations[i].value)
			return config->annotations[i].value;
	}
	return NULL;
}

int address_group(struct address_config config_json, const char *id, struct arena *arena, const char **ret,
		  struct error *err)
{
	const struct json_limits limits = { .bytes = ADDRESS_CONFIG_MAX };
	const struct json_input input = { config_json.json, config_json.length, &limits };
	struct config config = { 0 };
	int r = json_decode(&input, &config_type, &config, arena, err);

	if (r < 0)
		return error_prefix(err, "config.json");
	for (size_t i = 0; i < sizeof(group_annotations) / sizeof(group_annotations[0]); i++) {
		const char *group = find_annotation(&config, group_annotations[i]);

		if (!group)
			continue;
		if (!arguments_is_name(group))
			return error_invalid(err,
					     "config.json: annotations.%s: \"%.100s\" names no group; use letters, digits, "
					     "'.', '_' and '-'",
					     group_annotations[i], group);
		*ret = group;
		return 0;
	}
	*ret = id;
	return 0;
}
