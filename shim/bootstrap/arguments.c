#include "shim/bootstrap/arguments.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

/* As they are being read: what is not of interest afterwards is beside the arguments. */
struct flags {
	struct arguments arguments;
	bool info, version;
	const char *ignored;
};

static const struct flag {
	const char *name;
	bool is_bool;
	size_t offset; /* in struct flags, of a bool or a const char * */
} flag_table[] = {
	{ "namespace", false, offsetof(struct flags, arguments.namespace) },
	{ "address", false, offsetof(struct flags, arguments.address) },
	{ "publish-binary", false, offsetof(struct flags, arguments.publish_binary) },
	{ "id", false, offsetof(struct flags, arguments.id) },
	{ "bundle", false, offsetof(struct flags, arguments.bundle) },
	{ "socket", false, offsetof(struct flags, arguments.socket) },
	{ "debug-socket", false, offsetof(struct flags, ignored) },
	{ "debug", true, offsetof(struct flags, arguments.debug) },
	{ "info", true, offsetof(struct flags, info) },
	{ "v", true, offsetof(struct flags, version) },
	{ "version", true, offsetof(struct flags, version) },
};

#define FLAG_LIST "-namespace, -address, -publish-binary, -id, -bundle, -socket, -debug-socket, -debug, -info, -v"

static const struct flag *find_flag(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(flag_table); i++) {
		if (strlen(flag_table[i].name) == length && memcmp(flag_table[i].name, name, length) == 0)
			return &flag_table[i];
	}
	return NULL;
}

static int usage(struct error *err, const char *what, const char *found, const char *remedy)
{
	return error_set(err, ERROR_USAGE, EINVAL, "%s \"%.100s\"; %s", what, found, remedy);
}

/* The words that Go's strconv.ParseBool knows. */
static int parse_bool(const char *text, bool *ret)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*ret = strcmp(text, yes[i]) == 0;
			return 0;
		}
	}
	return -EINVAL;
}

/* One flag at *argv, which is moved on to its last word. */
static int take_flag(char *const **argv, struct flags *flags, struct error *err)
{
	const char *name = **argv + ((**argv)[1] == '-' ? 2 : 1);
	size_t length = strcspn(name, "=");
	const char *value = name[length] == '=' ? name + length + 1 : NULL;
	const struct flag *flag = find_flag(name, length);
	void *place;

	if (!flag)
		return usage(err, "unknown flag", **argv, "there are " FLAG_LIST);
	place = (char *)flags + flag->offset;
	if (flag->is_bool) {
		if (!value)
			value = "true";
		if (parse_bool(value, place) < 0)
			return usage(err, "a flag that is true or false has the value", value,
				     "write -debug or -debug=false");
		return 0;
	}
	if (!value)
		value = *++*argv;
	if (!value)
		return usage(err, "no value after", name, "write -name VALUE or -name=VALUE");
	*(const char **)place = value;
	return 0;
}

/* -v and -info go before any action, as with containerd's own shim, which looks at them first. */
static int take_action(const char *text, const struct flags *flags, enum arguments_action *ret, struct error *err)
{
	if (flags->version)
		*ret = ARGUMENTS_VERSION;
	else if (flags->info)
		*ret = ARGUMENTS_INFO;
	else if (!text)
		*ret = ARGUMENTS_SERVE;
	else if (strcmp(text, "start") == 0)
		*ret = ARGUMENTS_START;
	else if (strcmp(text, "delete") == 0)
		*ret = ARGUMENTS_DELETE;
	else if (strcmp(text, "features") == 0)
		*ret = ARGUMENTS_FEATURES;
	else
		return usage(err, "unknown action", text, "there are start, delete and features");
	return 0;
}

bool arguments_is_name(const char *text)
{
	static const char alphanumeric[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t length = strnlen(text, ARGUMENTS_NAME_MAX + 1);

	return length > 0 && length <= ARGUMENTS_NAME_MAX && strspn(text, alphanumeric) > 0 &&
	       strspn(text, allowed) == length;
}

static int check_name(const char *flag, const char *name, struct error *err)
{
	if (!*name)
		return error_set(err, ERROR_USAGE, EINVAL, "%s is missing; start, delete and serve need it", flag);
	if (!arguments_is_name(name))
		return error_set(err, ERROR_USAGE, EINVAL,
				 "%s is \"%.100s\"; it has to be of at most %u letters, digits, '.', '_' and '-', and "
				 "to begin with a letter or digit",
				 flag, name, ARGUMENTS_NAME_MAX);
	return 0;
}

/* -info and -v are asked by hand, without a container. */
static bool needs_names(enum arguments_action action)
{
	return action == ARGUMENTS_SERVE || action == ARGUMENTS_START || action == ARGUMENTS_DELETE;
}

int arguments_parse(char *const *argv, struct arguments *ret, struct error *err)
{
	struct flags flags = {
		.arguments = { .namespace = "", .id = "", .address = "", .publish_binary = "", .bundle = "", .socket = "" }
	};
	struct arguments *arguments = &flags.arguments;
	int r;

	for (argv += *argv ? 1 : 0; *argv && (*argv)[0] == '-' && (*argv)[1]; argv++) {
		if (strcmp(*argv, "--") == 0) {
			argv++;
			break;
		}
		r = take_flag(&argv, &flags, err);
		if (r < 0)
			return r;
	}
	/* What follows the action is left alone, as containerd's own shim does. */
	r = take_action(*argv, &flags, &arguments->action, err);
	if (r < 0)
		return r;
	if (needs_names(arguments->action)) {
		r = check_name("-namespace", arguments->namespace, err) ?: check_name("-id", arguments->id, err);
		if (r < 0)
			return r;
	}
	*ret = *arguments;
	return 0;
}
