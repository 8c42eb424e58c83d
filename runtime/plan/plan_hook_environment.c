#include "plan/plan_hook_environment.h"

#include <string.h>

#include "base/cleanup.h"

/* Names, or with a star at the end the beginning of names, by which a program that the site lists would load or run what it does not list:
 * of the dynamic loader and the C library (ld.so(8)), of interpreters, and of where programs have their settings. */
static const char *const steering[] = {
	"LD_*",
	"GLIBC_TUNABLES",
	"GCONV_PATH",
	"GETCONF_DIR",
	"HOSTALIASES",
	"LOCALDOMAIN",
	"LOCPATH",
	"MALLOC_*",
	"NIS_PATH",
	"NLSPATH",
	"RESOLV_HOST_CONF",
	"RES_OPTIONS",
	"TMPDIR",
	"TZDIR",
	"BASH_ENV",
	"BASH_FUNC_*",
	"BASHOPTS",
	"ENV",
	"IFS",
	"PS4",
	"SHELLOPTS",
	"PERL*",
	"PYTHON*",
	"RUBY*",
	"LUA*",
	"NODE_*",
	"JAVA_*",
	"JDK_JAVA_OPTIONS",
	"_JAVA_*",
	"OPENSSL_*",
	"GIT_*",
	"XDG_*",
	"GODEBUG",
	"GOTRACEBACK",
};

#define SYSTEM_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool has_name(const char *variable, const char *name)
{
	size_t length = strlen(name);

	if (name[length - 1] == '*')
		return strncmp(variable, name, length - 1) == 0;
	return strncmp(variable, name, length) == 0 && variable[length] == '=';
}

static bool steers(const char *variable)
{
	static const char home[] = "HOME=";

	if (strncmp(variable, home, strlen(home)) == 0)
		return strcmp(variable + strlen(home), "/root") != 0 && strcmp(variable + strlen(home), "/") != 0;
	for (size_t i = 0; i < ARRAY_SIZE(steering); i++) {
		if (has_name(variable, steering[i]))
			return true;
	}
	return false;
}

/* Is each of the directories one of the system's? */
static bool is_system_path(const char *path)
{
	for (const char *part = path;; part++) {
		size_t length = strcspn(part, ":");
		const char *known = SYSTEM_PATH;

		while (known && !(strncmp(known, part, length) == 0 && strchr(":", known[length]))) {
			known = strchr(known, ':');
			known = known ? known + 1 : NULL;
		}
		if (!known || length == 0)
			return false;
		part += length;
		if (!*part)
			return true;
	}
}

const char *plan_hook_environment_of(const char *variable)
{
	static const char path[] = "PATH=";

	if (strncmp(variable, path, strlen(path)) == 0)
		return is_system_path(variable + strlen(path)) ? variable : "PATH=" SYSTEM_PATH;
	return steers(variable) ? NULL : variable;
}

int plan_hook_environment_clear(struct arena *arena, struct plan_hook *hook, struct error *err)
{
	const char **kept;
	size_t n = 0;

	while (hook->envp[n])
		n++;
	kept = arena_array_of(arena, n + 1, const char *);
	if (!kept)
		return error_memory(err);
	n = 0;
	for (size_t i = 0; hook->envp[i]; i++) {
		kept[n] = plan_hook_environment_of(hook->envp[i]);
		n += kept[n] != NULL;
	}
	kept[n] = NULL;
	hook->envp = kept;
	return 0;
}
