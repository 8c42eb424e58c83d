/* Linked into brig and the shim in place of what they call (ld's --wrap): programs of the tests alone, in which a defence is off. BRIG_WITHOUT
 * has the names of those, with commas; README.md says what each is. brig itself has no switch for any of it.
 *
 * Such a program can do harm, so it runs only where "/" is read-only, which `confined` sees to. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <yajl/yajl_parse.h>

#include "base/json.h"
#include "base/json_scalar.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "child/home.h"
#include "child/hooks.h"
#include "child/mount_make.h"
#include "child/steps.h"
#include "container/brig.h"
#include "plan/plan_builder.h"
#include "spec/spec_validate.h"
#include "tests/cve/without.h"

#define N_ARGUMENTS 6
#define SLOW_USEC 200000
#define SWAP_USEC 5000

bool without(const char *defence)
{
	size_t length = strlen(defence);

	for (const char *list = getenv("BRIG_WITHOUT"); list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL) {
		if (strncmp(list, defence, length) == 0 && (list[length] == ',' || list[length] == '\0'))
			return true;
	}
	return false;
}

__attribute__((constructor)) static void check_place(void)
{
	struct statvfs root;

	if (statvfs("/", &root) == 0 && root.f_flag & ST_RDONLY)
		return;
	fputs("without: broken on purpose, so it runs only where / is read-only: tests/cve/confined.c\n", stderr);
	_exit(125);
}

/* "beneath": what another runtime does that joins the root's path and the container's. */
static long open_naively(long *arguments)
{
	const struct open_how *how = (const struct open_how *)(uintptr_t)arguments[2];
	const char *path = (const char *)(uintptr_t)arguments[1];
	int dir_fd = (int)arguments[0];

	if (dir_fd != AT_FDCWD && *path == '/')
		path += strspn(path, "/");
	return openat(dir_fd, *path ? path : ".", (int)how->flags & ~O_NOFOLLOW, (mode_t)how->mode);
}

/* All of brig's calls without a function of libc's. */
long __wrap_syscall(long number, ...)
{
	long arguments[N_ARGUMENTS];
	struct mount_attr attr;
	va_list list;

	va_start(list, number);
	for (size_t i = 0; i < N_ARGUMENTS; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_openat2 && without("beneath"))
		return open_naively(arguments);
	/* "descriptors": what the caller has open stays. */
	if (number == SYS_close_range && without("descriptors"))
		return 0;
	if (number == SYS_clone3 && without("cgroup"))
		((struct clone_args *)(uintptr_t)arguments[0])->flags &= ~(uint64_t)CLONE_INTO_CGROUP;
	if (number == SYS_mount_setattr && without("read-only")) {
		attr = *(struct mount_attr *)(uintptr_t)arguments[3];
		attr.attr_set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
		arguments[3] = (long)(uintptr_t)&attr;
	}
	return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

int __wrap_fsmount(int context_fd, unsigned flags, unsigned attributes)
{
	return __real_fsmount(context_fd, flags,
			      without("read-only") ? attributes & ~(unsigned)MOUNT_ATTR_RDONLY : attributes);
}

int __wrap_prctl(int option, ...)
{
	unsigned long arguments[4];
	va_list list;

	va_start(list, option);
	for (size_t i = 0; i < 4; i++)
		arguments[i] = va_arg(list, unsigned long);
	va_end(list);
	if (option == PR_SET_DUMPABLE && without("undumpable"))
		return 0;
	return __real_prctl(option, arguments[0], arguments[1], arguments[2], arguments[3]);
}

/* "procfs": nothing is known of /proc. */
int __wrap_fstatfs(int fd, struct statfs *status)
{
	int rc = __real_fstatfs(fd, status);

	if (rc == 0 && status->f_type == PROC_SUPER_MAGIC && without("procfs"))
		status->f_type = 0;
	return rc;
}

bool __wrap_path_is_below(const char *path, const char *prefix)
{
	return !(strcmp(prefix, "/proc") == 0 && without("procfs")) && __real_path_is_below(path, prefix);
}

/* "race": somebody who shares /dev puts a link in the place of /dev/null, when that has been made. "null-device": whatever is there is
 * taken for it, while masks are made. */
static bool is_masking;

int __wrap_guarded_mask(struct child *child, struct error *err)
{
	int rc;

	is_masking = without("null-device");
	if (without("race") && (unlink("/dev/null") < 0 || symlink("/bait", "/dev/null") < 0))
		return error_system(err, errno, "play the attacker");
	rc = __real_guarded_mask(child, err);
	is_masking = false;
	return rc;
}

/* "owner": every directory is ours. */
int __wrap_fstat(int fd, struct stat *status)
{
	int rc = __real_fstat(fd, status);

	if (rc == 0 && is_masking && S_ISREG(status->st_mode)) {
		status->st_mode = S_IFCHR | 0666;
		status->st_rdev = makedev(1, 3);
	}
	if (rc == 0 && S_ISDIR(status->st_mode) && without("owner")) {
		status->st_uid = geteuid();
		status->st_mode &= ~(mode_t)0022;
	}
	return rc;
}

/* "modes": directories and sockets are for others as well. */
int __wrap_mkdirat(int dir_fd, const char *path, mode_t mode)
{
	return __real_mkdirat(dir_fd, path, without("modes") ? mode | 0055 : mode);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return __real_mkdir(path, without("modes") ? mode | 0055 : mode);
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return __real_fchmod(fd, without("modes") ? mode | 0066 : mode);
}

/* "same-source": nobody asks whether what is mounted is what was judged, and there is time to change it. */
int __wrap_mount_make(const struct plan_mount *mount, int userns_fd, struct error *err)
{
	struct plan_mount changed = *mount;

	if (without("same-source") && mount->source_checked) {
		changed.source_checked = false;
		usleep(SWAP_USEC);
	}
	return __real_mount_make(&changed, userns_fd, err);
}

/* "undumpable" again: as the runtime of CVE-2016-9962, which wanted its maps written, on a host that is slow here, so that who looks sees
 * something. The kernel itself makes undumpable who changes its user. */
int __wrap_namespaces_enter_container(struct child *child, struct error *err)
{
	int rc = __real_namespaces_enter_container(child, err);

	if (rc >= 0 && without("undumpable")) {
		__real_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		usleep(SLOW_USEC);
	}
	return rc;
}

/* "namespaced": each setting is taken for one of a namespace of the container's own. */
enum plan_namespace_origin __wrap_plan_builder_namespace(const struct plan_builder *builder, uint64_t flag)
{
	return flag == CLONE_NEWNET && without("namespaced") ? PLAN_NAMESPACE_NEW
							     : __real_plan_builder_namespace(builder, flag);
}

/* "own-procfs": by the path that the container sees, before it is entered. */
int __wrap_private_proc_write_sysctls(struct child *child, struct error *err)
{
	char path[256];

	if (!without("own-procfs"))
		return __real_private_proc_write_sysctls(child, err);
	for (size_t i = 0; i < child->plan->n_sysctls; i++) {
		const struct plan_pair *sysctl = &child->plan->sysctls[i];
		AUTO_CLOSE int fd = -EBADF;

		snprintf(path, sizeof(path), "proc/sys/%s", sysctl->name);
		fd = openat(child->root_fd, path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, sysctl->value, strlen(sysctl->value)) < 0)
			return error_system(err, errno, "write %s", path);
	}
	return 0;
}

/* "properties": each annotation of that kind is a property of the unit's, whatever it is called. The list of words that its value is will do. */
int __wrap_plan_cgroup_properties_build(struct plan_builder *builder, struct error *err)
{
	static const char prefix[] = "org.systemd.property.";
	const struct spec *spec = builder->spec;
	struct plan_property *list = arena_array_of(builder->arena, spec->n_annotations, struct plan_property);
	size_t n = 0;

	if (!without("properties"))
		return __real_plan_cgroup_properties_build(builder, err);
	if (!list)
		return error_memory(err);
	for (size_t i = 0; i < spec->n_annotations; i++) {
		if (strncmp(spec->annotations[i].name, prefix, strlen(prefix)) == 0)
			list[n++] = (struct plan_property){ "as", spec->annotations[i].name + strlen(prefix),
							    spec->annotations[i].value };
	}
	builder->plan->cgroup.properties = list;
	builder->plan->cgroup.n_properties = n;
	return 0;
}

/* "hook-clean": a hook has what the container's program has, as in CVE-2025-23266. */
int __wrap_hooks_run(const struct plan *plan, enum plan_hook_kind kind, int pid, const char *status, struct error *err)
{
	const struct plan_hooks *hooks = &plan->hooks[kind];
	struct plan_hook list[16];
	struct plan changed = *plan;

	if (!without("hook-clean") || hooks->n > ARRAY_SIZE(list))
		return __real_hooks_run(plan, kind, pid, status, err);
	for (size_t i = 0; i < hooks->n; i++) {
		list[i] = hooks->list[i];
		list[i].envp = plan->process.envp;
	}
	changed.hooks[kind].list = list;
	return __real_hooks_run(&changed, kind, pid, status, err);
}

/* "home": the field of the file as it is. */
void __wrap_home_of_user(uid_t uid, char *home, size_t size)
{
	char line[256], format[64];
	FILE *file = without("home") ? fopen("/etc/passwd", "re") : NULL;

	if (!file) {
		__real_home_of_user(uid, home, size);
		return;
	}
	snprintf(format, sizeof(format), "%%*[^:]:%%*[^:]:%u:%%*[^:]:%%*[^:]:%%200[^:]", uid);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, format, home) == 1)
			break;
	}
	fclose(file);
}

int __wrap_spec_validate(const struct spec *spec, struct error *err)
{
	return without("validation") ? 0 : __real_spec_validate(spec, err);
}

/* "ids": any character may be in one. */
size_t __wrap_strspn(const char *text, const char *accepted)
{
	return strncmp(accepted, "abc", 3) == 0 && without("ids") ? strlen(text) : __real_strspn(text, accepted);
}

int __wrap_brig_protect_executable(char *const *argv, struct error *err)
{
	return without("executable") ? 0 : __real_brig_protect_executable(argv, err);
}

/* "ranges": what does not fit is cut off, as a careless (uint32_t) does. */
int __wrap_json_scalar_store(const struct json_type *type, const struct json_value *value, void *target,
			     struct arena *arena, struct error *err)
{
	char text[32];
	struct json_value changed = *value;

	if (!without("ranges") || type->kind != JSON_UNSIGNED || type->size != sizeof(uint32_t) ||
	    value->kind != JSON_VALUE_NUMBER)
		return __real_json_scalar_store(type, value, target, arena, err);
	changed.length = (size_t)snprintf(text, sizeof(text), "%u", (uint32_t)strtoull(value->text, NULL, 10));
	changed.text = text;
	return __real_json_scalar_store(type, &changed, target, arena, err);
}

unsigned long long __wrap_strtoull(const char *text, char **end, int base)
{
	unsigned long long value = __real_strtoull(text, end, base);

	return without("ranges") ? (uint32_t)value : value;
}

int __wrap_json_decode(const struct json_input *input, const struct json_type *type, void *target, struct arena *arena,
		       struct error *err)
{
	struct json_input changed = *input;

	if (without("unknown-keys"))
		changed.strict = false;
	return __real_json_decode(&changed, type, target, arena, err);
}

yajl_status __wrap_yajl_complete_parse(yajl_handle handle)
{
	yajl_status status = __real_yajl_complete_parse(handle);

	return without("whole-text") ? yajl_status_ok : status;
}
