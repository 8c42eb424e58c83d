#include "spec/spec_validate.h"

#include <linux/sched.h>
#include <stdio.h>
#include <string.h>

#include "spec/spec_check.h"

/* __NEW_UTS_LEN of the kernel */
#define HOSTNAME_MAX 64

/* One dotted number without sign or leading zero; moves *text behind it. */
static bool version_number(const char **text)
{
	size_t length = strspn(*text, "0123456789");
	bool valid = length > 0 && length < 10 && (length == 1 || (*text)[0] != '0');

	*text += length;
	return valid;
}

/* What follows MAJOR.MINOR.PATCH: "-rc.1", "+dev", both, or nothing (semver.org, 9 and 10). */
static bool version_suffix(const char *text)
{
	size_t length = strlen(text);

	if (length == 0)
		return true;
	return (text[0] == '-' || text[0] == '+') && length > 1 && spec_check_charset(text + 1, "-.+");
}

static int check_version(const char *version, struct error *err)
{
	const char *rest = version;
	bool valid = version_number(&rest);

	for (int i = 0; i < 2 && valid; i++)
		valid = *rest++ == '.' && version_number(&rest);
	if (!valid || !version_suffix(rest))
		return error_invalid(err, "ociVersion: \"%.*s\" is not a version such as \"1.3.0\"", SPEC_SHOWN, version);
	/* Minor versions only add (config.md, "Specification version"), and what is unknown to us is ignored by rule. */
	if (strncmp(version, "1.", 2) != 0)
		return error_invalid(err, "ociVersion: \"%.*s\" is not supported; allowed: 1.x.y", SPEC_SHOWN, version);
	return 0;
}

static int check_names(const struct spec *spec, struct error *err)
{
	const struct {
		const char *field, *value;
	} names[] = { { "hostname", spec->hostname }, { "domainname", spec->domainname } };

	for (size_t i = 0; i < 2; i++) {
		if (!names[i].value)
			continue;
		if (strlen(names[i].value) > HOSTNAME_MAX)
			return error_invalid(err, "%s: %zu bytes long; at most %d are allowed", names[i].field,
					     strlen(names[i].value), HOSTNAME_MAX);
		if (spec_check_plain(names[i].value, "", names[i].field, err) < 0)
			return -EINVAL;
		/* It would be the host's own that changes. */
		if (!spec_validate_find_namespace(&spec->linux_, CLONE_NEWUTS))
			return error_invalid(err, "%s: \"%s\" needs an entry of type \"uts\" in linux.namespaces",
					     names[i].field, names[i].value);
	}
	return 0;
}

/* Empty values are allowed (config.md "Annotations"), keys are not. */
static int check_annotations(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->n_annotations; i++)
		if (spec->annotations[i].name[0] == '\0')
			return error_invalid(err, "annotations: an empty key is not allowed");
	return 0;
}

int spec_validate_mounts(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		char where[32];
		int r;

		snprintf(where, sizeof(where), "mounts[%zu].", i);
		if (!mount->destination)
			return error_invalid(err, "%sdestination: an empty path is not allowed", where);
		if (!mount->n_uid_mappings != !mount->n_gid_mappings)
			return error_invalid(err, "%s%s is missing; uidMappings and gidMappings go together", where,
					     mount->n_uid_mappings ? "gidMappings" : "uidMappings");
		r = spec_validate_id_map(mount->uid_mappings, mount->n_uid_mappings, where, "uidMappings", err);
		if (r == 0)
			r = spec_validate_id_map(mount->gid_mappings, mount->n_gid_mappings, where, "gidMappings", err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Paths are the host's, and hooks run with the runtime's rights: a relative one would be looked up in its working directory. */
static int check_hook_list(const struct spec_hook *list, size_t n, const char *name, struct error *err)
{
	struct spec_place place = { .where = "hooks.", .list = name, .member = ".path" };
	char where[64];
	int r = 0;

	for (place.index = 0; place.index < n && r == 0; place.index++) {
		const struct spec_hook *hook = &list[place.index];

		snprintf(where, sizeof(where), "hooks.%s[%zu].", name, place.index);
		if (hook->timeout.set && hook->timeout.value <= 0)
			return error_invalid(err, "%stimeout: %d is not allowed; it has to be above 0 seconds", where,
					     hook->timeout.value);
		r = spec_check_absolute(hook->path, &place, err);
		if (r == 0)
			r = spec_check_env(hook->env, hook->n_env, where, err);
	}
	return r;
}

int spec_validate_hooks(const struct spec_hooks *hooks, struct error *err)
{
	const struct {
		const char *name;
		const struct spec_hook *list;
		size_t n;
	} kinds[] = {
		{ "prestart", hooks->prestart, hooks->n_prestart },
		{ "createRuntime", hooks->create_runtime, hooks->n_create_runtime },
		{ "createContainer", hooks->create_container, hooks->n_create_container },
		{ "startContainer", hooks->start_container, hooks->n_start_container },
		{ "poststart", hooks->poststart, hooks->n_poststart },
		{ "poststop", hooks->poststop, hooks->n_poststop },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && r == 0; i++)
		r = check_hook_list(kinds[i].list, kinds[i].n, kinds[i].name, err);
	return r;
}

int spec_validate(const struct spec *spec, struct error *err)
{
	int r = check_version(spec->oci_version, err);

	if (r == 0 && !spec->root.path)
		r = error_invalid(err, "root.path: an empty path is not allowed");
	if (r == 0 && spec->process)
		r = spec_validate_process(spec->process, "process.", err);
	if (r == 0)
		r = check_names(spec, err);
	if (r == 0)
		r = spec_validate_mounts(spec, err);
	if (r == 0)
		r = spec_validate_hooks(&spec->hooks, err);
	if (r == 0)
		r = check_annotations(spec, err);
	if (r == 0)
		r = spec_validate_linux(&spec->linux_, err);
	return r;
}
