/* brig doctor: what this host can enforce, and how to turn on what it can't. */
#include "container/explain/doctor.h"
#include "base/buffer.h"
#include "base/json_write.h"
#include "container/brig.h"

static const char *const states[] = {
	[DOCTOR_WORKS] = "works",
	[DOCTOR_LACKS] = "lacks",
	[DOCTOR_NEEDED] = "needed",
};

static void print_finding(const struct doctor_check *check, const struct doctor_finding *finding, struct buffer *out)
{
	buffer_printf(out, "%-7s %-17s %s: %s\n", states[finding->state], check->name, check->what, finding->detail);
	if (finding->state != DOCTOR_WORKS)
		buffer_printf(out, "%-25s to do: %s\n", "", check->remedy);
}

static void write_finding(struct json_writer *writer, const struct doctor_check *check,
			  const struct doctor_finding *finding)
{
	json_write_object_begin(writer);
	json_write_member(writer, "name", check->name);
	json_write_member(writer, "state", states[finding->state]);
	json_write_member(writer, "what", check->what);
	json_write_member(writer, "found", finding->detail);
	if (finding->state != DOCTOR_WORKS)
		json_write_member(writer, "remedy", check->remedy);
	json_write_object_end(writer);
}

enum brig_health doctor_worse(enum brig_health so_far, enum doctor_state state)
{
	static const enum brig_health healths[] = {
		[DOCTOR_WORKS] = BRIG_HEALTHY,
		[DOCTOR_LACKS] = BRIG_LACKS_SOME,
		[DOCTOR_NEEDED] = BRIG_LACKS_NEEDED,
	};

	return healths[state] > so_far ? healths[state] : so_far;
}

int brig_doctor(const struct brig *brig, bool json, struct buffer *out, enum brig_health *ret, struct error *err)
{
	struct json_writer writer = json_writer_on(out, /* indent= */ 2);
	enum brig_health health = BRIG_HEALTHY;

	if (json)
		json_write_array_begin(&writer);
	for (const struct doctor_check *check = doctor_checks; check->name; check++) {
		struct doctor_finding finding = { 0 };

		check->look(brig, &finding);
		health = doctor_worse(health, finding.state);
		if (json)
			write_finding(&writer, check, &finding);
		else
			print_finding(check, &finding, out);
	}
	if (json)
		json_write_array_end(&writer);
	if (json)
		buffer_append_text(out, "\n");
	*ret = health;
	return out->failed ? error_memory(err) : 0;
}
