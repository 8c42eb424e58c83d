/* The table of docs/user-namespaces.md, "The defaults, by caller", held against what is decided: for each caller, file system of the root
 * and of a volume, kernel and policy set the plan has to be what the row says that fits, and each row has to fit something. */
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "parent/host_idmap.h"
#include "plan_fixture.h"

#define ROWS_MAX 16
#define CELLS 6
#define LINE_MAX_SIZE 512
#define NFS 0x6969u
#define UNKNOWN 0x12345678u

#define ALL_NAMESPACES ",{'type':'pid'},{'type':'network'},{'type':'ipc'},{'type':'uts'},{'type':'cgroup'}"
#define ASKS_FOR_CAPABILITIES ",'capabilities':{'bounding':['CAP_CHOWN','CAP_SYS_ADMIN']}"

struct row {
	char line[LINE_MAX_SIZE];
	char *cells[CELLS];
	unsigned used;
};

struct table {
	struct row rows[ROWS_MAX];
	size_t n;
};

enum caller { SHIM, MOUNTED, DIRECTORY };

static const char *const callers[] = { "containerd with brig's shim", "podman, CRI-O, docker", "`brig run`, any caller" };
static const char *const sets[] = { "strict", "baseline", "conformant" };
/* On both sides of each number of the table; before all of them no system call of the kind is there. */
static const unsigned kernels[] = { HOST_IDMAP_VERSION(6, 1),  HOST_IDMAP_VERSION(6, 2),  HOST_IDMAP_VERSION(6, 3),
				    HOST_IDMAP_VERSION(6, 6),  HOST_IDMAP_VERSION(6, 7),  HOST_IDMAP_VERSION(6, 14),
				    HOST_IDMAP_VERSION(6, 15), HOST_IDMAP_VERSION(6, 18), HOST_IDMAP_VERSION(7, 2) };

static const struct volume {
	uint32_t mode, file_system;
	bool serves; /* as it is */
} volumes[] = {
	{ 0, 0, true }, /* none */
	{ S_IFDIR | 0700, EXT4_SUPER_MAGIC, false },
	{ S_IFDIR | 0700, TMPFS_MAGIC, false },
	{ S_IFDIR | 0777, TMPFS_MAGIC, true },
	{ S_IFDIR | 0777, NFS, false },
	{ S_IFREG | 0600, NFS, false },
	{ S_IFREG | 0644, NFS, true },
	{ S_IFDIR | 0755, UNKNOWN, false },
	{ S_IFDIR | 0555, SYSFS_MAGIC, true },
	{ S_IFCHR | 0600, TMPFS_MAGIC, true },
};

struct combination {
	enum caller caller;
	uint32_t root; /* or what its layers lie on */
	const struct volume *volume;
	unsigned kernel;
	bool nested; /* in a user namespace already */
};

/* Six cells between bars; in place. */
static bool split(struct row *row)
{
	char *at = row->line;
	size_t n = 0;

	while (n < CELLS && strncmp(at, "| ", 2) == 0) {
		row->cells[n++] = at += 2;
		at = strstr(at, " |");
		if (!at)
			return false;
		*at++ = '\0';
	}
	return n == CELLS && strcmp(at, "|\n") == 0;
}

static void read_table(struct table *table)
{
	FILE *file = fopen(TEST_SOURCE_DIR "/docs/user-namespaces.md", "re");
	bool inside = false;

	cr_assert_not_null(file);
	*table = (struct table){ 0 };
	while (table->n < ROWS_MAX && fgets(table->rows[table->n].line, LINE_MAX_SIZE, file)) {
		struct row *row = &table->rows[table->n];

		if (strncmp(row->line, "| caller |", 10) == 0) {
			inside = true;
			cr_assert(split(row));
			for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
				cr_expect_str_eq(row->cells[CELLS - ARRAY_SIZE(sets) + i], sets[i]);
		} else if (inside && strncmp(row->line, "|---", 4) != 0) {
			inside = row->line[0] == '|';
			if (!inside)
				break;
			cr_assert(split(row), "not of %d cells: %s", CELLS, row->line);
			table->n++;
		}
	}
	fclose(file);
	cr_assert_gt(table->n, 5);
}

static bool volume_can(const struct combination *x)
{
	return x->volume->serves || host_idmap_supported(x->volume->file_system, x->kernel);
}

/* As the guide has it, in words of its own: what the code makes of it is look_at_root()'s. */
static bool root_can(const struct combination *x)
{
	bool can = host_idmap_supported(x->root, x->kernel);

	return x->caller == SHIM ? can && x->kernel >= HOST_IDMAP_LAYERS_SINCE : can;
}

/* Paths name the file system that they lie on. */
static int look(const char *path, struct statfs *ret)
{
	unsigned magic;

	*ret = (struct statfs){ 0 };
	if (sscanf(path, "/layers/%x", &magic) != 1)
		return -1;
	ret->f_type = magic;
	return 0;
}

/* What brig is told about the root before it is made: the shim's is an overlay of two layers and one to be written. */
static bool look_at_root(const struct combination *x)
{
	char source[32], options[3][64];
	const char *const overlay[] = { options[0], options[1], options[2] };
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct spec_mount asked = { .type = "bind", .source = source };
	struct plan_root_mount root;
	struct error err;

	snprintf(source, sizeof(source), "/layers/%x", x->root);
	snprintf(options[0], sizeof(options[0]), "lowerdir=/layers/%x:/layers/%x", x->root, x->root);
	snprintf(options[1], sizeof(options[1]), "upperdir=/layers/%x", x->root);
	snprintf(options[2], sizeof(options[2]), "workdir=/layers/%x", x->root);
	if (x->caller == SHIM)
		asked = (struct spec_mount){
			.type = "overlay", .source = "overlay", .options = overlay, .n_options = ARRAY_SIZE(overlay)
		};
	cr_assert_eq(plan_root_mount_build(arena, &asked, &root, &err), 0, "%s", err.message);
	return host_idmap_root_supported(&root, x->kernel, look);
}

static const char *root_text(const struct combination *x)
{
	switch (x->caller) {
	case SHIM:
		return root_can(x) ? "an overlay, all layers can, Linux 6.15 or later"
				   : "an overlay, before Linux 6.15 or a layer that can't";
	case MOUNTED:
		return "an overlay that they mounted";
	case DIRECTORY:
		break;
	}
	return root_can(x) ? "a directory on one that can" : "a directory on one that can't";
}

static bool fits(const struct row *row, const struct combination *x)
{
	const char *caller = x->nested ? "any, in a user namespace already" : callers[x->caller];
	const char *volume = volume_can(x) ? "all can" : "one that can't (NFS, CIFS, FUSE; tmpfs before Linux 6.3)";

	return (strcmp(row->cells[0], caller) == 0 || strcmp(row->cells[0], "any") == 0) &&
	       (strcmp(row->cells[1], root_text(x)) == 0 || strcmp(row->cells[1], "any") == 0) &&
	       strcmp(row->cells[2], volume) == 0;
}

static struct row *find(struct table *table, const struct combination *x)
{
	struct row *found = NULL;

	for (size_t i = 0; i < table->n; i++) {
		if (!fits(&table->rows[i], x))
			continue;
		cr_assert_null(found, "two rows for one case: %s, %s, %s", callers[x->caller], root_text(x),
			       table->rows[i].cells[2]);
		found = &table->rows[i];
	}
	cr_assert_not_null(found, "no row: %s%s, %s, volume on %x, kernel %x", callers[x->caller],
			   x->nested ? ", nested" : "", root_text(x), x->volume->file_system, x->kernel);
	return found;
}

/* What the plan is, in the table's words. */
static const char *outcome(const struct plan_fixture *fixture)
{
	uint64_t capabilities;
	bool reported;

	if (fixture->rc < 0)
		return strstr(fixture->err.message, "rule volume-unmapped") ? "refused: `volume-unmapped`"
									    : fixture->err.message;
	capabilities = fixture->plan->process.capabilities.bounding;
	if (fixture->plan->namespaces.create & CLONE_NEWUSER)
		return fixture->plan->rootfs.idmap ? "user namespace" : "user namespace, files of nobody";
	if (capabilities >> CAP_SYS_ADMIN & 1)
		return "as config.json asks";
	reported = plan_fixture_has_line(fixture, "rootfs-unmapped") || plan_fixture_has_line(fixture, "user-namespace");
	if (!reported)
		return "none, in silence";
	return capabilities ? "none, reported; the short list" : "none, reported; no capabilities";
}

static void expect(struct table *table, const struct combination *x, const struct policy *policy, size_t set)
{
	struct plan_fixture_json json = { .process = ASKS_FOR_CAPABILITIES, .namespaces = ALL_NAMESPACES };
	const struct host_source volume = { .known = true,
					    .mode = x->volume->mode,
					    .file_system = x->volume->file_system,
					    .mappable = host_idmap_supported(x->volume->file_system, x->kernel) };
	struct row *row = find(table, x);
	struct plan_request *request;
	PLAN_FIXTURE(fixture);

	request = &fixture.request;
	request->policy = policy;
	request->sources = &volume;
	request->root_source = (struct host_source){ .known = true, .mode = S_IFDIR | 0755, .mappable = look_at_root(x) };
	fixture.host.in_user_namespace = x->nested;
	if (x->volume->mode)
		json.mounts = "{'destination':'/data','type':'bind','source':'/srv/data','options':['bind']}";
	plan_fixture_parse(&fixture, &json);
	request->spec = fixture.spec;
	request->host = &fixture.host;
	cr_assert_eq(plan_userns_is_wanted(request, &request->ids.granted, &fixture.err), 0);
	request->ids = (struct host_ids){ .granted = request->ids.granted, .first = 1879048192u, .size = 65536 };
	fixture.rc = plan_build(request, &fixture.plan, &fixture.report, &fixture.err);
	row->used++;
	cr_expect_str_eq(outcome(&fixture), row->cells[CELLS - ARRAY_SIZE(sets) + set],
			 "%s: %s under %s, root on %x, volume on %x of mode %o, kernel %x", outcome(&fixture),
			 row->cells[0], sets[set], x->root, x->volume->file_system, x->volume->mode, x->kernel);
}

/* The policy's other rules have their own say about sources: they are out of the way. */
static struct policy policy_of(const char *set)
{
	struct policy policy = { 0 };

	cr_assert_eq(policy_load(set, &policy, NULL), 0);
	policy.levels[POLICY_MOUNT_SOURCE] = policy.levels[POLICY_DEVICE] = POLICY_OFF;
	return policy;
}

static void each_volume_and_kernel(struct table *table, struct combination x, const struct policy *policy, size_t set)
{
	for (size_t kernel = 0; kernel < ARRAY_SIZE(kernels); kernel++) {
		for (size_t volume = 0; volume < ARRAY_SIZE(volumes); volume++) {
			x.kernel = kernels[kernel];
			x.volume = &volumes[volume];
			expect(table, &x, policy, set);
		}
	}
}

static void each_caller(struct table *table, uint32_t root, const struct policy *policy, size_t set)
{
	for (int caller = SHIM; caller <= DIRECTORY; caller++) {
		struct combination x = { .caller = (enum caller)caller, .root = root };

		/* What they mounted is an overlay whatever it is made of. */
		if (caller == MOUNTED)
			x.root = OVERLAYFS_SUPER_MAGIC;
		each_volume_and_kernel(table, x, policy, set);
	}
}

Test(plan_userns_table, the_guide_says_what_is_decided)
{
	struct table table;

	read_table(&table);
	for (size_t set = 0; set < ARRAY_SIZE(sets); set++) {
		AUTO(policy_done) struct policy policy = policy_of(sets[set]);

		for (const struct host_idmap_row *row = host_idmap_table(); row->type; row++)
			each_caller(&table, row->file_system, &policy, set);
		each_caller(&table, UNKNOWN, &policy, set);
		each_volume_and_kernel(&table,
				       (struct combination){ DIRECTORY, .root = EXT4_SUPER_MAGIC, .nested = true },
				       &policy, set);
		each_volume_and_kernel(&table,
				       (struct combination){ MOUNTED, .root = OVERLAYFS_SUPER_MAGIC, .nested = true },
				       &policy, set);
	}
	for (size_t i = 0; i < table.n; i++)
		cr_expect_gt(table.rows[i].used, 0, "fits nothing: %s, %s", table.rows[i].cells[0],
			     table.rows[i].cells[1]);
}
