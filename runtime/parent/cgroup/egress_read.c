/* What the programs have counted: found by the program that is attached to the group, and the maps that it holds. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "parent/cgroup/cgroup_bpf.h"
#include "parent/cgroup/cgroup_internal.h"
#include "parent/cgroup/egress_internal.h"

#define MAPS_MAX 8
#define VALUE_MAX (16 * 1024) /* of the counters; more is not ours */

/* A descriptor, or -ENOENT. ret_size: of its values. */
static int find_map(int program_fd, const char *name, size_t *ret_size)
{
	uint32_t ids[MAPS_MAX] = { 0 };
	struct bpf_prog_info info = { .nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)ids };
	union bpf_attr attr = {
		.info = { .bpf_fd = (uint32_t)program_fd, .info_len = sizeof(info), .info = (uintptr_t)&info }
	};
	int r = cgroup_bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr);

	for (uint32_t i = 0; r == 0 && i < info.nr_map_ids && i < MAPS_MAX; i++) {
		union bpf_attr get = { .map_id = ids[i] };
		int fd = cgroup_bpf_call(BPF_MAP_GET_FD_BY_ID, &get);
		struct bpf_map_info map = { 0 };
		union bpf_attr ask = {
			.info = { .bpf_fd = (uint32_t)fd, .info_len = sizeof(map), .info = (uintptr_t)&map }
		};

		if (fd >= 0 && cgroup_bpf_call(BPF_OBJ_GET_INFO_BY_FD, &ask) == 0 && strcmp(map.name, name) == 0) {
			*ret_size = map.value_size;
			return fd;
		}
		close_and_reset(&fd);
	}
	return r < 0 ? r : -ENOENT;
}

/* A copy of the value as it is at this moment; the programs count on. */
static int look_up(int map_fd, const void *key, void *value)
{
	union bpf_attr attr = { .map_fd = (uint32_t)map_fd, .key = (uintptr_t)key, .value = (uintptr_t)value };

	return cgroup_bpf_call(BPF_MAP_LOOKUP_ELEM, &attr);
}

static int read_counters(int program_fd, struct arena *arena, struct egress_report *ret)
{
	struct egress_counters *counters;
	const uint32_t first = 0;
	size_t size = 0;
	AUTO_CLOSE int fd = find_map(program_fd, EGRESS_COUNTS_NAME, &size);
	int r;

	if (fd < 0 || size < sizeof(*counters) || size > VALUE_MAX)
		return fd < 0 ? fd : -EPROTO;
	counters = arena_alloc(arena, size);
	ret->n_entries = (size - sizeof(*counters)) / sizeof(struct egress_pair);
	ret->entries = arena_array_of(arena, ret->n_entries, struct egress_entry_count);
	if (!counters || !ret->entries)
		return -ENOMEM;
	r = look_up(fd, &first, counters);
	if (r < 0)
		return r;
	ret->denied = counters->denied;
	ret->others = counters->others;
	for (size_t i = 0; i < ret->n_entries; i++)
		ret->entries[i] =
			(struct egress_entry_count){ counters->entries[i].connections, counters->entries[i].datagrams };
	return 0;
}

/* From CLOCK_BOOTTIME to CLOCK_REALTIME. */
static int64_t clock_offset(void)
{
	struct timespec real, boot;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return (real.tv_sec - boot.tv_sec) * 1000000000 + (real.tv_nsec - boot.tv_nsec);
}

static void take_denial(const struct egress_denied_key *key, const struct egress_denied_value *value,
			struct egress_denial *ret)
{
	int64_t offset = clock_offset();

	*ret = (struct egress_denial){
		.hook = key->hook,
		.family = key->family,
		.protocol = key->protocol,
		.port = key->hook == EGRESS_HOOK_SOCKET ? key->port : ntohs(key->port),
		.count = value->count,
		.first_ns = (int64_t)value->first + offset,
		.last_ns = (int64_t)value->last + offset,
	};
	memcpy(ret->address, key->address, sizeof(ret->address));
}

static int compare(const void *a, const void *b)
{
	const struct egress_denial *one = a, *other = b;

	return (one->first_ns > other->first_ns) - (one->first_ns < other->first_ns);
}

/* Keys that come or go while we walk may be missed or seen twice (bpf(2), BPF_MAP_GET_NEXT_KEY): the sum in the counters is
 * exact. */
static int read_denials(int program_fd, struct arena *arena, struct egress_report *ret)
{
	size_t size = 0, n = 0;
	AUTO_CLOSE int fd = find_map(program_fd, EGRESS_DENIED_NAME, &size);
	struct egress_denied_key key, next;
	struct egress_denied_value value;
	union bpf_attr attr = { .map_fd = (uint32_t)fd, .next_key = (uintptr_t)&next };

	if (fd < 0 || size != sizeof(value))
		return fd < 0 ? fd : -EPROTO;
	ret->denials = arena_array_of(arena, EGRESS_DENIED_MAX, struct egress_denial);
	if (!ret->denials)
		return -ENOMEM;
	while (n < EGRESS_DENIED_MAX && cgroup_bpf_call(BPF_MAP_GET_NEXT_KEY, &attr) == 0) {
		key = next;
		attr.key = (uintptr_t)&key;
		if (look_up(fd, &key, &value) == 0)
			take_denial(&key, &value, &ret->denials[n++]);
	}
	qsort(ret->denials, n, sizeof(*ret->denials), compare);
	ret->n_denials = n;
	return 0;
}

int egress_read(struct cgroup *cgroup, struct arena *arena, struct egress_report *ret, struct error *err)
{
	const struct egress_program_kind *kind = &egress_program_kinds[EGRESS_PROGRAM_OUT];
	int cgroup_fd = cgroup_tree_fd(cgroup, CGROUP_TREE_V2), r;
	AUTO_CLOSE int program_fd = cgroup_fd < 0 ? -ENOENT : cgroup_bpf_find(cgroup_fd, kind->attach, kind->name);
	struct egress_report report = { 0 };

	if (program_fd == -ENOENT)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "no egress programs are attached to the cgroup %s",
				 cgroup_path(cgroup));
	r = program_fd < 0 ? program_fd : read_counters(program_fd, arena, &report);
	if (r >= 0)
		r = read_denials(program_fd, arena, &report);
	if (r < 0)
		return error_system(err, -r, "read what the egress programs have counted");
	*ret = report;
	return 0;
}

static const char *protocol_name(uint32_t protocol, char number[static 24])
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	}
	snprintf(number, 24, "protocol-%u", protocol);
	return number;
}

const char *egress_denial_format(const struct egress_denial *denial, char text[static EGRESS_DENIAL_TEXT_MAX])
{
	static const char *const hooks[] = {
		[EGRESS_HOOK_CONNECT] = "connect", [EGRESS_HOOK_SEND] = "send", [EGRESS_HOOK_PACKET] = "packet", [EGRESS_HOOK_SOCKET] = "socket"
	};
	bool is_known = denial->hook >= EGRESS_HOOK_CONNECT && denial->hook <= EGRESS_HOOK_SOCKET;
	bool has_brackets = denial->family == AF_INET6 && denial->port;
	char address[INET6_ADDRSTRLEN] = "?", number[24], port[8] = "";
	const char *name = protocol_name(denial->protocol, number);

	if (denial->hook == EGRESS_HOOK_SOCKET) {
		snprintf(text, EGRESS_DENIAL_TEXT_MAX, "socket %s, type %u, %s",
			 denial->family == AF_INET ? "AF_INET" : "AF_INET6", denial->port, name);
		return text;
	}
	inet_ntop(denial->family == AF_INET ? AF_INET : AF_INET6, denial->address, address, sizeof(address));
	if (denial->port)
		snprintf(port, sizeof(port), ":%u", denial->port);
	snprintf(text, EGRESS_DENIAL_TEXT_MAX, "%s %s %s%s%s%s", is_known ? hooks[denial->hook] : "?", name,
		 has_brackets ? "[" : "", address, has_brackets ? "]" : "", port);
	return text;
}
