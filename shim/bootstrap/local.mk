shim_bootstrap_sources = \
	shim/bootstrap/address.c \
	shim/bootstrap/address.h \
	shim/bootstrap/answer.c \
	shim/bootstrap/answer.h \
	shim/bootstrap/arguments.c \
	shim/bootstrap/arguments.h \
	shim/bootstrap/bootstrap.c \
	shim/bootstrap/bootstrap.h \
	shim/bootstrap/bundle_root.c \
	shim/bootstrap/bundle_root.h \
	shim/bootstrap/wire.c \
	shim/bootstrap/wire.h

folder_docs += shim/bootstrap/README.md
