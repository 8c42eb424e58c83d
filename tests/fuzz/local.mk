# libFuzzer programs, one a parser of hostile input: tests/fuzz/fuzz_<what>.c, run as ./tests/fuzz/fuzz-<what> CORPUS.
if WITH_FUZZING
noinst_PROGRAMS += $(fuzz_programs)
endif
fuzz_programs = \
	tests/fuzz/fuzz-spec
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_spec_SOURCES = tests/fuzz/fuzz_spec.c
tests_fuzz_fuzz_spec_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_spec_LDADD = $(runtime_libs)
