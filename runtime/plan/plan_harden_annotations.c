/* The floor's rule about annotations. brig itself obeys none of these: but they are meant for a runtime that does, and in a bundle that
 * goes on to hooks, to other tools and to systemd they are a way around what config.json shows. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/plan_harden.h"

/* A name, or with a star at its end the beginning of names. What an engine reads itself (CRI-O's devices, CDI) is not here: its effect
 * is in config.json, where the other rules see it. */
static const struct {
	const char *name, *why;
} misused[] = {
	{ "run.oci.handler", "it chooses another program to be the runtime (crun)" },
	{ "run.oci.hooks.stdout", "a file of the host is written as root (crun)" },
	{ "run.oci.hooks.stderr", "a file of the host is written as root (crun)" },
	{ "run.oci.seccomp.plugins", "a library is loaded into the runtime (crun)" },
	{ "run.oci.seccomp.receiver", "a socket of the host gets a filter's listener (crun)" },
	{ "run.oci.seccomp_bpf_data", "it replaces the filter (crun)" },
	{ "run.oci.pidfd_receiver", "a socket of the host gets the container's process (crun)" },
	{ "run.oci.systemd.force_cgroup_v1", "a hierarchy of cgroups is mounted (crun)" },
	{ "run.oci.delegate-cgroup", "the container may change its own cgroups (crun)" },
	{ "module.wasm.image/*", "it chooses another program to be the runtime (crun)" },
	{ "krun.*", "it configures a virtual machine (crun)" },
	{ "io.katacontainers.*", "it configures the runtime itself, with paths of the host's programs (Kata)" },
	{ "dev.gvisor.*", "it configures the runtime itself (gVisor)" },
	{ "org.criu.config", "a file of the host configures a program that runs as root (runc)" },
};

/* Of a systemd unit: when and how it ends, and its text. The others set limits, devices, and programs to run. */
static const char systemd_prefix[] = "org.systemd.property.";
static const char *const harmless[] = {
	"After",	  "Before",	     "CollectMode",   "DefaultDependencies", "Delegate",
	"Description",	  "KillMode",	     "KillSignal",    "SendSIGKILL",	     "SendSIGHUP",
	"TimeoutStopSec", "TimeoutStopUSec", "RuntimeMaxSec", "RuntimeMaxUSec",
};

static const char *why_of_property(const char *property)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		if (strcmp(property, harmless[i]) == 0)
			return NULL;
	}
	return "systemd would set more than how the unit ends";
}

/* NULL: nothing speaks against it. */
static const char *why_misused(const char *name)
{
	size_t length = strlen(systemd_prefix);

	if (strncmp(name, systemd_prefix, length) == 0)
		return why_of_property(name + length);
	for (size_t i = 0; i < ARRAY_SIZE(misused); i++) {
		length = strcspn(misused[i].name, "*");
		if (misused[i].name[length] ? strncmp(name, misused[i].name, length) == 0
					    : strcmp(name, misused[i].name) == 0)
			return misused[i].why;
	}
	return NULL;
}

static int check(struct plan_builder *builder, const struct plan_pair *annotation, bool *ret_keep, struct error *err)
{
	struct report_line line = { .applied = "left out", .why = why_misused(annotation->name) };
	bool adjust;
	int rc;

	*ret_keep = true;
	if (!line.why)
		return 0;
	line.where = plan_builder_text(builder, err, "annotations[\"%.200s\"]", annotation->name);
	line.asked = plan_builder_text(builder, err, "\"%.64s\"", annotation->value);
	if (!line.where || !line.asked)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_ANNOTATION, &line, &adjust, err);
	*ret_keep = !adjust;
	return rc;
}

int plan_harden_annotation(struct plan_builder *builder, struct error *err)
{
	struct plan *plan = builder->plan;

	return plan_harden_keep(builder, &plan->annotations, &plan->n_annotations, check, err);
}
