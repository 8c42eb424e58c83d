# libFuzzer programs, one a parser of hostile input: tests/fuzz/fuzz_<what>.c, run as ./tests/fuzz/fuzz-<what> CORPUS.
# What they start from lies in tests/fuzz/corpus/<what>/.
EXTRA_DIST += tests/fuzz/corpus
if WITH_FUZZING
noinst_PROGRAMS += $(fuzz_programs)
endif
fuzz_programs = \
	tests/fuzz/fuzz-handshake \
	tests/fuzz/fuzz-home \
	tests/fuzz/fuzz-image-documents \
	tests/fuzz/fuzz-mount-options \
	tests/fuzz/fuzz-policy \
	tests/fuzz/fuzz-proxy-dns \
	tests/fuzz/fuzz-proxy-hello \
	tests/fuzz/fuzz-proxy-http \
	tests/fuzz/fuzz-seccomp-cache \
	tests/fuzz/fuzz-seccomp-compose \
	tests/fuzz/fuzz-spec \
	tests/fuzz/fuzz-state \
	tests/fuzz/fuzz-tar
if WITH_SHIM
fuzz_programs += tests/fuzz/fuzz-options tests/fuzz/fuzz-ttrpc
endif
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer

# `make fuzz` builds them alone.
fuzz: $(fuzz_programs)
.PHONY: fuzz

tests_fuzz_fuzz_handshake_SOURCES = tests/fuzz/fuzz_handshake.c
tests_fuzz_fuzz_handshake_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_handshake_LDADD = $(runtime_libs)

tests_fuzz_fuzz_home_SOURCES = tests/fuzz/fuzz_home.c
tests_fuzz_fuzz_home_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_home_LDADD = $(runtime_libs)

tests_fuzz_fuzz_image_documents_SOURCES = tests/fuzz/fuzz_image_documents.c
tests_fuzz_fuzz_image_documents_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_image_documents_LDADD = $(runtime_libs)

tests_fuzz_fuzz_mount_options_SOURCES = tests/fuzz/fuzz_mount_options.c
tests_fuzz_fuzz_mount_options_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_mount_options_LDADD = $(runtime_libs)

tests_fuzz_fuzz_options_SOURCES = tests/fuzz/fuzz_options.c
tests_fuzz_fuzz_options_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_options_LDADD = $(shim_libs)
$(tests_fuzz_fuzz_options_OBJECTS): | $(shim_proto_headers)

tests_fuzz_fuzz_policy_SOURCES = tests/fuzz/fuzz_policy.c
tests_fuzz_fuzz_policy_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_policy_LDADD = $(runtime_libs)

tests_fuzz_fuzz_proxy_dns_SOURCES = tests/fuzz/fuzz_proxy_dns.c
tests_fuzz_fuzz_proxy_dns_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_proxy_dns_LDADD = $(runtime_libs)

tests_fuzz_fuzz_proxy_hello_SOURCES = tests/fuzz/fuzz_proxy_hello.c
tests_fuzz_fuzz_proxy_hello_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_proxy_hello_LDADD = $(runtime_libs)

tests_fuzz_fuzz_proxy_http_SOURCES = tests/fuzz/fuzz_proxy_http.c
tests_fuzz_fuzz_proxy_http_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_proxy_http_LDADD = $(runtime_libs)

tests_fuzz_fuzz_seccomp_cache_SOURCES = tests/fuzz/fuzz_seccomp_cache.c tests/fuzz/fuzz_directory.c tests/fuzz/fuzz_directory.h
tests_fuzz_fuzz_seccomp_cache_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_seccomp_cache_LDADD = $(runtime_libs)

tests_fuzz_fuzz_seccomp_compose_SOURCES = tests/fuzz/fuzz_seccomp_compose.c \
	tests/support/bpf_simulator.c \
	tests/support/bpf_simulator.h \
	tests/support/seccomp_both.c \
	tests/support/seccomp_both.h \
	tests/support/seccomp_profile.c \
	tests/support/seccomp_profile.h
tests_fuzz_fuzz_seccomp_compose_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_seccomp_compose_LDADD = $(runtime_libs)

tests_fuzz_fuzz_spec_SOURCES = tests/fuzz/fuzz_spec.c
tests_fuzz_fuzz_spec_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_spec_LDADD = $(runtime_libs)

tests_fuzz_fuzz_state_SOURCES = tests/fuzz/fuzz_state.c tests/fuzz/fuzz_directory.c tests/fuzz/fuzz_directory.h
tests_fuzz_fuzz_state_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_state_LDADD = $(runtime_libs)

tests_fuzz_fuzz_tar_SOURCES = tests/fuzz/fuzz_tar.c
tests_fuzz_fuzz_tar_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_tar_LDADD = $(runtime_libs)

tests_fuzz_fuzz_ttrpc_SOURCES = tests/fuzz/fuzz_ttrpc.c
tests_fuzz_fuzz_ttrpc_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_ttrpc_LDADD = $(shim_libs)
$(tests_fuzz_fuzz_ttrpc_OBJECTS): | $(shim_proto_headers)
