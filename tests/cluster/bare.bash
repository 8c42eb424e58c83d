# shellcheck shell=bash
# A node as an administrator finds it: containerd as its service, nothing of brig's, /etc, /opt and /usr/local/sbin its own. Sourced by node,
# in its world. There is no systemd: a stub answers what the installer asks, and this shell starts containerd again whenever it ends.

bare_registry=127.0.0.1:5000

# The folders that an installation writes to.
bare_folders() {
	local bare=$WORLD/bare program

	mkdir -p "$bare/opt" "$bare/sbin"
	cp -a /etc "$bare/etc"
	rm -rf "$bare/etc/brig" "$bare/etc/containerd"
	mkdir -p "$bare/etc/containerd/certs.d/_default"
	printf '[host."http://%s"]\n' "$bare_registry" > "$bare/etc/containerd/certs.d/_default/hosts.toml"
	mount --bind "$bare/etc" /etc
	mount --bind "$bare/opt" /opt
	for program in containerd ctr containerd-shim-runc-v2; do
		ln -s "$(command -v "$program")" "$bare/sbin/$program"
	done
	bare_systemctl > "$bare/sbin/systemctl"
	chmod 0755 "$bare/sbin/systemctl"
	mount --bind "$bare/sbin" /usr/local/sbin
}

bare_systemctl() {
	cat << TEXT
#!/bin/sh
# systemctl COMMAND [--quiet] SERVICE: containerd is all that this node has.
for service; do :; done
echo "\$*" >> $CONTROL/systemctl.log
[ "\$1" != daemon-reload ] || exit 0
[ "\$service" = containerd ] || exit 3
old=\$(cat $CONTROL/containerd.pid)
case \$1 in
is-enabled) exit 0 ;;
is-active) exec ctr version > /dev/null 2>&1 ;;
restart) kill "\$old" ;;
*) exit 1 ;;
esac
tries=0
until [ "\$(cat $CONTROL/containerd.pid)" != "\$old" ] && ctr version > /dev/null 2>&1; do
	[ "\$tries" -lt 1200 ] || exit 1
	sleep 0.1
	tries=\$((tries + 1))
done
TEXT
}

# As systemd does with Restart=always, and with no group of a pod around it.
bare_service() {
	local status

	while :; do
		containerd --config "$1" >> "$CONTROL/containerd.log" 2>&1 < /dev/null &
		echo $! > "$CONTROL/containerd.pid.new"
		mv "$CONTROL/containerd.pid.new" "$CONTROL/containerd.pid"
		status=0
		wait $! || status=$?
		echo "containerd ended: $status" >> "$CONTROL/containerd.log"
		sleep 0.2
	done
}

# Where pods find the API server: no proxy of services is there.
bare_service_address() { # ADDRESS
	ip address add "$1/32" dev node0
	iptables --table nat --append PREROUTING --protocol tcp --destination "$1" --dport 443 --jump REDIRECT --to-ports 6443
}
