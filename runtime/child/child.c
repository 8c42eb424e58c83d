#include "child/child.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "child/handshake.h"
#include "child/steps.h"

static int wait_for_parent(struct child *child, enum child_wait here, struct error *err)
{
	return child->waits == here ? handshake_expect(child->channel_fd, HANDSHAKE_GO, &child->host_pid, err) : 0;
}

static int wait_first(struct child *child, struct error *err)
{
	return wait_for_parent(child, CHILD_WAITS_FIRST, err);
}

/* Where the parent's word is needed, before the program and the loss of privileges: as a rule it is there by then. */
static int wait_late(struct child *child, struct error *err)
{
	return wait_for_parent(child, CHILD_WAITS_LATE, err);
}

/* The birth of a container, readable as a table of contents. */
static const struct step init_steps[] = {
	{ "close what the plan does not name", descriptors_close },
	{ "join cgroups", process_join_cgroups },
	{ "wait for the parent", wait_first },
	{ "join namespaces", namespaces_enter },
	{ "make further namespaces", namespaces_unshare_late },
	{ "become root of the user namespace", identity_become_root },
	{ "start a session", process_new_session },
	{ "name the host", namespaces_name_host },
	{ "bring up the loopback interface", namespaces_raise_loopback },
	{ "open a procfs of our own", private_proc_open },
	{ "attach the root file system", rootfs_attach },
	{ "mount", mounts_attach },
	{ "make devices", devices_make },
	{ "let the runtime's hooks run", hooks_child_wait_for_runtime },
	{ "run the createContainer hooks", hooks_child_run_create_container },
	{ "make the working directory", process_make_cwd },
	{ "make the console", console_make },
	{ "make mounts read-only", mounts_make_readonly },
	{ "write sysctls", private_proc_write_sysctls },
	{ "enter the new root", rootfs_pivot },
	{ "make paths read-only", guarded_make_readonly },
	{ "mask paths", guarded_mask },
	{ "finish the root file system", rootfs_finish },
	{ "note what may be written to", landlock_make },
	{ "enter the user namespace", identity_enter_user_namespace },
	{ "close what the mounts were made with", descriptors_release },
	{ "make a session keyring", process_new_keyring },
	{ "wait for the parent", wait_late },
	{ "set resource limits", process_set_limits },
	{ "set scheduling", process_set_scheduling },
	{ "choose processors and memory nodes", placement_apply },
	{ "find the program", program_find },
	{ "make the environment", program_make_environment },
	{ "hide descriptors", descriptors_hide },
	{ "wait for start", program_wait_before_filter },
	{ "set security labels", private_proc_set_labels },
	{ "lower the capability bound", capabilities_bound },
	{ "install the system call filter", filter_install_privileged },
	{ "enter the working directory as root", process_enter_cwd_as_root },
	{ "set the user", identity_set_user },
	{ "set capabilities", capabilities_apply },
	{ "enter the working directory", process_enter_cwd },
	{ "wait for start", program_wait_unprivileged },
	{ "give up new privileges", process_no_new_privileges },
	{ "lock the file system and TCP", landlock_restrict },
	{ "install the system call filter", filter_install },
	{ "run the startContainer hooks", hooks_child_run_start_container },
	{ NULL, program_execute },
	{ 0 },
};

static const struct step exec_steps[] = {
	{ "close what the plan does not name", descriptors_close },
	{ "join cgroups", process_join_cgroups },
	{ "open a procfs of our own", private_proc_open },
	{ "join the container", namespaces_enter_container },
	{ "start a session", process_new_session },
	{ "make the console", console_make },
	{ "note what may be written to", landlock_make },
	{ "make a session keyring", process_new_keyring },
	{ "set resource limits", process_set_limits },
	{ "set scheduling", process_set_scheduling },
	{ "choose processors and memory nodes", placement_apply },
	{ "find the program", program_find },
	{ "make the environment", program_make_environment },
	{ "hide descriptors", descriptors_hide },
	{ "wait for the parent", wait_late },
	{ "report", program_wait_before_filter },
	{ "set security labels", private_proc_set_labels },
	{ "lower the capability bound", capabilities_bound },
	{ "install the system call filter", filter_install_privileged },
	{ "enter the working directory as root", process_enter_cwd_as_root },
	{ "set the user", identity_set_user },
	{ "set capabilities", capabilities_apply },
	{ "enter the working directory", process_enter_cwd },
	{ "report", program_wait_unprivileged },
	{ "give up new privileges", process_no_new_privileges },
	{ "lock the file system and TCP", landlock_restrict },
	{ "install the system call filter", filter_install },
	{ NULL, program_execute },
	{ 0 },
};

void child_warn(struct child *child, const char *format, ...)
{
	struct error warning = { .kind = ERROR_SYSTEM };
	va_list args;

	va_start(args, format);
	vsnprintf(warning.message, sizeof(warning.message), format, args);
	va_end(args);
	handshake_send(child->channel_fd, HANDSHAKE_WARNING, &warning, -EBADF);
}

/* Not instrumented: an exec's process runs on the stack of the intermediate that cloned it, which the address sanitizer, looking
 * at calls that don't return, takes for a mistake. */
__attribute__((no_sanitize("address"))) void child_main(struct child *child)
{
	const struct step *step = child->role == CHILD_EXEC ? exec_steps : init_steps;
	struct error err = { 0 };
	int rc;

	for (; step->run; step++) {
		rc = step->run(child, &err);
		if (step->name)
			log_debug("container: %s", step->name);
		if (rc >= 0)
			continue;
		if (step->name)
			error_prefix(&err, "%s", step->name);
		handshake_send(child->channel_fd, HANDSHAKE_FAILED, &err, -EBADF);
		break;
	}
	_exit(255);
}
