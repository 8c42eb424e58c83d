# brig's own system call filters: policies as text, and the program that makes data of them. It runs in the build, so a
# cross build makes it with CC_FOR_BUILD and needs libseccomp and libmd for both machines.

seccomp_policies = seccomp-profiles/baseline.policy seccomp-profiles/strict.policy
# Without main(), for the unit tests too.
seccomp_profiles_sources = \
	seccomp-profiles/profile.h \
	seccomp-profiles/profile_calls.c \
	seccomp-profiles/profile_clauses.c \
	seccomp-profiles/profile_code.c \
	seccomp-profiles/profile_json.c \
	seccomp-profiles/profile_parse.c \
	seccomp-profiles/profile_table.c \
	seccomp-profiles/profile_words.c

seccomp_generate = seccomp-profiles/generate
seccomp_generate_sources = seccomp-profiles/generate.c $(filter %.c,$(seccomp_profiles_sources)) \
	$(seccomp_generate_parent:%=runtime/parent/seccomp/seccomp_%.c) $(seccomp_generate_base:%=runtime/base/%.c)
seccomp_generate_parent = arch calls code floor_compile match new_calls ranges rules tree
seccomp_generate_base = arena buffer error fd json_write log names names_tables timestamp utf8
seccomp_generate_headers = $(srcdir)/seccomp-profiles/*.h $(srcdir)/runtime/parent/seccomp/*.h $(srcdir)/runtime/base/*.h

seccomp_json = $(seccomp_policies:.policy=.json)
seccomp_floor_data = runtime/parent/seccomp/seccomp_floor_data
seccompdir = $(datadir)/brig/seccomp
nodist_seccomp_DATA = $(seccomp_json)

EXTRA_DIST += seccomp-profiles/README.md seccomp-profiles/learned seccomp-profiles/generate.c $(seccomp_profiles_sources) $(seccomp_policies)
CLEANFILES += $(seccomp_generate) $(seccomp_json) $(seccomp_floor_data).c

$(seccomp_generate): $(seccomp_generate_sources) $(seccomp_generate_headers)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(CC_FOR_BUILD) $(CFLAGS_FOR_BUILD) -D_GNU_SOURCE= -I$(srcdir)/runtime -I$(srcdir) \
		-o $@ $(seccomp_generate_sources:%=$(srcdir)/%) $(LIBS_FOR_BUILD)

# AppArmor's profile, as a string that `brig apparmor` prints and loads.
apparmor_profile = seccomp-profiles/apparmor/brig-default
apparmor_text = runtime/container/apparmor_text
EXTRA_DIST += $(apparmor_profile)
CLEANFILES += $(apparmor_text).c
$(apparmor_text).c: $(apparmor_profile)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && { echo 'extern const char apparmor_text[];'; echo 'const char apparmor_text[] ='; \
		sed -e 's/\\/&&/g' -e 's/"/\\"/g' -e 's/.*/"&\\n"/' $(srcdir)/$(apparmor_profile); echo ';'; } > $@.new && mv $@.new $@

# A generator that fails leaves no half-written file behind.
seccomp_run = $(AM_V_GEN)$(MKDIR_P) $(@D) && ./$(seccomp_generate) $(srcdir)/seccomp-profiles $(PACKAGE_VERSION)
$(seccomp_floor_data).c: $(seccomp_generate) $(seccomp_policies)
	$(seccomp_run) code > $@.new && mv $@.new $@
seccomp-profiles/%.json: seccomp-profiles/%.policy $(seccomp_generate) $(seccomp_policies)
	$(seccomp_run) json $* > $@.new && mv $@.new $@
