/* Device rules for a v1 devices controller, which takes a base and exceptions. */
#include "parent/cgroup/cgroup_v1.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "parent/cgroup/cgroup_devices.h"

#define LIST_MAX (64 * 1024)

static void format_number(char *text, size_t size, int64_t number)
{
	if (number < 0)
		snprintf(text, size, "*");
	else
		snprintf(text, size, "%" PRId64, number);
}

static int write_one(int fd, const char *file, const struct plan_device_rule *rule, char type)
{
	char major[24], minor[24], text[64];

	format_number(major, sizeof(major), rule->major);
	format_number(minor, sizeof(minor), rule->minor);
	snprintf(text, sizeof(text), "%c %s:%s %s%s%s", type, major, minor, rule->access & BPF_DEVCG_ACC_READ ? "r" : "",
		 rule->access & BPF_DEVCG_ACC_WRITE ? "w" : "", rule->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
	return fd_write_file_at(fd, file, text);
}

static int write_rule(int fd, const struct plan_device_rule *rule)
{
	const char *file = rule->allow ? "devices.allow" : "devices.deny";
	int r;

	if (rule->type != 'a')
		return write_one(fd, file, rule, rule->type);
	/* To the kernel "a" means every device, whatever numbers and access come with it. */
	r = write_one(fd, file, rule, 'b');
	return r < 0 ? r : write_one(fd, file, rule, 'c');
}

static bool same_devices(const struct plan_device_rule *a, const struct plan_device_rule *b)
{
	return a->type == b->type && a->major == b->major && a->minor == b->minor;
}

static bool overlap(const struct plan_device_rule *a, const struct plan_device_rule *b)
{
	return (a->type == b->type || a->type == 'a' || b->type == 'a') &&
	       (a->major == b->major || a->major < 0 || b->major < 0) &&
	       (a->minor == b->minor || a->minor < 0 || b->minor < 0) && a->access & b->access;
}

/* v1 keeps exceptions of one kind only; a rule of the other kind takes back an exception for exactly the same devices. A
 * rule that would have to cut a hole into one can't be told to the kernel. */
static int check_expressible(const struct cgroup_device_list *list, struct error *err)
{
	for (size_t i = 0; i < list->n_rules; i++)
		for (size_t j = 0; list->rules[i].allow == list->allow && j < i; j++)
			if (list->rules[j].allow != list->allow && overlap(&list->rules[i], &list->rules[j]) &&
			    !same_devices(&list->rules[i], &list->rules[j]))
				return error_set(
					err, ERROR_UNSUPPORTED, EOPNOTSUPP,
					"linux.resources.devices: cgroup version 1 can't express a rule that changes a "
					"part of what an earlier one says; reorder them, or boot with cgroup version 2");
	return 0;
}

static int write_list(int fd, const struct cgroup_device_list *list)
{
	/* From "nothing" upwards: a change is never more open than the old and the new rules. */
	int r = fd_write_file_at(fd, list->allow ? "devices.allow" : "devices.deny", "a");

	for (size_t i = 0; r >= 0 && i < list->n_rules; i++)
		if (list->rules[i].access)
			r = write_rule(fd, &list->rules[i]);
	return r;
}

static void restore(int fd, char *before)
{
	int r = fd_write_file_at(fd, "devices.deny", "a");
	char *rest = before;

	for (char *line = strsep(&rest, "\n"); r >= 0 && line; line = strsep(&rest, "\n"))
		if (*line)
			r = fd_write_file_at(fd, "devices.allow", line[0] == 'a' ? "a" : line);
	if (r < 0)
		log_warning("linux.resources.devices: can't put the earlier rules back: %s", strerrordesc_np(-r));
}

int cgroup_v1_devices(struct cgroup *cgroup, const struct plan_resources *resources, bool fresh, struct error *err)
{
	struct cgroup_device_list list = cgroup_devices_program_trim(resources->devices, resources->n_devices);
	int fd = cgroup_tree_fd(cgroup, CGROUP_DEVICES), r;
	AUTO_FREE char *before = NULL;

	if (resources->n_devices == 0 ||
	    (fresh && cgroup_devices_program_allows_all(resources->devices, resources->n_devices)))
		return 0;
	r = check_expressible(&list, err);
	if (r < 0)
		return r;
	before = calloc(1, LIST_MAX);
	if (!before)
		return error_memory(err);
	if (!fresh && fd_read_file_at(fd, "devices.list", before, LIST_MAX) < 0)
		before[0] = '\0';
	r = write_list(fd, &list);
	if (r >= 0)
		return 0;
	if (before[0])
		restore(fd, before);
	return error_system(err, -r, "linux.resources.devices: set the device rules of the cgroup %s", cgroup->path);
}
