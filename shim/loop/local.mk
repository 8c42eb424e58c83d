shim_loop_sources = \
	shim/loop/loop.c \
	shim/loop/loop.h

folder_docs += shim/loop/README.md
