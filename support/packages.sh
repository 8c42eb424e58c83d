# shellcheck shell=bash disable=SC2034 # the lists are for bootstrap
# Installing Debian packages: which, and how. Sourced by bootstrap.

packages_build=(
	gcc libc6-dev make autoconf automake libseccomp-dev libyajl-dev libmd-dev zlib1g-dev libzstd-dev scdoc
	libprotobuf-c-dev protobuf-c-compiler libsystemd-dev libmicrohttpd-dev
)
packages_demo=(python3 jq)
packages_check=(
	libcriterion-dev bats jq gojq python3 strace procps iproute2 mount util-linux binutils xz-utils git
	clang libclang-rt-14-dev clang-format clang-tidy llvm shellcheck universal-ctags busybox-static e2fsprogs python3-pip
	zstd passt slirp4netns openssl curl python3-yaml
	debhelper mmdebstrap
)

packages_log=/dev/null

packages_missing() { # NAME...
	local name

	for name in "$@"; do
		# shellcheck disable=SC2016 # ${...} is dpkg's
		[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2> /dev/null)" = installed ] || echo "$name"
	done
}

# Stops unless packages can be installed here.
packages_require_debian() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "bootstrap: has to run as root (it installs packages and starts containers): try 'sudo ./bootstrap'" >&2
		exit 1
	fi
	if ! command -v apt-get > /dev/null || [ ! -f /etc/debian_version ]; then
		echo "bootstrap: this is no Debian system (apt-get is missing); README.md tells how to build by hand" >&2
		exit 1
	fi
}

packages_apt() {
	DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet --yes --option DPkg::Lock::Timeout=120 \
		--option Dpkg::Use-Pty=0 --option Acquire::Retries=3 "$@" >> "$packages_log" 2>&1 < /dev/null
}

packages_fail() { # WHAT
	echo "bootstrap: $1 failed; the end of $packages_log:" >&2
	tail -n 15 "$packages_log" >&2
	exit 1
}

# Says what is missing, then installs it. Nothing is asked of the network when nothing is missing.
packages_install() { # NAME...
	local missing

	mapfile -t missing < <(packages_missing "$@" | sort -u)
	if [ ${#missing[@]} -eq 0 ]; then
		echo "Packages: all there."
		return
	fi
	echo "Packages to install, with what they depend on (apt-get):"
	printf '%s\n' "${missing[@]}" | fmt -w 100 | sed 's/^/    /'
	packages_apt update || packages_fail "apt-get update"
	packages_apt install --no-install-recommends "${missing[@]}" || packages_fail "apt-get install"
}
