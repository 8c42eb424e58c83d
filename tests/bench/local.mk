# The benchmark's programs; `run` measures with them.

check_PROGRAMS += tests/bench/calls tests/bench/exec_floor tests/bench/floor tests/bench/interleave tests/bench/payload

bench_floor_sources = \
	tests/bench/floor.c \
	tests/bench/floor.h \
	tests/bench/stopwatch.h

tests_bench_exec_floor_SOURCES = tests/bench/exec_floor.c tests/bench/stopwatch.h
tests_bench_floor_SOURCES = $(bench_floor_sources) tests/bench/floor_main.c
tests_bench_interleave_SOURCES = $(bench_floor_sources) tests/bench/interleave.c
tests_bench_calls_SOURCES = tests/bench/calls.c tests/bench/stopwatch.h
tests_bench_payload_SOURCES = tests/bench/payload.c

# Static as the runtime is: the containers' root has no libraries, and a small parent keeps its pages out of the figures.
tests_bench_exec_floor_LDFLAGS = $(program_ldflags)
tests_bench_floor_LDFLAGS = $(program_ldflags)
tests_bench_interleave_LDFLAGS = $(program_ldflags)
# Also in a build with sanitizers, which can't be static: without them.
tests_bench_payload_CFLAGS = $(BRIG_CFLAGS) $(BRIG_WARNINGS)
tests_bench_calls_CFLAGS = $(BRIG_CFLAGS) $(BRIG_WARNINGS)
tests_bench_calls_LDFLAGS = $(BRIG_LDFLAGS) -static
tests_bench_payload_LDFLAGS = $(BRIG_LDFLAGS) -static

EXTRA_DIST += tests/bench/allowed_calls.py tests/bench/engine_profiles tests/bench/filter tests/bench/run tests/bench/sandbox tests/bench/shim tests/bench/bench_bundle.py tests/bench/bench_report.py tests/bench/profile.json tests/bench/README.md
