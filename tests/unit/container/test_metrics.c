/* Files of cgroups as numbers, of both versions, and text that is none of them. */
#include <stdint.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "container/metrics/metrics_parse.h"

Test(metrics, cpu_of_both_versions)
{
	struct brig_metrics m = { 0 }, v1 = { 0 };

	metrics_parse_cpu(
		"usage_usec 7\nuser_usec 4\nsystem_usec 3\ncore_sched.force_idle_usec 9\nnr_periods 1\nnr_throttled 2\n"
		"throttled_usec 5\n",
		&m);
	cr_expect(m.cpu.usage_usec == 7 && m.cpu.user_usec == 4 && m.cpu.system_usec == 3);
	cr_expect(m.cpu.nr_periods == 1 && m.cpu.nr_throttled == 2 && m.cpu.throttled_usec == 5);
	metrics_parse_cpu_v1("nr_periods 8\nnr_throttled 2\nthrottled_time 3999\n", &v1);
	cr_expect(v1.cpu.nr_periods == 8 && v1.cpu.nr_throttled == 2);
	cr_expect_eq(v1.cpu.throttled_usec, 3, "v1 counts nanoseconds");
}

Test(metrics, memory_of_both_versions)
{
	struct brig_metrics m = { 0 }, v1 = { 0 };

	metrics_parse_memory(
		"anon 4096\nfile 1\nkernel 77\nfile_mapped 2\nworkingset_refault_anon 3\nworkingset_refault_file 4\n"
		"workingset_activate 5\nthp_fault_alloc 18446744073709551615",
		&m);
	cr_expect(m.memory.anon == 4096 && m.memory.file == 1 && m.memory.file_mapped == 2);
	cr_expect_eq(m.memory.workingset_refault, 7, "two keys, one number");
	cr_expect_eq(m.memory.workingset_activate, 5, "or one key");
	cr_expect_eq(m.memory.thp_fault_alloc, UINT64_MAX, "without a last newline");
	metrics_parse_memory_v1("cache 1\nrss 2\ntotal_cache 10\ntotal_rss 20\ntotal_pgfault 30\n", &v1);
	cr_expect(v1.memory.file == 10 && v1.memory.anon == 20 && v1.memory.pgfault == 30, "groups below count as well");
	metrics_parse_memory_events("low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\n", &m);
	cr_expect(m.memory_events.low == 1 && m.memory_events.oom == 4 && m.memory_events.oom_kill == 5 &&
		  m.memory_events.oom_group_kill == 6);
}

Test(metrics, limits)
{
	cr_expect_eq(metrics_parse_limit("max"), UINT64_MAX);
	cr_expect_eq(metrics_parse_limit("4096"), 4096);
	cr_expect_eq(metrics_parse_limit("0"), 0);
	cr_expect_eq(metrics_parse_limit("9223372036854771712"), UINT64_MAX, "v1 has no limit");
	cr_expect_eq(metrics_parse_limit("-1"), UINT64_MAX);
	cr_expect_eq(metrics_parse_limit(""), UINT64_MAX);
}

Test(metrics, pressure)
{
	struct brig_pressure p = { 0 }, cpu = { 0 }, none = { 0 };

	metrics_parse_pressure(
		"some avg10=1.50 avg60=0.25 avg300=0.00 total=12\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=3", &p);
	cr_expect(p.is_known);
	cr_expect_float_eq(p.some.avg10, 1.5, 1e-9);
	cr_expect_float_eq(p.some.avg60, 0.25, 1e-9);
	cr_expect_eq(p.some.total, 12);
	cr_expect_float_eq(p.full.avg10, 0.5, 1e-9);
	cr_expect_eq(p.full.total, 3);
	metrics_parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=9", &cpu);
	cr_expect(cpu.is_known && cpu.some.total == 9 && cpu.full.total == 0);
	metrics_parse_pressure("Operation not supported", &none);
	cr_expect_not(none.is_known);
	metrics_parse_pressure("some avg10=x", &none);
	cr_expect_not(none.is_known);
}

Test(metrics, block_io)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct brig_metrics m = { 0 };

	cr_assert_eq(
		metrics_parse_io("8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n7:1 \n259:3 wbytes=9\nnonsense\n",
				 arena, &m, NULL),
		0);
	cr_assert_eq(m.n_io, 3);
	cr_expect(m.io[0].major == 8 && m.io[0].minor == 0 && m.io[0].rbytes == 1 && m.io[0].wbytes == 2 &&
		  m.io[0].rios == 3 && m.io[0].wios == 4);
	cr_expect(m.io[1].major == 7 && m.io[1].wbytes == 0, "a number of the next line is not taken");
	cr_expect(m.io[2].major == 259 && m.io[2].wbytes == 9);
	cr_assert_eq(metrics_parse_io("", arena, &m, NULL), 0);
	cr_expect_eq(m.n_io, 0);
}

Test(metrics, block_io_of_v1)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct brig_metrics m = { 0 };

	cr_assert_eq(metrics_parse_io_v1("8:0 Read 10\n8:0 Write 20\n8:0 Sync 1\n8:0 Total 30\n8:16 Read 5\nTotal 35\n",
					 "8:16 Read 6\n8:0 Read 1\n8:0 Write 2\nTotal 9", arena, &m, NULL),
		     0);
	cr_assert_eq(m.n_io, 2);
	cr_expect(m.io[0].minor == 0 && m.io[0].rbytes == 10 && m.io[0].wbytes == 20 && m.io[0].rios == 1 &&
		  m.io[0].wios == 2);
	cr_expect(m.io[1].minor == 16 && m.io[1].rbytes == 5 && m.io[1].rios == 6 && m.io[1].wios == 0);
	cr_assert_eq(metrics_parse_io_v1("", "", arena, &m, NULL), 0);
	cr_expect_eq(m.n_io, 0);
}
