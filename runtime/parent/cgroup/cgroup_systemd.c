#include "parent/cgroup/cgroup_systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "parent/cgroup/cgroup_unit.h"

/* The first is the helper's own, after which it says what it waited for; the second is for a helper that hangs as well. As long as
 * D-Bus itself waits for an answer: a systemd that reads thousands of units again takes its time. */
#define START_TIMEOUT_MS 25000
#define STOP_TIMEOUT_MS 5000
#define GRACE_MS 2000
/* As long as brig-systemd waits for a unit that is about to go. */
#define GOING_US (2 * 1000 * 1000)
#define PAUSE_NS (20 * 1000 * 1000)
#define SETTINGS_MEMORY_MAX ((size_t)4 * 1024 * 1024)

/* Where the helper is while it keeps the scope alive: below, since a group whose groups have controllers takes no processes. */
#define HOLDER "brig-holder"

int cgroup_systemd_find(const char *asked, struct cgroup **ret, struct error *err)
{
	struct cgroup_unit_owner owner = cgroup_unit_owner_now();
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	enum host_cgroup_layout layout = cgroup_layout();
	struct cgroup_unit unit;
	int rc;

	if (layout != HOST_CGROUP_V2)
		return error_set(
			err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			"--systemd-cgroup: this host has cgroups of the layout \"%s\", and brig makes scopes of systemd in a "
			"pure version 2 tree alone; boot with systemd.unified_cgroup_hierarchy=1, or leave the option out "
			"(cgroupfs)",
			cgroup_layout_name(layout));
	rc = cgroup_unit_of(asked, &owner, &unit, err);
	if (rc < 0)
		return rc;
	cgroup = cgroup_allocate(PLAN_CGROUP_SYSTEMD, unit.path);
	if (!cgroup)
		return error_memory(err);
	cgroup->unit = malloc(sizeof(*cgroup->unit));
	if (!cgroup->unit)
		return error_memory(err);
	*cgroup->unit = unit;
	*ret = steal_ptr(&cgroup);
	return 0;
}

int cgroup_systemd_check_unused(struct cgroup *cgroup, struct error *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	uint64_t deadline = clock_us() + GOING_US;
	int rc = cgroup_tree_check_unused(cgroup, CGROUP_TREE_V2, err);

	while (rc == -EEXIST && clock_us() < deadline) {
		nanosleep(&pause, NULL);
		rc = cgroup_tree_check_unused(cgroup, CGROUP_TREE_V2, err);
	}
	return rc;
}

static void begin_request(struct buffer *request, const struct cgroup_unit *unit, const char *verb, int timeout_ms)
{
	buffer_printf(request, "%s\nbus %s\ntimeout %d\nunit %s\n", verb, unit->user ? "user" : "system", timeout_ms,
		      unit->scope);
}

/* The limits as systemd is to have them from the first moment on. */
static int append_limits(struct buffer *request, const struct plan_resources *resources, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(SETTINGS_MEMORY_MAX);
	struct cgroup_facts facts = CGROUP_FACTS_NEW;
	struct cgroup_settings settings;
	int rc;

	if (!arena)
		return error_memory(err);
	rc = cgroup_settings_init(&settings, resources, arena, err);
	if (rc == 0)
		rc = cgroup_v2_driver.settings(resources, &facts, &settings, err);
	if (rc == 0)
		cgroup_unit_properties(&settings, request);
	return rc;
}

/* brig looks for the group where slices lie by their names; one that systemd puts elsewhere would be found by nobody. */
static int check_place(const struct cgroup *cgroup, const char *place, struct error *err)
{
	if (place[0] == '/' && strcmp(place + 1, cgroup->path) == 0)
		return 0;
	return error_set(
		err, ERROR_UNSUPPORTED, EXDEV,
		"systemd has put the scope %s at %s, where brig expects it at /%s: it is not the systemd of this view of "
		"the cgroups; run brig in the cgroup and pid namespaces of systemd",
		cgroup->unit->scope, place, cgroup->path);
}

static int move_holder(struct cgroup *cgroup, struct error *err)
{
	int fd = cgroup->trees[CGROUP_TREE_V2].fd, rc;
	char text[16];

	snprintf(text, sizeof(text), "%d", cgroup->helper->pid);
	if (mkdirat(fd, HOLDER, 0755) < 0)
		return error_system(err, errno, "make the cgroup %s/" HOLDER, cgroup->path);
	rc = fd_write_file_at(fd, HOLDER "/cgroup.procs", text);
	return rc < 0 ? error_system(err, -rc, "move brig-systemd into the cgroup %s/" HOLDER, cgroup->path) : 0;
}

int cgroup_systemd_start(struct cgroup *cgroup, const struct plan_cgroup *plan, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer request = { 0 };
	struct cgroup_tree *tree = &cgroup->trees[CGROUP_TREE_V2];
	char place[UNIT_REQUEST_ANSWER_MAX];
	int rc;

	begin_request(&request, cgroup->unit, "start", START_TIMEOUT_MS);
	buffer_printf(&request, "slice %s\ndescription brig container %s\n", cgroup->unit->slice, cgroup->unit->scope);
	rc = append_limits(&request, &plan->resources, err);
	for (size_t i = 0; i < plan->n_properties; i++)
		buffer_printf(&request, "property %s %s %s\n", plan->properties[i].signature, plan->properties[i].name,
			      plan->properties[i].value);
	cgroup->helper = calloc(1, sizeof(*cgroup->helper));
	if (rc == 0 && !cgroup->helper)
		rc = error_memory(err);
	if (rc == 0)
		rc = cgroup_helper_ask(&(struct cgroup_helper_question){ &request, cgroup->unit->user,
									 START_TIMEOUT_MS + GRACE_MS },
				       place, cgroup->helper, err);
	if (rc == 0)
		rc = check_place(cgroup, place, err);
	if (rc < 0)
		return error_prefix(err, "start the scope %s", cgroup->unit->scope);
	tree->looked = false;
	rc = cgroup_tree_fd(cgroup, CGROUP_TREE_V2);
	if (rc < 0)
		return error_system(err, -rc, "open the cgroup %s that systemd has made", cgroup->path);
	return move_holder(cgroup, err);
}

int cgroup_systemd_make_room(struct cgroup *cgroup, const struct plan_resources *resources, struct error *err)
{
	int fd = cgroup->trees[CGROUP_TREE_V2].fd, rc;
	char more[24];

	/* Only the smallest would be in the way: brig makes one process in it. */
	if (!(resources->set & PLAN_PIDS) || resources->pids != 1)
		return 0;
	snprintf(cgroup->helper->pids, sizeof(cgroup->helper->pids), "%" PRId64, resources->pids);
	snprintf(more, sizeof(more), "%" PRId64, resources->pids + 1);
	rc = fd_write_file_at(fd, "pids.max", more);
	return rc < 0 ? error_system(err, -rc, "linux.resources.pids.limit: write %s to pids.max", more) : 0;
}

int cgroup_systemd_release(struct cgroup *cgroup, struct error *err)
{
	int fd = cgroup->trees[CGROUP_TREE_V2].fd, rc = 0;

	cgroup_systemd_let_go(cgroup);
	if (cgroup->helper && cgroup->helper->pids[0])
		rc = fd_write_file_at(fd, "pids.max", cgroup->helper->pids);
	return rc < 0 ? error_system(err, -rc, "linux.resources.pids.limit: write %s to pids.max", cgroup->helper->pids)
		      : 0;
}

int cgroup_systemd_set(const struct cgroup *cgroup, const struct buffer *properties, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer request = { 0 };
	char answer[UNIT_REQUEST_ANSWER_MAX];
	int rc;

	if (properties->length == 0)
		return properties->failed ? error_memory(err) : 0;
	begin_request(&request, cgroup->unit, "set", START_TIMEOUT_MS);
	buffer_append(&request, properties->data, properties->length);
	rc = cgroup_helper_ask(&(struct cgroup_helper_question){ &request, cgroup->unit->user,
								 START_TIMEOUT_MS + GRACE_MS },
			       answer, /* ret= */ NULL, err);
	return rc < 0 ? error_prefix(err, "change the scope %s", cgroup->unit->scope) : 0;
}

void cgroup_systemd_let_go(struct cgroup *cgroup)
{
	if (!cgroup->helper || cgroup->helper->pid <= 0)
		return;
	cgroup_helper_end(cgroup->helper);
	if (cgroup->trees[CGROUP_TREE_V2].fd >= 0)
		(void)unlinkat(cgroup->trees[CGROUP_TREE_V2].fd, HOLDER, AT_REMOVEDIR);
}

int cgroup_systemd_stop(const struct cgroup *cgroup, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer request = { 0 };
	char answer[UNIT_REQUEST_ANSWER_MAX];
	int rc;

	begin_request(&request, cgroup->unit, "stop", STOP_TIMEOUT_MS);
	rc = cgroup_helper_ask(&(struct cgroup_helper_question){ &request, cgroup->unit->user,
								 STOP_TIMEOUT_MS + GRACE_MS },
			       answer, /* ret= */ NULL, err);
	return rc < 0 ? error_prefix(err, "stop the scope %s", cgroup->unit->scope) : 0;
}
