shim_service_sources = \
	shim/service/call.c \
	shim/service/call.h \
	shim/service/methods.c \
	shim/service/methods.h \
	shim/service/options.c \
	shim/service/options.h \
	shim/service/sandbox.c \
	shim/service/sandbox.h \
	shim/service/sandbox_config.c \
	shim/service/sandbox_config.h \
	shim/service/sandbox_files.c \
	shim/service/sandbox_files.h \
	shim/service/sandbox_metrics.c \
	shim/service/sandbox_state.c \
	shim/service/sandbox_state.h \
	shim/service/service.c \
	shim/service/service.h \
	shim/service/service_core.h \
	shim/service/streaming.c \
	shim/service/streaming.h \
	shim/service/task_calls.c \
	shim/service/task_calls.h \
	shim/service/task_create.c \
	shim/service/task_create.h \
	shim/service/task_events.c \
	shim/service/task_events.h \
	shim/service/task_exec.c \
	shim/service/task_images.c \
	shim/service/task_images.h \
	shim/service/task_json.c \
	shim/service/task_json.h \
	shim/service/task_metrics.c \
	shim/service/task_metrics.h \
	shim/service/task_options.c \
	shim/service/task_options.h \
	shim/service/task_state.c \
	shim/service/task_time.h \
	shim/service/toml.c \
	shim/service/toml.h \
	shim/service/toml_scan.c \
	shim/service/toml_scan.h \
	shim/service/toml_value.c

folder_docs += shim/service/README.md
