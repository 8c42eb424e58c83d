# brig and the shim with defences that can be switched off, for without.bats: built for the checks, never installed.
without_wraps = syscall fsmount prctl fstat fstatfs mkdir mkdirat fchmod strtoull yajl_complete_parse \
	path_is_below mount_make private_proc_write_sysctls namespaces_enter_container plan_builder_namespace plan_cgroup_properties_build hooks_run home_of_user guarded_mask \
	spec_validate strspn brig_protect_executable json_scalar_store json_decode
without_ldflags = $(program_ldflags) $(without_wraps:%=-Wl,--wrap=%)

check_PROGRAMS += tests/cve/confined tests/cve/without_brig
tests_cve_confined_SOURCES = tests/cve/confined.c
tests_cve_confined_LDFLAGS = $(program_ldflags)
tests_cve_without_brig_SOURCES = cmd/brig/main.c tests/cve/without.c tests/cve/without.h
tests_cve_without_brig_LDADD = libbrigcmd.a $(runtime_libs)
tests_cve_without_brig_LDFLAGS = $(without_ldflags)
$(tests_cve_without_brig_OBJECTS): | brig-version.h

if WITH_SHIM
check_PROGRAMS += tests/cve/without_shim
tests_cve_without_shim_SOURCES = tests/cve/without.c tests/cve/without.h tests/cve/without_shim.c
tests_cve_without_shim_LDADD = $(containerd_shim_brig_v2_OBJECTS) $(shim_libs)
tests_cve_without_shim_LDFLAGS = $(without_ldflags) -Wl,--wrap=brig_execute_protected -Wl,--wrap=getsockopt -Wl,--wrap=io_open -Wl,--wrap=io_limit
endif
