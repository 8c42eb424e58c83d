shim_service_sources = \
	shim/service/options.c \
	shim/service/options.h \
	shim/service/toml.c \
	shim/service/toml.h \
	shim/service/toml_scan.c \
	shim/service/toml_scan.h \
	shim/service/toml_value.c

folder_docs += shim/service/README.md
