/* The table of files of a v2 group and the properties of a unit that stand for them: systemd.resource-control(5), and the D-Bus names
 * in org.freedesktop.systemd1(5). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parent/cgroup/cgroup_unit.h"

#define PERIOD_DEFAULT 100000
#define SET_BYTES 1024 /* of a bit mask: 8,192 processors */

static void append(struct buffer *request, const char *signature, const char *name, uint64_t value)
{
	buffer_printf(request, "property %s %s %" PRIu64 "\n", signature, name, value);
}

/* "max": systemd's word for it is the largest number. */
static void append_number(struct buffer *request, const char *name, const char *value)
{
	append(request, "t", name, value[0] == 'm' || value[0] == '-' ? UINT64_MAX : strtoull(value, NULL, 10));
}

/* "50000 100000". systemd has the time for a second, in whole hundredths: rounded up, the file then has the exact value. */
static void append_cpu_max(struct buffer *request, const char *name, const char *value)
{
	uint64_t quota, period = PERIOD_DEFAULT;
	char *end;

	if (value[0] == 'm') {
		append(request, "t", name, UINT64_MAX);
		return;
	}
	quota = strtoull(value, &end, 10);
	if (*end == ' ')
		period = strtoull(end, NULL, 10);
	if (period == 0 || quota > UINT64_MAX / 1000000)
		return;
	append(request, "t", name, (quota * 1000000 / period + 9999) / 10000 * 10000);
	append(request, "t", "CPUQuotaPeriodUSec", period);
}

static void append_idle(struct buffer *request, const char *name, const char *value)
{
	if (value[0] == '1')
		append(request, "t", name, 0);
}

/* "0-3,8" as a bit mask, the lowest byte first. */
static void append_set(struct buffer *request, const char *name, const char *value)
{
	unsigned char mask[SET_BYTES] = { 0 };
	size_t length = 0;

	for (const char *p = value; *p;) {
		char *end;
		unsigned long first = strtoul(p, &end, 10), last = first;

		if (end == p)
			return;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (last >= (unsigned long)SET_BYTES * 8 || first > last)
			return;
		for (unsigned long i = first; i <= last; i++)
			mask[i / 8] = (unsigned char)(mask[i / 8] | 1U << i % 8);
		length = last / 8 + 1 > length ? last / 8 + 1 : length;
		p = end + (*end == ',');
	}
	buffer_printf(request, "property ay %s ", name);
	for (size_t i = 0; i < length; i++)
		buffer_printf(request, "%02x", mask[i]);
	buffer_append_text(request, "\n");
}

static const struct {
	const char *file, *name;
	void (*append)(struct buffer *request, const char *name, const char *value);
} plain[] = {
	{ "memory.max", "MemoryMax", append_number },	       { "memory.high", "MemoryHigh", append_number },
	{ "memory.low", "MemoryLow", append_number },	       { "memory.min", "MemoryMin", append_number },
	{ "memory.swap.max", "MemorySwapMax", append_number }, { "pids.max", "TasksMax", append_number },
	{ "cpu.weight", "CPUWeight", append_number },	       { "cpu.idle", "CPUWeight", append_idle },
	{ "cpu.max", "CPUQuotaPerSecUSec", append_cpu_max },   { "cpuset.cpus", "AllowedCPUs", append_set },
	{ "cpuset.mems", "AllowedMemoryNodes", append_set },
};

static const struct {
	const char *field, *name;
} throttles[] = {
	{ "rbps", "IOReadBandwidthMax" },
	{ "wbps", "IOWriteBandwidthMax" },
	{ "riops", "IOReadIOPSMax" },
	{ "wiops", "IOWriteIOPSMax" },
};

/* io.max and the weights have a line for each device. */
static void append_keyed(struct buffer *request, const struct cgroup_setting *setting)
{
	bool unlimited = setting->value[0] == 'm';

	if (setting->other_file && strcmp(setting->key, "default") == 0)
		append_number(request, "IOWeight", setting->other_value);
	else if (setting->other_file)
		buffer_printf(request, "property a(st) IODeviceWeight /dev/block/%s %s\n", setting->key,
			      setting->other_value);
	for (size_t i = 0; setting->field && i < ARRAY_SIZE(throttles); i++) {
		if (strcmp(setting->field, throttles[i].field) == 0)
			buffer_printf(request, "property a(st) %s /dev/block/%s %s\n", throttles[i].name, setting->key,
				      unlimited ? "18446744073709551615" : setting->value);
	}
}

/* A group that is idle no more has the usual weight, as the kernel has given it just now. */
static bool is_idle_no_more(const struct cgroup_setting *setting)
{
	return strcmp(setting->file, "cpu.idle") == 0 && setting->value[0] == '0' && setting->before &&
	       setting->before[0] == '1';
}

void cgroup_unit_properties(const struct cgroup_settings *settings, struct buffer *request)
{
	for (size_t i = 0; i < settings->n; i++) {
		const struct cgroup_setting *setting = &settings->list[i];

		if (setting->key) {
			append_keyed(request, setting);
			continue;
		}
		if (is_idle_no_more(setting))
			append_number(request, "CPUWeight", "max");
		for (size_t k = 0; k < ARRAY_SIZE(plain); k++) {
			if (strcmp(setting->file, plain[k].file) == 0)
				plain[k].append(request, plain[k].name, setting->value);
		}
	}
}
