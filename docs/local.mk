# Man pages and bash completion, printed by the program itself from the table that its parser uses.
# tests/lint/commands compares this list with the program's own.
brig_commands = apparmor audit check checkpoint create delete doctor events exec explain features kill learn list metrics pause plan ps restore resume run sandbox spec start state update
# The shim, which has no table of that kind, has a page that is written by hand.
man_pages = docs/man/brig.1 $(brig_commands:%=docs/man/brig-%.1) docs/man/containerd-shim-brig-v2.1
policy_page = docs/man/brig-policy.5
completion = support/completion/brig

EXTRA_DIST += docs/admission.md docs/adr docs/audit.md docs/audit.schema.json docs/benchmarks.md docs/benchmarks.svg docs/brig-policy.5.scd \
	docs/check.schema.json docs/checkpoint.md docs/containerd-shim-brig-v2.1.scd docs/doctor.schema.json docs/egress.md docs/explain.md \
	docs/explain.schema.json docs/failing-programs.md docs/install.md \
	docs/kernels.md docs/learn.md docs/limits.md docs/meshes-and-devices.md docs/migration.md docs/monitoring.md docs/mounts.md docs/policy.md \
	docs/policy.schema.json docs/refused.md docs/runbooks docs/sandbox.md docs/sandbox.schema.json docs/scenarios.md docs/seccomp.md \
	docs/security-model.md docs/user-namespaces.md docs/workloads.md deploy
CLEANFILES += $(man_pages) $(policy_page) $(completion)

if HAVE_SCDOC
nodist_man1_MANS = $(man_pages)
nodist_man5_MANS = $(policy_page)
endif
if RUNS_HERE
nodist_bashcompletion_DATA = $(completion)
endif

# A generator that fails leaves no half-written file behind.
docs/man/brig.1: brig$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && ./brig __man > $@.scd && $(SCDOC) < $@.scd > $@.new && mv $@.new $@ && rm $@.scd
docs/man/containerd-shim-brig-v2.1: docs/containerd-shim-brig-v2.1.scd
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SCDOC) < $(srcdir)/docs/containerd-shim-brig-v2.1.scd > $@.new && mv $@.new $@
docs/man/brig-policy.5: docs/brig-policy.5.scd
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SCDOC) < $(srcdir)/docs/brig-policy.5.scd > $@.new && mv $@.new $@
docs/man/brig-%.1: brig$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && ./brig __man $* > $@.scd && $(SCDOC) < $@.scd > $@.new && mv $@.new $@ && rm $@.scd
$(completion): brig$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && ./brig __completion > $@.new && mv $@.new $@
