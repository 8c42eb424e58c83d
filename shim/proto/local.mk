# Messages: protoc-c writes a .c and a .h for each; what other messages import is common.proto alone.
shim_protos = \
	shim/proto/bootstrap.proto \
	shim/proto/common.proto \
	shim/proto/events.proto \
	shim/proto/metrics.proto \
	shim/proto/options.proto \
	shim/proto/sandbox.proto \
	shim/proto/streaming.proto \
	shim/proto/task.proto \
	shim/proto/ttrpc.proto
shim_proto_headers = $(shim_protos:.proto=.pb-c.h)
shim_proto_sources = $(shim_protos:.proto=.pb-c.c) $(shim_proto_headers)

folder_docs += shim/proto/README.md
EXTRA_DIST += $(shim_protos)
CLEANFILES += $(shim_proto_sources)

# A pattern with two targets: make knows that one call makes both.
shim/proto/%.pb-c.c shim/proto/%.pb-c.h: shim/proto/%.proto shim/proto/common.proto
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(PROTOC_C) --proto_path=$(top_srcdir) --c_out=$(top_builddir) $<
