/* A plan made of a small config.json, of which a test says only what it is about. */
#pragma once

#include "plan/plan_build.h"

/* Members to add, in JSON with ' for ", each beginning with a comma: "'noNewPrivileges': true" goes in as ",'noNew...". */
struct plan_fixture_json {
	const char *top, *process, *linux_, *namespaces, *mounts /* a whole list's inside, without the first comma */;
};

struct plan_fixture {
	struct host host;	     /* a privileged one, to be changed before the build */
	struct plan_request request; /* its policy is the set conformant */
	struct spec *spec;
	struct plan *plan;
	struct report report;
	struct error err;
	int rc;
};

#define PLAN_FIXTURE_ALL_CAPABILITIES ((UINT64_C(1) << 41) - 1)

struct plan_fixture plan_fixture_new(void);
void plan_fixture_done(struct plan_fixture *fixture);
static inline void plan_fixture_done_cleanup(struct plan_fixture *fixture)
{
	plan_fixture_done(fixture);
}
#define PLAN_FIXTURE(name) AUTO(plan_fixture_done) struct plan_fixture name = plan_fixture_new()

/* Fails the test where the document itself is refused: that is spec/'s business. */
void plan_fixture_parse(struct plan_fixture *fixture, const struct plan_fixture_json *json);
/* Parses and builds; fixture->rc says how it went. */
void plan_fixture_build(struct plan_fixture *fixture, const struct plan_fixture_json *json);
/* The same for one that has to succeed. */
void plan_fixture_good(struct plan_fixture *fixture, const struct plan_fixture_json *json);
/* Builds and expects an error of that kind whose message has those words; nothing may be left of a plan. */
void plan_fixture_refused(const struct plan_fixture_json *json, enum error_kind kind, const char *words);
/* The one line of that rule; fails the test where there is none. */
const struct report_line *plan_fixture_line(const struct plan_fixture *fixture, const char *rule);
bool plan_fixture_has_line(const struct plan_fixture *fixture, const char *rule);

/* Namespaces for `.namespaces`, and maps for `.linux_`. */
#define PLAN_FIXTURE_USER ",{'type':'user'}"
#define PLAN_FIXTURE_MAPS                                                \
	",'uidMappings':[{'containerID':0,'hostID':100000,'size':1000}]" \
	",'gidMappings':[{'containerID':0,'hostID':200000,'size':1000}]"
