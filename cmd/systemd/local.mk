cmd_systemd_sources = \
	cmd/systemd/bus.c \
	cmd/systemd/bus.h \
	cmd/systemd/message.c \
	cmd/systemd/message.h \
	cmd/systemd/place.c \
	cmd/systemd/place.h \
	cmd/systemd/request.c \
	cmd/systemd/request.h

folder_docs += cmd/systemd/README.md

# Dynamic, as the one program that links libsystemd: docs/adr/0014.
if WITH_SYSTEMD
pkglibexec_PROGRAMS += brig-systemd
brig_systemd_SOURCES = cmd/systemd/main.c $(cmd_systemd_sources)
brig_systemd_LDADD = libbrig.a -lsystemd
brig_systemd_LDFLAGS = $(AM_LDFLAGS)
systemd_helper = $(pkglibexecdir)/brig-systemd
else
systemd_helper =
endif

# Where brig finds its helpers: the place that they are installed to is known to make alone.
BUILT_SOURCES += brig-places.h
CLEANFILES += brig-places.h
brig-places.h: Makefile
	$(AM_V_GEN)echo '#define BRIG_SYSTEMD_HELPER "$(systemd_helper)"' > $@.new
	$(AM_V_at)cmp -s $@.new $@ && rm $@.new || mv $@.new $@
