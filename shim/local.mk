# What the shim's programs and tests link. The messages are generated, so they are in no tarball.
if WITH_SHIM
noinst_LIBRARIES += libbrigshim.a
endif
libbrigshim_a_SOURCES = \
	$(shim_bootstrap_sources) \
	$(shim_events_sources) \
	$(shim_io_sources) \
	$(shim_loop_sources) \
	$(shim_process_sources) \
	$(shim_service_sources) \
	$(shim_ttrpc_sources)
nodist_libbrigshim_a_SOURCES = $(shim_proto_sources)
shim_libs = libbrigshim.a $(PROTOBUF_C_LIBS) $(runtime_libs)

# The generated headers have to be there before the first compilation knows who includes them.
$(libbrigshim_a_OBJECTS): | $(shim_proto_headers)
