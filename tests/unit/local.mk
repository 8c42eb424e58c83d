# One Criterion program a layer: tests/unit/<layer>/test_*.c, appended to the layer's list here.

unit_base_sources = \
	tests/unit/base/test_arena.c \
	tests/unit/base/test_buffer.c \
	tests/unit/base/test_cleanup.c \
	tests/unit/base/test_endpoint.c \
	tests/unit/base/test_error.c \
	tests/unit/base/test_fd.c \
	tests/unit/base/test_file.c \
	tests/unit/base/test_json.c \
	tests/unit/base/test_json_encode.c \
	tests/unit/base/test_json_write.c \
	tests/unit/base/test_log.c \
	tests/unit/base/test_names.c \
	tests/unit/base/test_namespace.c \
	tests/unit/base/test_number_list.c \
	tests/unit/base/test_path.c \
	tests/unit/base/test_path_race.c \
	tests/unit/base/test_quantity.c \
	tests/unit/base/test_timestamp.c

unit_spec_sources = \
	tests/unit/spec/test_spec.c \
	tests/unit/spec/test_spec_hostile.c \
	tests/unit/spec/test_spec_validate.c

unit_policy_sources = \
	tests/unit/policy/test_egress_value.c \
	tests/unit/policy/test_limit_value.c \
	tests/unit/policy/test_policy.c \
	tests/unit/policy/test_policy_audit.c \
	tests/unit/policy/test_policy_file.c

unit_plan_sources = \
	tests/unit/plan/floor_functions.c \
	tests/unit/plan/floor_functions.h \
	tests/unit/plan/floor_limits.c \
	tests/unit/plan/floor_limits.h \
	tests/unit/plan/floor_properties.c \
	tests/unit/plan/floor_properties.h \
	tests/unit/plan/plan_fixture.c \
	tests/unit/plan/plan_fixture.h \
	tests/unit/plan/rule_cases.c \
	tests/unit/plan/rule_cases.h \
	tests/unit/plan/spec_generator.c \
	tests/unit/plan/spec_generator.h \
	tests/unit/plan/test_plan_build.c \
	tests/unit/plan/test_plan_cgroup.c \
	tests/unit/plan/test_plan_cgroup_properties.c \
	tests/unit/plan/test_plan_devices.c \
	tests/unit/plan/test_plan_digest.c \
	tests/unit/plan/test_plan_egress.c \
	tests/unit/plan/test_plan_harden.c \
	tests/unit/plan/test_plan_harden_limits.c \
	tests/unit/plan/test_plan_harden_rows.c \
	tests/unit/plan/test_plan_harden_single.c \
	tests/unit/plan/test_plan_id_map.c \
	tests/unit/plan/test_plan_levels.c \
	tests/unit/plan/test_plan_fields.c \
	tests/unit/plan/test_plan_floor.c \
	tests/unit/plan/test_plan_limits.c \
	tests/unit/plan/test_plan_mount_label.c \
	tests/unit/plan/test_plan_mount_options.c \
	tests/unit/plan/test_plan_mounts.c \
	tests/unit/plan/test_plan_namespaces.c \
	tests/unit/plan/test_plan_places.c \
	tests/unit/plan/test_plan_places_rows.c \
	tests/unit/plan/test_plan_print.c \
	tests/unit/plan/test_plan_net_devices.c \
	tests/unit/plan/test_plan_process.c \
	tests/unit/plan/test_plan_root_mount.c \
	tests/unit/plan/test_plan_seccomp.c \
	tests/unit/plan/test_plan_harden_mounts.c \
	tests/unit/plan/test_plan_sources.c \
	tests/unit/plan/test_plan_sysctl.c \
	tests/unit/plan/test_plan_tcp.c \
	tests/unit/plan/test_plan_userns.c \
	tests/unit/plan/test_plan_userns_network.c \
	tests/unit/plan/test_plan_userns_table.c \
	tests/unit/plan/test_plan_withheld.c

unit_parent_sources = \
	tests/unit/parent/cgroup_fixture.c \
	tests/unit/parent/cgroup_fixture.h \
	tests/unit/parent/test_birth_wait.c \
	tests/unit/parent/test_cgroup.c \
	tests/unit/parent/test_cgroup_oom_log.c \
	tests/unit/parent/test_cgroup_unit.c \
	tests/unit/parent/test_cgroup_devices.c \
	tests/unit/parent/test_cgroup_entry.c \
	tests/unit/parent/test_cgroup_parents.c \
	tests/unit/parent/test_cgroup_real.c \
	tests/unit/parent/test_cgroup_real_rules.c \
	tests/unit/parent/test_egress.c \
	tests/unit/parent/test_floor_answers.c \
	tests/unit/parent/test_floor_holes.c \
	tests/unit/parent/test_floor_inside.c \
	tests/unit/parent/test_floor_policies.c \
	tests/unit/parent/test_host.c \
	tests/unit/parent/test_host_sources.c \
	tests/unit/parent/test_host_idmap.c \
	tests/unit/parent/test_idmap.c \
	tests/unit/parent/test_join.c \
	tests/unit/parent/test_listener.c \
	tests/unit/parent/test_namespace_holder.c \
	tests/unit/parent/test_netlink.c \
	tests/unit/parent/test_prepare.c \
	tests/unit/parent/test_root_mount.c \
	tests/unit/parent/test_seccomp_cache.c \
	tests/unit/parent/test_seccomp_compose.c \
	tests/unit/parent/test_seccomp_compose_refused.c \
	tests/unit/parent/test_seccomp_floor_kernel.c \
	tests/unit/parent/test_seccomp_kernel.c \
	tests/unit/parent/test_seccomp_record.c \
	tests/unit/parent/test_seccomp_rules.c \
	tests/unit/parent/test_seccomp_verdicts.c \
	tests/unit/parent/test_stdio.c

unit_child_sources = \
	tests/unit/child/test_capabilities.c \
	tests/unit/child/test_command_line.c \
	tests/unit/child/test_copy_up.c \
	tests/unit/child/test_handshake.c \
	tests/unit/child/test_home.c \
	tests/unit/child/test_hooks.c \
	tests/unit/child/test_mount_make.c \
	tests/unit/child/test_program.c \
	tests/unit/child/test_tcp_filter.c

unit_container_sources = \
	tests/unit/container/test_criu_arguments.c \
	tests/unit/container/test_denial_listener.c \
	tests/unit/container/test_doctor.c \
	tests/unit/container/test_documents.c \
	tests/unit/container/test_exec_process.c \
	tests/unit/container/test_expectation.c \
	tests/unit/container/test_explain.c \
	tests/unit/container/test_exposition.c \
	tests/unit/container/test_id_ranges.c \
	tests/unit/container/test_learn.c \
	tests/unit/container/test_metrics.c \
	tests/unit/container/test_starter.c \
	tests/unit/container/test_state.c \
	tests/unit/container/test_store.c \
	tests/unit/container/test_stuck.c

unit_audit_sources = \
	tests/unit/audit/test_audit.c \
	tests/unit/audit/test_audit_read.c \
	tests/unit/audit/test_audit_record.c \
	tests/unit/audit/test_audit_syslog.c \
	tests/unit/audit/test_denials.c \
	tests/unit/audit/test_tally.c

unit_proxy_sources = \
	tests/unit/proxy/test_allow_list.c \
	tests/unit/proxy/test_client_hello.c \
	tests/unit/proxy/test_dns_message.c \
	tests/unit/proxy/test_http_request.c \
	tests/unit/proxy/test_proxy.c \
	tests/unit/proxy/test_proxy_taken.c

unit_sandbox_sources = \
	tests/unit/sandbox/test_sandbox_config.c \
	tests/unit/sandbox/test_sandbox_files.c \
	tests/unit/sandbox/test_sandbox_folder.c \
	tests/unit/sandbox/test_sandbox_group.c \
	tests/unit/sandbox/test_sandbox_network.c \
	tests/unit/sandbox/test_sandbox_stream.c \
	tests/unit/sandbox/test_sandbox_verdict.c \
	tests/unit/sandbox/test_sandbox_watch.c

unit_image_sources = \
	tests/unit/image/layout_fixture.c \
	tests/unit/image/layout_fixture.h \
	tests/unit/image/tar_fixture.c \
	tests/unit/image/tar_fixture.h \
	tests/unit/image/test_decoder.c \
	tests/unit/image/test_document.c \
	tests/unit/image/test_entry_name.c \
	tests/unit/image/test_image.c \
	tests/unit/image/test_image_hostile.c \
	tests/unit/image/test_tar.c

unit_cmd_sources = \
	tests/unit/cmd/test_cmd_doctor.c \
	tests/unit/cmd/test_help.c \
	tests/unit/cmd/test_option_value.c \
	tests/unit/cmd/test_options.c \
	tests/unit/cmd/test_sandbox_options.c \
	tests/unit/cmd/test_output.c \
	tests/unit/cmd/test_ps_program.c \
	tests/unit/cmd/test_suggest.c \
	tests/unit/cmd/test_unit_request.c \
	cmd/systemd/request.c \
	tests/unit/cmd/test_update_request.c

unit_shim_sources = \
	tests/unit/shim/events_fixture.c \
	tests/unit/shim/events_fixture.h \
	tests/unit/shim/io_fixture.c \
	tests/unit/shim/io_fixture.h \
	tests/unit/shim/test_bootstrap.c \
	tests/unit/shim/test_bundle_root.c \
	tests/unit/shim/test_frame.c \
	tests/unit/shim/test_holder.c \
	tests/unit/shim/test_io.c \
	tests/unit/shim/test_io_copy.c \
	tests/unit/shim/test_io_logger.c \
	tests/unit/shim/test_loop.c \
	tests/unit/shim/test_sandbox_files.c \
	tests/unit/shim/test_options.c \
	tests/unit/shim/test_publisher.c \
	tests/unit/shim/test_queue.c \
	tests/unit/shim/test_state.c \
	tests/unit/shim/test_streams.c \
	tests/unit/shim/test_ttrpc_hostile.c \
	tests/unit/shim/test_ttrpc_message.c \
	tests/unit/shim/test_ttrpc_server.c \
	tests/unit/shim/ttrpc_fixture.c \
	tests/unit/shim/ttrpc_fixture.h

# A program of its own: it stands in for the functions of shim/process/tasks.h and shim/events/publisher.h.
unit_service_sources = \
	tests/unit/service/fake_holder.c \
	tests/unit/service/fake_holder.h \
	tests/unit/service/fake_tasks.c \
	tests/unit/service/fake_tasks.h \
	tests/unit/service/service_fixture.c \
	tests/unit/service/service_fixture.h \
	tests/unit/service/test_sandbox_config.c \
	tests/unit/service/test_service_calls.c \
	tests/unit/service/test_service_life.c \
	tests/unit/service/test_service_refusals.c \
	tests/unit/service/test_service_sandbox.c

# A program of its own: it stands in for the runtime and for shim/io.
unit_process_sources = \
	tests/unit/process/fake_io.c \
	tests/unit/process/fake_runtime.c \
	tests/unit/process/fake_runtime.h \
	tests/unit/process/fake_starter.c \
	tests/unit/process/lifetime.h \
	tests/unit/process/tasks_fixture.c \
	tests/unit/process/tasks_fixture.h \
	tests/unit/process/test_reaper.c \
	tests/unit/process/test_tasks_audit.c \
	tests/unit/process/test_tasks_bounds.c \
	tests/unit/process/test_tasks_exit.c \
	tests/unit/process/test_tasks_failure.c \
	tests/unit/process/test_tasks_life.c \
	tests/unit/process/test_tasks_limits.c \
	tests/unit/process/test_tasks_newborn.c \
	tests/unit/process/test_tasks_start.c \
	tests/unit/process/test_worker.c

# What several layers' tests share.
check_LIBRARIES += libtestsupport.a
libtestsupport_a_CPPFLAGS = $(unit_cppflags)
libtestsupport_a_CFLAGS = $(unit_cflags)
libtestsupport_a_SOURCES = \
	tests/support/bpf_simulator.c \
	tests/support/bpf_simulator.h \
	tests/support/policy_reading.c \
	tests/support/policy_reading.h \
	tests/support/quick_start.c \
	tests/support/rounds.h \
	tests/support/scratch.c \
	tests/support/scratch.h \
	tests/support/seccomp_both.c \
	tests/support/seccomp_both.h \
	tests/support/seccomp_libseccomp.c \
	tests/support/seccomp_libseccomp.h \
	tests/support/seccomp_profile.c \
	tests/support/seccomp_profile.h \
	tests/support/seccomp_reading.c \
	tests/support/seccomp_reading.h

# Test code may be laxer than the programs: Criterion's macros shadow and redeclare, and tables of cases are on the stack.
unit_cflags = $(AM_CFLAGS) -Wno-shadow -Wno-redundant-decls -Wno-missing-prototypes -Wno-nested-externs \
	-Wno-write-strings -Wframe-larger-than=1000000
# Not optimised, whatever the programs are: these files are compiled more often than they are run.
tests/unit/%.o: CFLAGS += -O0 -U_FORTIFY_SOURCE
unit_cppflags = $(AM_CPPFLAGS) -DTEST_SOURCE_DIR='"$(abs_top_srcdir)"'
# Dynamic at all times, hence the libraries' shared names. Without the programs' --gc-sections: that would take the tests
# away, which are found through sections of their own.
unit_libs = $(SECCOMP_SHARED_LIBS) $(YAJL_SHARED_LIBS) $(MD_SHARED_LIBS) $(Z_SHARED_LIBS) $(ZSTD_SHARED_LIBS) -lcriterion
# What tests/support/quick_start.c stands in for is asked for by nothing of ours.
unit_ldflags = $(BRIG_SANITIZE) -Wl,-u,mbedtls_x509_crt_parse_file -Wl,--export-dynamic-symbol=mbedtls_x509_crt_parse_file

EXTRA_DIST += tests/unit/spec/data

if HAVE_CRITERION
check_PROGRAMS += $(unit_programs)
endif
unit_programs = \
	tests/unit/test-base \
	tests/unit/test-spec \
	tests/unit/test-policy \
	tests/unit/test-plan \
	tests/unit/test-parent \
	tests/unit/test-child \
	tests/unit/test-container \
	tests/unit/test-audit \
	tests/unit/test-image \
	tests/unit/test-proxy \
	tests/unit/test-sandbox \
	tests/unit/test-cmd
if WITH_SHIM
unit_programs += tests/unit/test-shim tests/unit/test-service tests/unit/test-process
endif

tests_unit_test_base_SOURCES = $(unit_base_sources)
tests_unit_test_base_CPPFLAGS = $(unit_cppflags)
tests_unit_test_base_CFLAGS = $(unit_cflags)
tests_unit_test_base_LDFLAGS = $(unit_ldflags)
tests_unit_test_base_LDADD = libtestsupport.a libbrig.a $(unit_libs)

tests_unit_test_spec_SOURCES = $(unit_spec_sources)
tests_unit_test_spec_CPPFLAGS = $(unit_cppflags)
tests_unit_test_spec_CFLAGS = $(unit_cflags)
tests_unit_test_spec_LDFLAGS = $(unit_ldflags)
tests_unit_test_spec_LDADD = libtestsupport.a libbrig.a $(unit_libs)

tests_unit_test_policy_SOURCES = $(unit_policy_sources)
tests_unit_test_policy_CPPFLAGS = $(unit_cppflags)
tests_unit_test_policy_CFLAGS = $(unit_cflags)
tests_unit_test_policy_LDFLAGS = $(unit_ldflags)
tests_unit_test_policy_LDADD = libtestsupport.a libbrig.a $(unit_libs)

tests_unit_test_plan_SOURCES = $(unit_plan_sources)
tests_unit_test_plan_CPPFLAGS = $(unit_cppflags)
tests_unit_test_plan_CFLAGS = $(unit_cflags)
# Those of floor_functions.h, which a test can take out.
floor_functions = new_privileges session_keyring core_dump oom_score ambient_capability capability priority seccomp listener apparmor sysctl hook \
	annotation device net_device resource_missing resource_maximum unified mount_flags mount_propagation mount_source masked_path landlock namespaces
tests_unit_test_plan_LDFLAGS = $(unit_ldflags) $(floor_functions:%=-Wl,--wrap=plan_harden_%)
tests_unit_test_plan_LDADD = libtestsupport.a libbrig.a $(unit_libs)

tests_unit_test_parent_SOURCES = $(unit_parent_sources) $(seccomp_profiles_sources)
tests_unit_test_parent_CPPFLAGS = $(unit_cppflags)
tests_unit_test_parent_CFLAGS = $(unit_cflags)
tests_unit_test_parent_LDFLAGS = $(unit_ldflags)
tests_unit_test_parent_LDADD = libtestsupport.a libbrig.a $(unit_libs)

tests_unit_test_child_SOURCES = $(unit_child_sources)
tests_unit_test_child_CPPFLAGS = $(unit_cppflags)
tests_unit_test_child_CFLAGS = $(unit_cflags)
tests_unit_test_child_LDFLAGS = $(unit_ldflags)
tests_unit_test_child_LDADD = libtestsupport.a libbrig.a $(unit_libs)

tests_unit_test_container_SOURCES = $(unit_container_sources)
tests_unit_test_container_CPPFLAGS = $(unit_cppflags)
tests_unit_test_container_CFLAGS = $(unit_cflags)
tests_unit_test_container_LDFLAGS = $(unit_ldflags)
tests_unit_test_container_LDADD = libtestsupport.a libbrig.a $(unit_libs)

tests_unit_test_audit_SOURCES = $(unit_audit_sources)
tests_unit_test_audit_CPPFLAGS = $(unit_cppflags)
tests_unit_test_audit_CFLAGS = $(unit_cflags)
tests_unit_test_audit_LDFLAGS = $(unit_ldflags)
tests_unit_test_audit_LDADD = libtestsupport.a libbrig.a $(unit_libs)

tests_unit_test_proxy_SOURCES = $(unit_proxy_sources)
tests_unit_test_proxy_CPPFLAGS = $(unit_cppflags)
tests_unit_test_proxy_CFLAGS = $(unit_cflags)
tests_unit_test_proxy_LDFLAGS = $(unit_ldflags)
tests_unit_test_proxy_LDADD = libtestsupport.a libbrig.a $(unit_libs)

tests_unit_test_sandbox_SOURCES = $(unit_sandbox_sources)
tests_unit_test_sandbox_CPPFLAGS = $(unit_cppflags)
tests_unit_test_sandbox_CFLAGS = $(unit_cflags)
tests_unit_test_sandbox_LDFLAGS = $(unit_ldflags)
tests_unit_test_sandbox_LDADD = libtestsupport.a libbrig.a $(unit_libs)

tests_unit_test_image_SOURCES = $(unit_image_sources)
tests_unit_test_image_CPPFLAGS = $(unit_cppflags)
tests_unit_test_image_CFLAGS = $(unit_cflags)
tests_unit_test_image_LDFLAGS = $(unit_ldflags)
tests_unit_test_image_LDADD = libtestsupport.a libbrig.a $(unit_libs)

tests_unit_test_cmd_SOURCES = $(unit_cmd_sources)
tests_unit_test_cmd_CPPFLAGS = $(unit_cppflags)
tests_unit_test_cmd_CFLAGS = $(unit_cflags)
tests_unit_test_cmd_LDFLAGS = $(unit_ldflags)
tests_unit_test_cmd_LDADD = libtestsupport.a libbrigcmd.a libbrig.a $(unit_libs)

tests_unit_test_shim_SOURCES = $(unit_shim_sources)
tests_unit_test_shim_CPPFLAGS = $(unit_cppflags)
tests_unit_test_shim_CFLAGS = $(unit_cflags)
tests_unit_test_shim_LDFLAGS = $(unit_ldflags)
tests_unit_test_shim_LDADD = libtestsupport.a libbrigshim.a libbrig.a $(PROTOBUF_C_SHARED_LIBS) $(unit_libs)
$(tests_unit_test_shim_OBJECTS): | $(shim_proto_headers)

tests_unit_test_service_SOURCES = $(unit_service_sources)
tests_unit_test_service_CPPFLAGS = $(unit_cppflags)
tests_unit_test_service_CFLAGS = $(unit_cflags)
tests_unit_test_service_LDFLAGS = $(unit_ldflags)
tests_unit_test_service_LDADD = libtestsupport.a libbrigshim.a libbrig.a $(PROTOBUF_C_SHARED_LIBS) $(unit_libs)
$(tests_unit_test_service_OBJECTS): | $(shim_proto_headers)

tests_unit_test_process_SOURCES = $(unit_process_sources)
tests_unit_test_process_CPPFLAGS = $(unit_cppflags)
tests_unit_test_process_CFLAGS = $(unit_cflags)
tests_unit_test_process_LDFLAGS = $(unit_ldflags) -Wl,--wrap=reaper_signal
tests_unit_test_process_LDADD = libtestsupport.a libbrigshim.a libbrig.a $(PROTOBUF_C_SHARED_LIBS) $(unit_libs)
$(tests_unit_test_process_OBJECTS): | $(shim_proto_headers)
