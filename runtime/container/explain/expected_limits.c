#include "container/explain/expected_limits.h"

#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/quantity.h"

#define PERIOD_DEFAULT 100000 /* microseconds: the kernel's */
#define BYTES_MAX ((size_t)64 * 1024)

static int64_t positive(int64_t limit)
{
	return limit > 0 ? limit : 0;
}

/* "max" and what is no number: no limit. */
static int64_t parse(const char **text)
{
	uint64_t value;

	return quantity_digits(text, &value) < 0 || value > INT64_MAX ? 0 : (int64_t)value;
}

static void take_quota(struct expected_limits *ret, int64_t quota)
{
	/* A quota of which the period is not known had another than this one, maybe. */
	if (ret->cpu_period == 0 && ret->cpu_quota == 0)
		ret->cpu_period = PERIOD_DEFAULT;
	ret->cpu_quota = positive(quota);
}

/* By the names of v2's files; they are written last, so that they hold. */
static void take_unified(struct expected_limits *ret, const struct plan_pair *pair)
{
	const char *text = pair->value;

	if (strcmp(pair->name, "memory.max") == 0) {
		ret->memory = parse(&text);
	} else if (strcmp(pair->name, "pids.max") == 0) {
		ret->pids = parse(&text);
	} else if (strcmp(pair->name, "cpu.max") == 0) {
		int64_t quota = parse(&text), period;

		text += strspn(text, " max");
		period = parse(&text);
		if (period > 0)
			ret->cpu_period = (uint64_t)period;
		take_quota(ret, quota);
	}
}

void expected_limits_take(struct expected_limits *ret, const struct plan_resources *resources)
{
	if (resources->set & PLAN_MEMORY_LIMIT)
		ret->memory = positive(resources->memory_limit);
	/* By an update 0 changes nothing. */
	if (resources->set & PLAN_PIDS && resources->pids != 0)
		ret->pids = positive(resources->pids);
	if (resources->set & PLAN_CPU_PERIOD && resources->cpu_period > 0)
		ret->cpu_period = resources->cpu_period;
	if (resources->set & PLAN_CPU_QUOTA)
		take_quota(ret, resources->cpu_quota);
	for (size_t i = 0; i < resources->n_unified; i++)
		take_unified(ret, &resources->unified[i]);
}

uint64_t expected_limits_cpu(const struct expected_limits *limits)
{
	uint64_t product;

	if (limits->cpu_quota <= 0 || limits->cpu_period == 0 ||
	    __builtin_mul_overflow((uint64_t)limits->cpu_quota, UINT64_C(1000), &product))
		return 0;
	return product / limits->cpu_period;
}

void expected_limits_write(const struct expected_limits *limits, struct json_writer *writer)
{
	if (limits->memory > 0)
		json_write_member_int(writer, "memory", limits->memory);
	if (limits->pids > 0)
		json_write_member_int(writer, "pids", limits->pids);
	if (limits->cpu_quota > 0)
		json_write_member_int(writer, "cpuQuota", limits->cpu_quota);
	if (limits->cpu_period > 0)
		json_write_member_uint(writer, "cpuPeriod", limits->cpu_period);
}

int expected_limits_save(int dir_fd, const struct expected_limits *limits, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct json_writer writer = json_writer_on(&text, /* indent= */ 0);

	json_write_object_begin(&writer);
	expected_limits_write(limits, &writer);
	json_write_object_end(&writer);
	if (text.failed)
		return error_memory(err);
	return file_replace_at(dir_fd, EXPECTED_LIMITS_FILE, &text, 0600, err);
}

static const struct json_field fields[] = {
	{ "memory", &json_i64, offsetof(struct expected_limits, memory), 0 },
	{ "pids", &json_i64, offsetof(struct expected_limits, pids), 0 },
	{ "cpuQuota", &json_i64, offsetof(struct expected_limits, cpu_quota), 0 },
	{ "cpuPeriod", &json_u64, offsetof(struct expected_limits, cpu_period), 0 },
	{ 0 },
};
static const struct json_type type = JSON_OBJECT_OF(struct expected_limits, fields);

int expected_limits_read(int dir_fd, struct arena *arena, struct expected_limits *ret, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct expected_limits found = { 0 };
	struct json_input input;
	int rc = file_read_at(dir_fd, EXPECTED_LIMITS_FILE, BYTES_MAX, &text, err);

	if (rc == -ENOENT)
		return 0;
	input = (struct json_input){ .text = text.data, .length = text.length };
	if (rc >= 0)
		rc = json_decode(&input, &type, &found, arena, err);
	if (rc < 0)
		return error_prefix(err, "read " EXPECTED_LIMITS_FILE);
	*ret = found;
	return 1;
}
