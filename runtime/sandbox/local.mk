runtime_sandbox_sources = \
	runtime/sandbox/sandbox.c \
	runtime/sandbox/sandbox.h \
	runtime/sandbox/sandbox_collect.c \
	runtime/sandbox/sandbox_config.c \
	runtime/sandbox/sandbox_config.h \
	runtime/sandbox/sandbox_fault.c \
	runtime/sandbox/sandbox_fault.h \
	runtime/sandbox/sandbox_files.c \
	runtime/sandbox/sandbox_files.h \
	runtime/sandbox/sandbox_findings.c \
	runtime/sandbox/sandbox_findings.h \
	runtime/sandbox/sandbox_folder.c \
	runtime/sandbox/sandbox_folder.h \
	runtime/sandbox/sandbox_group.c \
	runtime/sandbox/sandbox_group.h \
	runtime/sandbox/sandbox_json.c \
	runtime/sandbox/sandbox_id.c \
	runtime/sandbox/sandbox_id.h \
	runtime/sandbox/sandbox_network.c \
	runtime/sandbox/sandbox_network.h \
	runtime/sandbox/sandbox_proxy.c \
	runtime/sandbox/sandbox_proxy.h \
	runtime/sandbox/sandbox_root.c \
	runtime/sandbox/sandbox_root.h \
	runtime/sandbox/sandbox_stream.c \
	runtime/sandbox/sandbox_stream.h \
	runtime/sandbox/sandbox_verdict.c \
	runtime/sandbox/sandbox_verdict.h \
	runtime/sandbox/sandbox_watch.c \
	runtime/sandbox/sandbox_watch.h \
	runtime/sandbox/sandbox_words.c \
	runtime/sandbox/sandbox_words.h

folder_docs += runtime/sandbox/README.md
