#include "shim/proto/metrics.pb-c.h"
#include "shim/proto/task.pb-c.h"
#include "shim/service/service_core.h"
#include "shim/service/task_calls.h"
#include "shim/service/task_metrics.h"

/* One share of pressure, and the message that has two of them. */
struct pressure {
	Wire__PSIData some, full;
	Wire__PSIStats both;
};

struct metrics { /* the whole message, on the stack; lists are in the arena */
	Wire__Metrics all;
	Wire__PidsStat pids;
	Wire__CPUStat cpu;
	Wire__MemoryStat memory;
	Wire__MemoryEvents events;
	Wire__IOStat io;
	struct pressure cpu_psi, memory_psi, io_psi;
};

static void fill_share(Wire__PSIData *message, const struct brig_pressure_share *share)
{
	wire__psidata__init(message);
	message->avg10 = share->avg10;
	message->avg60 = share->avg60;
	message->avg300 = share->avg300;
	message->total = share->total;
}

/* Returns what goes into the message: NULL where the host does not count. */
static Wire__PSIStats *fill_pressure(struct pressure *message, const struct brig_pressure *pressure)
{
	if (!pressure->is_known)
		return NULL;
	fill_share(&message->some, &pressure->some);
	fill_share(&message->full, &pressure->full);
	wire__psistats__init(&message->both);
	message->both.some = &message->some;
	message->both.full = &message->full;
	return &message->both;
}

static void fill_cpu(struct metrics *message, const struct brig_metrics *from)
{
	Wire__CPUStat *cpu = &message->cpu;

	wire__cpustat__init(cpu);
	cpu->usage_usec = from->cpu.usage_usec;
	cpu->user_usec = from->cpu.user_usec;
	cpu->system_usec = from->cpu.system_usec;
	cpu->nr_periods = from->cpu.nr_periods;
	cpu->nr_throttled = from->cpu.nr_throttled;
	cpu->throttled_usec = from->cpu.throttled_usec;
	cpu->psi = fill_pressure(&message->cpu_psi, &from->cpu.psi);
	message->all.cpu = cpu;
}

/* The names are the same on both sides: one list, and a figure that is missing on either does not compile. */
static void fill_memory(struct metrics *message, const struct brig_metrics *from)
{
	Wire__MemoryStat *memory = &message->memory;

	wire__memory_stat__init(memory);
#define COPY(name) memory->name = from->memory.name
	COPY(anon);
	COPY(file);
	COPY(kernel_stack);
	COPY(slab);
	COPY(sock);
	COPY(shmem);
	COPY(file_mapped);
	COPY(file_dirty);
	COPY(file_writeback);
	COPY(anon_thp);
	COPY(inactive_anon);
	COPY(active_anon);
	COPY(inactive_file);
	COPY(active_file);
	COPY(unevictable);
	COPY(slab_reclaimable);
	COPY(slab_unreclaimable);
	COPY(pgfault);
	COPY(pgmajfault);
	COPY(workingset_refault);
	COPY(workingset_activate);
	COPY(workingset_nodereclaim);
	COPY(pgrefill);
	COPY(pgscan);
	COPY(pgsteal);
	COPY(pgactivate);
	COPY(pgdeactivate);
	COPY(pglazyfree);
	COPY(pglazyfreed);
	COPY(thp_fault_alloc);
	COPY(thp_collapse_alloc);
	COPY(usage);
	COPY(usage_limit);
	COPY(swap_usage);
	COPY(swap_limit);
	COPY(max_usage);
	COPY(swap_max_usage);
#undef COPY
	memory->psi = fill_pressure(&message->memory_psi, &from->memory.psi);
	message->all.memory = memory;
}

static void fill_counts(struct metrics *message, const struct brig_metrics *from)
{
	Wire__MemoryEvents *events = &message->events;

	wire__pids_stat__init(&message->pids);
	message->pids.current = from->pids.current;
	message->pids.limit = from->pids.limit;
	message->all.pids = &message->pids;

	wire__memory_events__init(events);
	events->low = from->memory_events.low;
	events->high = from->memory_events.high;
	events->max = from->memory_events.max;
	events->oom = from->memory_events.oom;
	events->oom_kill = from->memory_events.oom_kill;
	events->oom_group_kill = from->memory_events.oom_group_kill;
	message->all.memory_events = events;
}

/* One entry a device, of those that the group has used. */
static int fill_io(struct metrics *message, const struct brig_metrics *from, struct arena *arena, struct error *err)
{
	Wire__IOEntry *entries = arena_array_of(arena, from->n_io, Wire__IOEntry);
	Wire__IOStat *io = &message->io;

	wire__iostat__init(io);
	io->usage = arena_array_of(arena, from->n_io, Wire__IOEntry *);
	if (!entries || !io->usage)
		return error_memory(err);
	for (; io->n_usage < from->n_io; io->n_usage++) {
		const struct brig_io_entry *entry = &from->io[io->n_usage];
		Wire__IOEntry *usage = &entries[io->n_usage];

		wire__ioentry__init(usage);
		usage->major = entry->major;
		usage->minor = entry->minor;
		usage->rbytes = entry->rbytes;
		usage->wbytes = entry->wbytes;
		usage->rios = entry->rios;
		usage->wios = entry->wios;
		io->usage[io->n_usage] = usage;
	}
	io->psi = fill_pressure(&message->io_psi, &from->io_psi);
	message->all.io = io;
	return 0;
}

static int fill_hugepages(struct metrics *message, const struct brig_metrics *from, struct arena *arena, struct error *err)
{
	Wire__HugeTlbStat *sizes = arena_array_of(arena, from->n_hugepages, Wire__HugeTlbStat);
	Wire__Metrics *all = &message->all;

	all->hugetlb = arena_array_of(arena, from->n_hugepages, Wire__HugeTlbStat *);
	if (!sizes || !all->hugetlb)
		return error_memory(err);
	for (; all->n_hugetlb < from->n_hugepages; all->n_hugetlb++) {
		const struct brig_hugepages *size = &from->hugepages[all->n_hugetlb];
		Wire__HugeTlbStat *stat = &sizes[all->n_hugetlb];

		wire__huge_tlb_stat__init(stat);
		stat->current = size->current;
		stat->max = size->max;
		stat->pagesize = (char *)size->page_size;
		stat->failcnt = size->failed;
		all->hugetlb[all->n_hugetlb] = stat;
	}
	return 0;
}

int task_metrics_pack(const struct brig_metrics *from, struct arena *arena, struct buffer *packed, struct error *err)
{
	struct metrics message;
	int r;

	wire__metrics__init(&message.all);
	fill_counts(&message, from);
	fill_cpu(&message, from);
	fill_memory(&message, from);
	r = fill_io(&message, from, arena, err) ?: fill_hugepages(&message, from, arena, err);
	if (r < 0)
		return r;
	message_pack(&message.all.base, packed);
	return packed->failed ? error_memory(err) : 0;
}

/* From the control group's files, at once: no worker for what the kubelet asks of each container every ten seconds. */
int task_metrics(struct service_call *call, const void *request, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer packed = { 0 };
	const Wire__ProcessRequest *asked = request;
	Wire__StatsResponse answer = WIRE__STATS_RESPONSE__INIT;
	Wire__Any any = WIRE__ANY__INIT;
	struct brig_metrics from = { 0 };
	int r = task_calls_check(call, asked->id, err);

	if (r == 0)
		r = tasks_metrics(call->service->tasks, asked->id, call->arena, &from, err);
	if (r == 0)
		r = task_metrics_pack(&from, call->arena, &packed, err);
	if (r < 0)
		return r;
	any.type_url = (char *)TASK_METRICS_TYPE;
	any.value = (ProtobufCBinaryData){ .data = (uint8_t *)packed.data, .len = packed.length };
	answer.stats = &any;
	return call_answer(call, &answer);
}
