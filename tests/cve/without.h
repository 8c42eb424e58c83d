/* What ld's --wrap makes of the functions that without.c takes the place of: __real_x is brig's or libc's own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <yajl/yajl_parse.h>

#include "plan/plan_builder.h"

struct child;
struct json_input;
struct json_type;
struct json_value;
struct spec;
struct stat;
struct statfs;

/* Is this defence off? Words of BRIG_WITHOUT. */
bool without(const char *defence);

#define WITHOUT_WRAPS(type, name, ...)   \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

WITHOUT_WRAPS(long, syscall, long number, ...);
WITHOUT_WRAPS(int, fsmount, int context_fd, unsigned flags, unsigned attributes);
WITHOUT_WRAPS(int, prctl, int option, ...);
WITHOUT_WRAPS(int, fstat, int fd, struct stat *status);
WITHOUT_WRAPS(int, fstatfs, int fd, struct statfs *status);
WITHOUT_WRAPS(int, mkdir, const char *path, mode_t mode);
WITHOUT_WRAPS(int, mkdirat, int dir_fd, const char *path, mode_t mode);
WITHOUT_WRAPS(int, fchmod, int fd, mode_t mode);
WITHOUT_WRAPS(unsigned long long, strtoull, const char *text, char **end, int base);
WITHOUT_WRAPS(yajl_status, yajl_complete_parse, yajl_handle handle);
WITHOUT_WRAPS(bool, path_is_below, const char *path, const char *prefix);
WITHOUT_WRAPS(int, mount_make, const struct plan_mount *mount, int userns_fd, struct error *err);
WITHOUT_WRAPS(int, private_proc_write_sysctls, struct child *child, struct error *err);
WITHOUT_WRAPS(int, namespaces_enter_container, struct child *child, struct error *err);
WITHOUT_WRAPS(enum plan_namespace_origin, plan_builder_namespace, const struct plan_builder *builder, uint64_t flag);
WITHOUT_WRAPS(int, plan_cgroup_properties_build, struct plan_builder *builder, struct error *err);
WITHOUT_WRAPS(int, hooks_run, const struct plan *plan, enum plan_hook_kind kind, int pid, const char *status,
	      struct error *err);
WITHOUT_WRAPS(void, home_of_user, uid_t uid, char *home, size_t size);
WITHOUT_WRAPS(int, guarded_mask, struct child *child, struct error *err);
WITHOUT_WRAPS(int, spec_validate, const struct spec *spec, struct error *err);
WITHOUT_WRAPS(size_t, strspn, const char *text, const char *accepted);
WITHOUT_WRAPS(int, brig_protect_executable, char *const *argv, struct error *err);
WITHOUT_WRAPS(int, json_scalar_store, const struct json_type *type, const struct json_value *value, void *target,
	      struct arena *arena, struct error *err);
WITHOUT_WRAPS(int, json_decode, const struct json_input *input, const struct json_type *type, void *target,
	      struct arena *arena, struct error *err);

/* The shim's. */
struct io;
struct io_options;
WITHOUT_WRAPS(int, brig_execute_protected, char *const *argv, char *const *envp, struct error *err);
WITHOUT_WRAPS(int, getsockopt, int fd, int level, int name, void *value, socklen_t *length);
WITHOUT_WRAPS(int, io_open, const struct io_options *options, struct io **ret, struct error *err);
WITHOUT_WRAPS(int, io_limit, struct io *io, uint64_t max_output, const int fds[static 2], struct error *err);
