#include "plan/plan_hook_environment.h"

#include <string.h>

#include "base/cleanup.h"

/* Names, or with a star at the end the beginning of names. What engines and vendors give their hooks they give as arguments, and by the state
 * on the standard input. An allow list: which variables have a program load or run something nobody can list, and programs get new ones. */
static const char *const allowed[] = {
	"LANG",
	"LC_*",		    /* in which language it writes; catalogues are the system's, where the name has no slash */
	"NVIDIA_CTK_DEBUG", /* of each hook in NVIDIA's CDI specifications: whether it writes much. Others of NVIDIA_* name files */
	"TERM",
};

#define SAFE_IN_NAMES "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define SAFE_IN_VALUES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.@-"
#define SYSTEM_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool has_name(const char *variable, const char *name)
{
	size_t length = strlen(name);

	if (name[length - 1] == '*')
		return strncmp(variable, name, length - 1) == 0 && variable[strspn(variable, SAFE_IN_NAMES)] == '=';
	return strncmp(variable, name, length) == 0 && variable[length] == '=';
}

static bool is_safe_value(const char *value)
{
	return value[0] != '.' && value[strspn(value, SAFE_IN_VALUES)] == '\0';
}

static bool is_allowed(const char *variable)
{
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		if (has_name(variable, allowed[i]))
			return is_safe_value(strchr(variable, '=') + 1);
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
	return is_allowed(variable) ? variable : NULL;
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
