#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # scripts of the container's shell; bats: a subshell a test, $stderr
# Services run under strict as their packages and images start them: as root, which gives its volume away and drops its rights.

load workloads

# The owners of the container's processes with that name, as the container sees them.
owners() { # NAME
	in_it ps --no-headers -C "$1" -o user:20
	sort -u <<< "$output" | xargs
}

# A folder on disk that the container gets as a volume.
volume() { # DESTINATION
	mkdir -p "$T/data"
	add_mount "$1" bind "$T/data" rbind rw
}

@test "nginx: a master as root, workers as www-data, port 80" {
	mkdir "$T/site"
	echo 'a page' > "$T/site/index.html"
	chmod -R a+rX "$T/site"
	add_mount /var/www/html bind "$T/site" rbind ro
	start sh -c 'mkdir /var/log/nginx; exec nginx -g "daemon off;"'
	await answers curl -fs http://127.0.0.1/
	in_it curl -fs http://localhost/
	expect_equal "$output" 'a page'
	expect_equal "$(owners nginx)" 'root www-data'
	in_it sh -c 'nginx -s reload && curl -fs http://127.0.0.1/ && cat /var/log/nginx/access.log'
	expect_like "$output" '"GET / HTTP/1.1" 200'
	must brig kill "$ID" QUIT
	await status_is stopped
}

@test "redis: its entrypoint gives the volume away and drops to redis; commands, a load, a snapshot by fork" {
	volume /var/lib/redis
	config '.process.cwd = "/var/lib/redis"'
	start /volume/redis-entrypoint redis-server --save '' --appendonly yes
	await answers redis-cli ping
	in_it redis-cli set key value
	in_it redis-benchmark -q -n 2000 -t set,get,lpush
	expect_like "$output" 'requests per second'
	in_it redis-cli bgsave
	await test -s "$T/data/dump.rdb"
	in_it redis-cli get key
	expect_equal "$output" value
	expect_equal "$(owners redis-server)" redis
	in_it stat -c %U /var/lib/redis/dump.rdb
	expect_equal "$output" redis
	answers redis-cli shutdown || true
	await status_is stopped
}

@test "postgresql: initdb and server as postgres, tables, a load, and the data is there after a restart" {
	volume /var/lib/postgresql
	config '.process.env[0] += ":/usr/lib/postgresql/15/bin"'
	start tini -- /volume/postgres-entrypoint
	await answers pg_isready --host 127.0.0.1
	in_it psql --username postgres --tuples-only --no-align --command 'create table t as select generate_series(1, 1000) as n' \
		--command 'create index on t (n)' --command 'select sum(n) from t'
	expect_line "$output" 500500
	in_it sh -c 'pgbench -q -U postgres -i postgres 2>&1 && pgbench -U postgres -c 4 -j 2 -t 50 postgres'
	expect_like "$output" 'transactions actually processed: 200/200'
	expect_equal "$(owners postgres)" postgres
	must brig kill "$ID" TERM
	await status_is stopped
	must brig delete "$ID"

	again
	await answers pg_isready --host 127.0.0.1
	in_it psql --username postgres --tuples-only --no-align --command 'select count(*) from t'
	expect_equal "$output" 1000
}

@test "ways of dropping from root to an ordinary user" {
	local way

	mkdir -m 700 "$T/data"
	add_mount /data bind "$T/data" rbind rw
	for way in 'setpriv --reuid=redis --regid=redis --init-groups' 'setpriv --reuid=redis --regid=redis --clear-groups --no-new-privs' \
		'gosu redis' 'su -s /bin/sh redis -c' 'runuser -u redis --'; do
		case $way in
		*-c) shell "chown redis: /data && $way 'id -un; touch /data/by-redis; stat -c %U /data/by-redis; rm /data/by-redis'" ;;
		*) shell "chown redis: /data && $way sh -c 'id -un; touch /data/by-redis; stat -c %U /data/by-redis; rm /data/by-redis'" ;;
		esac
		must run_container
		expect_equal "$output" $'redis\nredis'
	done
}

@test "chroot as a way of dropping wants a capability, which the policy can give" {
	if grep -qs '^brig-default ' /sys/kernel/security/apparmor/profiles; then
		skip "AppArmor's brig-default, as it is, has the floor's capabilities alone"
	fi
	program chroot --userspec=redis / id -un
	must_fail 125 'cannot change root directory' run_container
	echo '{ "set": "strict", "capabilities": ["CAP_SYS_CHROOT"] }' > "$T/policy.json"
	POLICY=$T/policy.json
	must run_container
	expect_equal "$output" redis
}

@test "a process that has dropped its rights does not get them back" {
	shell 'gosu redis sh -c "grep CapEff /proc/self/status; su -s /bin/sh -c id 2>&1; id -un"'
	must run_container
	expect_line "$output" $'CapEff:\t0000000000000000'
	expect_unlike "$output" 'uid=0'
	expect_like "$output" 'redis$'
}

@test "curl: a local server on IPv4, IPv6, and by name" {
	start python3 -m http.server --directory /volume --bind :: 8000
	await answers curl -fs http://127.0.0.1:8000/threads.c
	for name in 127.0.0.1 '[::1]' localhost; do
		in_it curl -fs --globoff "http://$name:8000/threads.c"
		expect_equal "$output" "$(< "$T/volume/threads.c")"
	done
}
