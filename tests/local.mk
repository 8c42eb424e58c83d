EXTRA_DIST += tests/README.md tests/admission tests/run tests/stages tests/support tests/lint tests/integration tests/floor tests/cve tests/clients tests/deploy tests/cri tests/cluster tests/shim tests/soak tests/vm tests/sandbox

# What the shim does with the library, for tests/integration/supervised.bats.
check_PROGRAMS += tests/support/supervisor
tests_support_supervisor_SOURCES = tests/support/supervisor.c
tests_support_supervisor_LDFLAGS = $(program_ldflags)
tests_support_supervisor_LDADD = $(runtime_libs)

# `make tests` builds what the checks run.
# A make of its own: `make -j all tests` would build the same files twice at the same time, since `all` is one as well.
tests: all
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) --no-print-directory $(check_PROGRAMS)
.PHONY: tests

# The checks, in four sizes. A distcheck asks whether all can be built, and whether it comes out the same: it runs but a program that
# came of it.
run_stages = $(top_srcdir)/tests/run --build $(abs_builddir)
check-local:
	$(AM_V_at)case $(abs_builddir) in \
	*/_build/sub) ./brig --version && $(top_srcdir)/tests/support/reproducible ;; \
	*) $(run_stages) --size check ;; \
	esac
check-fast: all
	$(AM_V_at)$(run_stages) --size fast
check-full: all
	$(AM_V_at)$(run_stages) --size full
check-long: all
	$(AM_V_at)$(run_stages) --size long
lint: all
	$(AM_V_at)$(run_stages) --stage lint
.PHONY: check-fast check-full check-long lint

clean-local:
	rm -rf test-logs variant-san variant-clang
