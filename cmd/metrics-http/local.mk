metrics_http_sources = \
	cmd/metrics-http/page.c \
	cmd/metrics-http/page.h \
	cmd/metrics-http/privileges.c \
	cmd/metrics-http/privileges.h \
	cmd/metrics-http/server.c \
	cmd/metrics-http/server.h

folder_docs += cmd/metrics-http/README.md

# Dynamic, as the one program that links libmicrohttpd (and with it gnutls): docs/adr/0013.
if WITH_MICROHTTPD
pkglibexec_PROGRAMS += brig-metrics-http
brig_metrics_http_SOURCES = cmd/metrics-http/main.c $(metrics_http_sources)
brig_metrics_http_LDADD = libbrig.a $(YAJL_SHARED_LIBS) -lmicrohttpd
brig_metrics_http_LDFLAGS = $(AM_LDFLAGS)
endif
