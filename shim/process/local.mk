shim_process_sources = \
	shim/process/exit_order.c \
	shim/process/exit_order.h \
	shim/process/state.c \
	shim/process/state.h

folder_docs += shim/process/README.md
