/* brig explain's pure parts: the texts of /proc held against the plan, and what would let a call through. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/audit.h>

#include <criterion/criterion.h>

#include "container/explain/explain.h"
#include "container/explain/explain_kernel_log.h"
#include "container/explain/kernel_record_owner.h"
#include "parent/seccomp/seccomp_calls.h"

Test(explain, numbers_of_status)
{
	static const char status[] = "Name:\tNoNewPrivs: 7\nCapBnd:\t00000000000000ff\nNoNewPrivs:\t1\nSeccomp:\t2\n"
				     "Seccomp_filters:\t3\n";
	uint64_t value = 9;

	cr_expect(explain_status_number(status, "NoNewPrivs", 10, &value));
	cr_expect_eq(value, 1, "a name of the container's own choice is no key");
	cr_expect(explain_status_number(status, "Seccomp", 10, &value));
	cr_expect_eq(value, 2);
	cr_expect(explain_status_number(status, "Seccomp_filters", 10, &value));
	cr_expect_eq(value, 3);
	cr_expect(explain_status_number(status, "CapBnd", 16, &value));
	cr_expect_eq(value, 0xff);
	cr_expect_not(explain_status_number(status, "CapEff", 16, &value));
	cr_expect_not(explain_status_number("", "CapEff", 16, &value));
	cr_expect_eq(value, 0xff, "untouched");
}

Test(explain, maps)
{
	static const struct expected_range ranges[] = { { 0, 100000, 1000 }, { 1000, 5, 1 } };

	cr_expect(explain_map_agrees("         0     100000       1000\n      1000          5          1\n", ranges, 2));
	cr_expect(explain_map_agrees("1000 5 1\n0 100000 1000\n", ranges, 2), "in any order");
	cr_expect_not(explain_map_agrees("0 100000 1000\n", ranges, 2), "one is missing");
	cr_expect_not(explain_map_agrees("0 100000 1000\n1000 5 1\n", ranges, 1), "one too many");
	cr_expect_not(explain_map_agrees("0 100001 1000\n", ranges, 1));
	cr_expect_not(explain_map_agrees("0 0 4294967295\n", ranges, 1), "the host's own");
	cr_expect_not(explain_map_agrees("", ranges, 1));
}

Test(explain, masks)
{
	static const char mounts[] = "22 1 0:21 / / rw - overlay overlay rw\n"
				     "23 22 0:22 / /proc rw,nosuid - proc proc rw\n"
				     "24 23 0:5 /null /proc/kcore rw - devtmpfs none rw\n"
				     "25 22 0:23 / /sys ro - sysfs sysfs ro\n"
				     "26 25 0:24 / /sys/firmware ro shared:3 - tmpfs tmpfs ro\n";
	static const char tmpfs[] = "23 22 0:22 / /proc rw - tmpfs tmpfs rw\n";

	cr_expect_eq(explain_mask_of(mounts, "/proc/kcore"), EXPLAIN_MASKED);
	cr_expect_eq(explain_mask_of(mounts, "/proc/kcor"), EXPLAIN_NOT_MASKED);
	cr_expect_eq(explain_mask_of(mounts, "/proc/kcore2"), EXPLAIN_NOT_MASKED);
	cr_expect_eq(explain_mask_of(mounts, "/sys/firmware"), EXPLAIN_MASKED);
	cr_expect_eq(explain_mask_of(mounts, "/sys/firmware/efi/vars"), EXPLAIN_MASKED, "by the one above it");
	cr_expect_eq(explain_mask_of(mounts, "/sys/kernel"), EXPLAIN_NOT_MASKED);
	cr_expect_eq(explain_mask_of(mounts, "/srv/x"), EXPLAIN_NOT_THERE);
	cr_expect_eq(explain_mask_of(tmpfs, "/proc/kcore"), EXPLAIN_NOT_THERE, "that is no proc");
	cr_expect_eq(explain_mask_of("", "/proc/kcore"), EXPLAIN_NOT_THERE);
	cr_expect_eq(explain_mask_of("x\ny", "/proc/kcore"), EXPLAIN_NOT_THERE);
}

static const char volumes[] = "22 1 0:21 / / ro,relatime - overlay overlay rw\n"
			      "23 22 0:22 / /proc rw,nosuid - proc proc rw\n"
			      "24 23 0:22 /sys /proc/sys ro,nosuid - proc proc rw\n"
			      "31 30 0:30 / /data rw,nosuid,nodev,relatime shared:3 - ext4 /dev/x ro\n"
			      "30 29 0:30 / /data ro,nosuid - ext4 /dev/x rw\n"
			      "29 22 0:30 / /data rw - ext4 /dev/x rw\n"
			      "40 22 0:40 / /with\\040space\\134 rw,nosuidx,nodev - tmpfs tmpfs ro,nosuid\n";

static void expect_attributes(const char *path, uint64_t wanted)
{
	uint64_t found = 0;

	cr_assert(explain_mount_attributes(volumes, path, &found), "%s", path);
	cr_expect_eq(found, wanted, "%s has %" PRIx64, path, found);
}

Test(explain, flags_of_mounts)
{
	uint64_t found = 77;

	expect_attributes("/", MOUNT_ATTR_RDONLY);
	expect_attributes("/proc/sys", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
	/* The one on top, wherever it is listed; and what it has itself, not its file system. */
	expect_attributes("/data", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	expect_attributes("/with space\\", MOUNT_ATTR_NODEV);
	cr_expect_not(explain_mount_attributes(volumes, "/dat", &found));
	cr_expect_not(explain_mount_attributes(volumes, "/data/", &found));
	cr_expect_not(explain_mount_attributes("", "/", &found));
	cr_expect_not(explain_mount_attributes("x\ny", "/", &found));
	cr_expect_eq(found, 77, "untouched");
}

Test(explain, paths_that_can_be_written_to)
{
	cr_expect_not(explain_is_writable(volumes, "/proc/sys"));
	cr_expect_not(explain_is_writable(volumes, "/proc/sys/kernel"), "by the one above it");
	cr_expect(explain_is_writable(volumes, "/proc/sysrq-trigger"));
	cr_expect(explain_is_writable(volumes, "/proc/irq"));
	cr_expect_not(explain_is_writable(volumes, "/sys/kernel"), "there is no sysfs");
	cr_expect_not(explain_is_writable(volumes, "/data"), "not the kernel's: nobody knows whether it is there");
	cr_expect_not(explain_is_writable("", "/proc/sys"));
}

static void expect_rule(const struct denial_call *call, const char *name, const char *wanted)
{
	struct buffer text = { 0 };

	explain_rule(call, name, &text);
	cr_expect_str_eq(text.data, wanted);
	buffer_done(&text);
}

Test(explain, the_rule_that_allows_a_call_is_as_narrow_as_what_was_asked)
{
	static const char *const arguments[] = { "0x10000000", "0x1", "0x0", "0x0", "0x0", "0xffffffffffffffff" };
	static const uint32_t first[] = { 0 }, last[] = { 5, 9 };
	struct denial_call call = { .arguments = arguments, .n_arguments = 6 };

	expect_rule(&call, "mount", "{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ALLOW\"}");
	call.decisive = first;
	call.n_decisive = 1;
	expect_rule(&call, "unshare",
		    "{\"names\":[\"unshare\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":268435456,"
		    "\"op\":\"SCMP_CMP_EQ\"}]}");
	call.decisive = last;
	call.n_decisive = 2;
	expect_rule(&call, "x",
		    "{\"names\":[\"x\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":5,\"value\":18446744073709551615,"
		    "\"op\":\"SCMP_CMP_EQ\"}]}");
}

Test(explain, what_a_call_opens)
{
	cr_expect_not_null(strstr(explain_what_opens("unshare"), "namespaces"));
	cr_expect_not_null(strstr(explain_what_opens("bpf"), "programs in the kernel"));
	cr_expect_str_eq(explain_what_opens("move_mount"), explain_what_opens("mount"));
	cr_expect_str_eq(explain_what_opens("oun"), explain_what_opens("nothing"), "a part of a name is none");
	cr_expect_str_eq(explain_what_opens("time"), explain_what_opens("nothing"));
}

Test(explain, names_of_calls)
{
	char name[SECCOMP_CALLS_NAME_MAX];

	cr_expect_str_eq(seccomp_calls_name(AUDIT_ARCH_X86_64, 165, name), "mount");
	cr_expect_str_eq(seccomp_calls_name(AUDIT_ARCH_I386, 21, name), "mount");
	cr_expect_str_eq(seccomp_calls_name(AUDIT_ARCH_AARCH64, 40, name), "mount");
	cr_expect_str_eq(seccomp_calls_name(AUDIT_ARCH_X86_64, 0x40000000 + 165, name), "mount", "x32");
	cr_expect_str_eq(seccomp_calls_name(AUDIT_ARCH_X86_64, 457, name), "statmount", "newer than libseccomp");
	cr_expect_str_eq(seccomp_calls_name(AUDIT_ARCH_X86_64, 9999, name), "call 9999 of architecture 0xc000003e");
	cr_expect_str_eq(seccomp_calls_name(1, UINT32_MAX, name), "call 4294967295 of architecture 0x1");
}

Test(explain, no_finding_is_lost)
{
	struct arena *arena = arena_new(256 * 1024);
	struct explain_findings findings = { .arena = arena };

	for (size_t i = 0; i < 100; i++)
		explain_find(&findings, "x", i != 99, "%zu", i);
	cr_assert_eq(findings.n, 100);
	cr_expect_str_eq(findings.list[0].detail, "0");
	cr_expect_str_eq(findings.list[99].detail, "99");
	cr_expect(findings.list[99].disagrees);
	cr_expect_eq(findings.n_flagged, 1);
	arena_free(arena);
}

Test(explain, without_memory_what_disagrees_is_counted)
{
	struct arena *arena = arena_new(16);
	struct explain_findings findings = { .arena = arena };

	explain_find(&findings, "x", /* agrees= */ true, "1");
	explain_find(&findings, "x", /* agrees= */ false, "2");
	cr_expect_eq(findings.n, 0);
	cr_expect_eq(findings.n_flagged, 1);
	arena_free(arena);
}

#define RECORD                                                                                                        \
	"audit: type=1326 audit(1795355069.704:1766): auid=4294967295 uid=1896022016 gid=7 ses=4294967295 pid=13731 " \
	"comm=\"busybox\" exe=\"/bin/busybox\" sig=0 arch=c000003e syscall=165 compat=0 ip=0x48153a code=0x50001\n"

Test(explain, records_of_the_kernels_log)
{
	struct kernel_record call = { 0 };

	cr_assert(kernel_record_of_kmsg("5,1234,39649592909,-;" RECORD, &call));
	cr_expect_eq(call.uid, 1896022016);
	cr_expect_eq(call.architecture, 0xc000003e);
	cr_expect_eq(call.number, 165);
	cr_expect_eq(call.milliseconds, UINT64_C(1795355069704));
	cr_expect_str_eq(call.program, "busybox");
}

/* Facility 1: a program wrote that. */
Test(explain, other_records_of_the_kernels_log)
{
	static const char *const records[] = {
		"",
		"5,1,2,-;",
		"13,1234,39649592909,-;" RECORD,
		"5,1,2,-;x " RECORD,
		RECORD,
		"5,1,2,-;audit: type=1300 audit(1.2:3): uid=1 arch=c000003e syscall=165 code=0x50000",
		"5,1,2,-;audit: type=1326 audit(x): uid=1 arch=c000003e syscall=165 code=0x50000",
		"5,1,2,-;audit: type=1326 audit(1.200:3): auid=1 arch=c000003e syscall=165 code=0x50000",
		"5,1,2,-;audit: type=1326 audit(1.200:3): uid=1 arch=c000003e syscall=165 code=0x7ffc0000",
		"5,1,2,-;audit: type=1326 audit(1.200:3): uid=1 arch=c000003e code=0x50000",
	};
	struct kernel_record call = { .number = 7 };

	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		cr_expect_not(kernel_record_of_kmsg(records[i], &call), "%s", records[i]);
	cr_expect_eq(call.number, 7);
}

Test(explain, a_name_that_is_no_text)
{
	struct kernel_record call = { 0 };

	cr_assert(kernel_record_of_kmsg(
		"5,1,2,-;audit: type=1326 audit(1.200:3): uid=1 pid=2 comm=6120622063206420652066 arch=c000003e "
		"syscall=1 code=0x50000",
		&call));
	cr_expect_str_eq(call.program, "612062206320642");
}

#define EVENT                                                                                                         \
	"auid=4294967295 uid=0 gid=7 ses=4294967295 subj=unconfined pid=13731 comm=\"busybox\" exe=\"/bin/busybox\" " \
	"sig=0 arch=c000003e syscall=165 compat=0 ip=0x48153a code=0x50001"

Test(explain, lines_of_auditd)
{
	static const char *const lines[] = {
		"type=SECCOMP msg=audit(1795355069.704:1766): " EVENT "\n",
		"type=SECCOMP msg=audit(1795355069.704:1766): " EVENT
		"\035ARCH=x86_64 SYSCALL=mount AUID=\"unset\" UID=\"x\"\n",
		"node=host.example type=SECCOMP msg=audit(1795355069.704:1766): " EVENT,
		"type=UNKNOWN[1326] msg=audit(1795355069.704:1766): " EVENT "\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct kernel_record record = { 0 };

		cr_assert(kernel_record_of_auditd(lines[i], &record), "%s", lines[i]);
		cr_expect_eq(record.uid, 0);
		cr_expect_eq(record.pid, 13731);
		cr_expect_eq(record.number, 165);
		cr_expect_eq(record.milliseconds, UINT64_C(1795355069704));
		cr_expect_eq(record.serial, 1766);
		cr_expect_str_eq(record.program, "busybox");
	}
}

/* What programs may say there is of other types, in quotes. */
Test(explain, other_lines_of_auditd)
{
	static const char *const lines[] = {
		"",
		"node=",
		"node=x",
		"type=USER msg=audit(1.200:3): pid=1 msg='type=SECCOMP msg=audit(1795355069.704:1766): " EVENT "'",
		"type=SYSCALL msg=audit(1795355069.704:1766): " EVENT,
		" type=SECCOMP msg=audit(1795355069.704:1766): " EVENT,
		"type=SECCOMP msg=audit(1795355069.704): " EVENT,
		"type=SECCOMP msg=audit(1795355069.704:1766): uid=0 arch=c000003e syscall=165 code=0x50001",
	};
	struct kernel_record record = { .number = 7 };

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		cr_expect_not(kernel_record_of_auditd(lines[i], &record), "%s", lines[i]);
	cr_expect_eq(record.number, 7);
}

Test(explain, whose_a_record_is)
{
	static const struct kernel_record_process processes[] = { { 5, 1000 }, { 6, 2000 } };
	const struct kernel_record_owner by_ids = { .ids_first = 100,
						    .ids_size = 10,
						    .processes = processes,
						    .n_processes = 2 },
					 by_processes = { .processes = processes, .n_processes = 2 }, nobody = { 0 };
	const struct {
		struct kernel_record record;
		bool has_ids, has_process;
	} rows[] = {
		{ { .uid = 99, .pid = 5, .milliseconds = 1000 }, false, true },
		{ { .uid = 100, .pid = 5, .milliseconds = 999 }, true, false },
		{ { .uid = 109, .pid = 6, .milliseconds = 1999 }, true, false },
		{ { .uid = 110, .pid = 6, .milliseconds = 3000 }, false, true },
		{ { .uid = 0, .pid = 7, .milliseconds = 3000 }, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_expect_eq(kernel_record_owner_has(&by_ids, &rows[i].record), rows[i].has_ids, "row %zu", i);
		cr_expect_eq(kernel_record_owner_has(&by_processes, &rows[i].record), rows[i].has_process, "row %zu", i);
		cr_expect_not(kernel_record_owner_has(&nobody, &rows[i].record), "row %zu", i);
	}
}

static int open_log(const char *folder, const char *name, size_t tail)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return explain_kernel_log_open(path, tail);
}

Test(explain, auditds_file_is_roots_alone)
{
	char folder[] = "/tmp/test-explain.XXXXXX", text[16] = "";
	int fd, folder_fd;

	cr_assert_not_null(mkdtemp(folder));
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(folder_fd, "log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_eq(write(fd, "0123456789", 10), 10);
	close(fd);
	cr_assert_eq(symlinkat("log", folder_fd, "link"), 0);
	cr_assert_eq(mkfifoat(folder_fd, "fifo", 0600), 0);
	fd = open_log(folder, "log", 4);
	if (geteuid() == 0) {
		cr_assert_geq(fd, 0);
		cr_expect_eq(read(fd, text, sizeof(text)), 4);
		cr_expect_str_eq(text, "6789", "its end");
		close(fd);
		fd = open_log(folder, "log", 100);
		cr_expect_eq(read(fd, text, sizeof(text)), 10);
		close(fd);
	}
	cr_expect_lt(open_log(folder, "link", 4), 0);
	cr_expect_lt(open_log(folder, "fifo", 4), 0);
	cr_expect_lt(open_log(folder, "none", 4), 0);
	cr_assert_eq(fchmodat(folder_fd, "log", 0620, 0), 0);
	cr_expect_lt(open_log(folder, "log", 4), 0);
	cr_assert_eq(fchmodat(folder_fd, "log", 0600, 0), 0);
	if (geteuid() == 0) {
		cr_assert_eq(fchownat(folder_fd, "log", 1, 1, 0), 0);
		cr_expect_lt(open_log(folder, "log", 4), 0);
	}
	unlinkat(folder_fd, "fifo", 0);
	unlinkat(folder_fd, "link", 0);
	unlinkat(folder_fd, "log", 0);
	close(folder_fd);
	rmdir(folder);
}
