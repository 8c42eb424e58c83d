/* No TCP, by Landlock: for those who ask, since programs use loopback for themselves (docs/adr/0010-landlock.md). */
#include "plan/plan_tcp.h"

#include <errno.h>
#include <string.h>

/* The interface's version that knows TCP (Linux 6.7). */
#define LEAST_VERSION 4

bool plan_tcp_knows(const char *annotation)
{
	return strcmp(annotation, PLAN_TCP_ANNOTATION) == 0;
}

/* NULL: nobody asks. */
static const char *find_asked(const struct spec *spec)
{
	for (size_t i = 0; i < spec->n_annotations; i++) {
		if (plan_tcp_knows(spec->annotations[i].name))
			return spec->annotations[i].value;
	}
	return NULL;
}

bool plan_tcp_is_asked(const struct spec *spec)
{
	return find_asked(spec) != NULL;
}

/* What can't be held does not start. */
static int refuse(struct plan_builder *builder, struct error *err)
{
	int version = builder->host->landlock;
	const char *remedy = "use Linux 6.7 or later with landlock among the modules of lsm=, or leave it out";
	struct report_line line = { .level = REPORT_REFUSED, .rule = "tcp", .where = PLAN_TCP_WHERE, .applied = remedy };

	line.why =
		version > 0
			? plan_builder_text(builder, err,
					    "the kernel's Landlock has version %d, which knows no TCP: version %d does",
					    version, LEAST_VERSION)
			: "this kernel has no Landlock, or it was not enabled at boot";
	if (!line.why)
		return -ENOMEM;
	if (builder->request->collects)
		return report_add(builder->report, &line, err);
	return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP, "%s: can't be held: %s; %s", PLAN_TCP_WHERE, line.why,
			 remedy);
}

/* A process that can gain privileges is not one that the kernel lets be restricted for good. */
static int give_up_privileges(struct plan_builder *builder, struct error *err)
{
	struct report_line line = { .level = REPORT_ADJUSTED,
				    .rule = "tcp",
				    .where = "process.noNewPrivileges",
				    .asked = "false",
				    .applied = "true",
				    .why = "what " PLAN_TCP_WHERE " takes away would come back with privileges" };

	if (builder->plan->process.no_new_privileges)
		return 0;
	builder->plan->process.no_new_privileges = true;
	return report_add(builder->report, &line, err);
}

int plan_tcp_build(struct plan_builder *builder, struct error *err)
{
	const char *asked = find_asked(builder->spec);
	struct report_line line = {
		.level = REPORT_NOTE,
		.rule = "tcp",
		.where = PLAN_TCP_WHERE,
		.asked = "none",
		.why = "connect and bind of TCP sockets are refused, whatever the address; UDP and unix sockets are "
		       "not, and raw sockets where there is CAP_NET_RAW"
	};

	if (!asked)
		return 0;
	if (strcmp(asked, "none") != 0)
		return error_invalid(
			err, "%s: found \"%.64s\", expected \"none\"; where TCP may lead is for brig.dev/egress to say",
			PLAN_TCP_WHERE, asked);
	if (!builder->process)
		return 0;
	builder->plan->landlock.refuses_tcp = true;
	builder->plan->landlock.version = builder->host->landlock;
	if (builder->request->decided)
		return 0;
	if (builder->host->landlock < LEAST_VERSION)
		return refuse(builder, err);
	return report_add(builder->report, &line, err) < 0 ? -ENOMEM : give_up_privileges(builder, err);
}
