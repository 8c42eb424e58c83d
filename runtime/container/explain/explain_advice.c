/* What a refused call would open, and the rule that would allow it. Pure. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json_write.h"
#include "container/explain/explain.h"

static const struct {
	const char *calls; /* names between spaces */
	const char *opens;
} openings[] = {
	{ " mount umount umount2 fsopen fsmount fsconfig fspick move_mount open_tree open_tree_attr mount_setattr pivot_root chroot ",
	  "what the container sees as its files is its own to change: read-only paths and masks hold by other locks alone" },
	{ " unshare setns clone clone3 ",
	  "new namespaces: inside a user namespace of its own a program has every capability, and reaches kernel code that is "
	  "else root's" },
	{ " bpf ", "programs in the kernel: its checker has had holes that gave the whole host away" },
	{ " io_uring_setup io_uring_enter io_uring_register ",
	  "other calls made behind the filter's back, by code with a long list of holes" },
	{ " userfaultfd ", "a way to stop the kernel in the middle of its work, which makes its races easy to win" },
	{ " keyctl add_key request_key ", "the kernel's keyrings, which are not wholly apart between containers" },
	{ " perf_event_open ", "counters that tell of other programs, and code with a long list of holes" },
	{ " ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd ",
	  "the memory and descriptors of other processes with the same ids" },
	{ " open_by_handle_at name_to_handle_at ",
	  "files of the host's file system by number, past the container's root" },
	{ " init_module finit_module delete_module kexec_load kexec_file_load reboot ", "the kernel itself" },
	{ " personality ", "old behaviour of the kernel, among it addresses that can be guessed" },
	{ " socket socketpair ", "a protocol family: kernel code that parses what comes from the network" },
	{ " ioctl ", "a command of a device driver, or of the terminal" },
	{ " settimeofday clock_settime clock_adjtime adjtimex ", "the host's clock" },
	{ " quotactl quotactl_fd acct swapon swapoff syslog lookup_dcookie ", "the host's own accounts, swap and log" },
};

const char *explain_what_opens(const char *call)
{
	size_t length = strlen(call);

	for (size_t i = 0; i < ARRAY_SIZE(openings); i++) {
		for (const char *at = strstr(openings[i].calls, call); at; at = strstr(at + 1, call)) {
			if (at[-1] == ' ' && at[length] == ' ')
				return openings[i].opens;
		}
	}
	return "a part of the kernel that ordinary programs do without";
}

static void write_argument(const struct denial_call *call, uint32_t index, struct json_writer *writer)
{
	if (index >= call->n_arguments)
		return;
	json_write_object_begin(writer);
	json_write_member_uint(writer, "index", index);
	json_write_member_uint(writer, "value", strtoull(call->arguments[index], NULL, 16));
	json_write_member(writer, "op", "SCMP_CMP_EQ");
	json_write_object_end(writer);
}

void explain_rule(const struct denial_call *call, const char *name, struct buffer *out)
{
	struct json_writer writer = json_writer_on(out, /* indent= */ 0);

	json_write_object_begin(&writer);
	json_write_member_strings(&writer, "names", &name, 1);
	json_write_member(&writer, "action", "SCMP_ACT_ALLOW");
	if (call->n_decisive) {
		json_write_key(&writer, "args");
		json_write_array_begin(&writer);
		for (size_t i = 0; i < call->n_decisive; i++)
			write_argument(call, call->decisive[i], &writer);
		json_write_array_end(&writer);
	}
	json_write_object_end(&writer);
}
