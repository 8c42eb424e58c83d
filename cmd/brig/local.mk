cmd_brig_sources = \
	cmd/brig/cmd_apparmor.c \
	cmd/brig/cmd_audit.c \
	cmd/brig/cmd_check.c \
	cmd/brig/cmd_checkpoint.c \
	cmd/brig/cmd_create.c \
	cmd/brig/cmd_delete.c \
	cmd/brig/cmd_doctor.c \
	cmd/brig/cmd_events.c \
	cmd/brig/cmd_exec.c \
	cmd/brig/cmd_explain.c \
	cmd/brig/cmd_features.c \
	cmd/brig/cmd_help.c \
	cmd/brig/cmd_kill.c \
	cmd/brig/cmd_learn.c \
	cmd/brig/cmd_list.c \
	cmd/brig/cmd_metrics.c \
	cmd/brig/cmd_pause.c \
	cmd/brig/cmd_plan.c \
	cmd/brig/cmd_ps.c \
	cmd/brig/cmd_resume.c \
	cmd/brig/cmd_sandbox.c \
	cmd/brig/cmd_spec.c \
	cmd/brig/cmd_start.c \
	cmd/brig/cmd_state.c \
	cmd/brig/cmd_update.c \
	cmd/brig/command.h \
	cmd/brig/commands.c \
	cmd/brig/commands.h \
	cmd/brig/completion.c \
	cmd/brig/completion.h \
	cmd/brig/container_argument.h \
	cmd/brig/help.c \
	cmd/brig/help.h \
	cmd/brig/man.c \
	cmd/brig/man.h \
	cmd/brig/option_value.c \
	cmd/brig/option_value.h \
	cmd/brig/options.c \
	cmd/brig/options.h \
	cmd/brig/output.c \
	cmd/brig/output.h \
	cmd/brig/ps_program.c \
	cmd/brig/ps_program.h \
	cmd/brig/sandbox_options.c \
	cmd/brig/sandbox_options.h \
	cmd/brig/suggest.c \
	cmd/brig/suggest.h \
	cmd/brig/update_request.c \
	cmd/brig/update_request.h

folder_docs += cmd/brig/README.md

# Everything but main(), so that the unit tests can link it too.
noinst_LIBRARIES += libbrigcmd.a
libbrigcmd_a_SOURCES = $(cmd_brig_sources)

bin_PROGRAMS += brig
brig_SOURCES = cmd/brig/main.c
brig_LDADD = libbrigcmd.a $(runtime_libs)
brig_LDFLAGS = $(program_ldflags)
if STATIC_PROGRAMS
brig_SOURCES += cmd/brig/entry.c
brig_LDFLAGS += -Wl,-e,brig_entry
endif

# The generated header has to be there before the first compilation knows who includes it.
$(libbrigcmd_a_OBJECTS) $(brig_OBJECTS): | brig-version.h
