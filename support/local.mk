EXTRA_DIST += support/autotools.sh support/packages.sh support/unchroot support/demo
