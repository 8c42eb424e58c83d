#!/usr/bin/env bats
# Programs in interpreted languages, from a bundle that `brig spec` began and whose files are this machine's own /usr, read-only.

load clients.bash

setup() {
	bundle=$BATS_TEST_TMPDIR/bundle
	mkdir -p "$bundle/rootfs"/{usr,proc,dev,sys,tmp,etc,program}
	chmod 0755 "$BATS_TEST_TMPDIR"
	copy_links
	(cd "$bundle" && "$BRIG" spec)
}

teardown() {
	"$BRIG" --root "$BATS_TEST_TMPDIR/state" delete --force "$BATS_TEST_NUMBER" > /dev/null 2>&1 || true
}

# On Debian /bin, /lib and the like lead into /usr. Some interpreters keep settings in /etc.
copy_links() {
	local name

	for name in bin sbin lib lib32 lib64; do
		if [ -L "/$name" ]; then
			cp --no-dereference "/$name" "$bundle/rootfs/$name"
		fi
	done
	for name in ld.so.cache alternatives; do
		cp --recursive --no-dereference "/etc/$name" "$bundle/rootfs/etc/"
	done
	for name in /etc/java-*; do
		if [ -d "$name" ]; then
			cp --recursive --no-dereference "$name" "$bundle/rootfs/etc/"
		fi
	done
}

need() { # PROGRAM
	if [ ! -x "$1" ]; then
		skip "$1 is not installed on this machine"
	fi
}

run_program() { # COMMAND...
	local arguments

	arguments=$(printf '%s\n' "$@" | jq --raw-input . | jq --slurp .)
	jq --argjson arguments "$arguments" --arg group "/brig-languages-$$-$BATS_TEST_NUMBER" '
		.process.args = $arguments | .process.terminal = false
		| .process.env = ["PATH=/usr/bin", "HOME=/tmp", "LANG=C.UTF-8"]
		| .mounts += [{ destination: "/usr", type: "bind", source: "/usr", options: ["bind", "ro", "nosuid", "nodev"] }]
		| .linux.resources.memory.limit = 1073741824 | .linux.resources.pids.limit = 200
		| .linux.cgroupsPath = $group' "$bundle/config.json" > "$bundle/new"
	mv "$bundle/new" "$bundle/config.json"
	expect 0 "$BRIG" --root "$BATS_TEST_TMPDIR/state" run --bundle "$bundle" "$BATS_TEST_NUMBER"
}

@test "python: threads, a child, files, a socket, a digest" {
	need /usr/bin/python3
	cat > "$bundle/rootfs/program/main.py" << 'TEXT'
import hashlib, json, os, socket, subprocess, sys, tempfile, threading

found = {"pid": os.getpid(), "parent": os.getppid()}
threads = [threading.Thread(target=lambda i=i: found.__setitem__(f"thread {i}", i * i)) for i in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
found["child"] = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True, check=True).stdout.strip()
with tempfile.NamedTemporaryFile("w+") as file:
    file.write("word")
    file.seek(0)
    found["file"] = file.read()
one, other = socket.socketpair()
one.send(b"hello")
found["socket"] = other.recv(10).decode()
found["digest"] = hashlib.sha256(b"").hexdigest()[:8]
found["interfaces"] = [name for _, name in socket.if_nameindex()]
print(json.dumps(found))
TEXT
	run_program /usr/bin/python3 -I /program/main.py
	jq --exit-status '.pid == 1 and .parent == 0 and .["thread 7"] == 49 and .child == "42" and .file == "word"
		and .socket == "hello" and .digest == "e3b0c442" and .interfaces == ["lo"]' <<< "$output"
}

@test "node: a worker, a child, files, a digest" {
	need /usr/bin/node
	cat > "$bundle/rootfs/program/main.js" << 'TEXT'
const { Worker, isMainThread, parentPort } = require("worker_threads");
const fs = require("fs");

if (!isMainThread) {
	parentPort.postMessage(6 * 7);
} else {
	const child = require("child_process").execFileSync("/bin/sh", ["-c", "echo from a child"]).toString().trim();
	fs.writeFileSync("/tmp/file", "word");
	new Worker(__filename).on("message", (answer) => console.log(JSON.stringify({
		pid: process.pid, answer, child, file: fs.readFileSync("/tmp/file", "utf8"),
		digest: require("crypto").createHash("sha256").digest("hex").slice(0, 8),
	})));
}
TEXT
	run_program /usr/bin/node /program/main.js
	jq --exit-status '.pid == 1 and .answer == 42 and .child == "from a child" and .file == "word" and .digest == "e3b0c442"' \
		<<< "$output"
}

@test "java: threads, a child, files" {
	need /usr/bin/java
	need /usr/bin/javac # for a program given as its source
	cat > "$bundle/rootfs/program/Main.java" << 'TEXT'
import java.nio.file.*;
import java.util.stream.*;

public class Main {
	public static void main(String[] arguments) throws Exception {
		Process child = new ProcessBuilder("/bin/echo", "from a child").start();
		Path file = Files.writeString(Path.of("/tmp/file"), "word");

		System.out.println(ProcessHandle.current().pid());
		System.out.println(new String(child.getInputStream().readAllBytes()).strip());
		System.out.println(Files.readString(file));
		System.out.println(IntStream.rangeClosed(1, 1000).parallel().sum());
	}
}
TEXT
	run_program "$(readlink -f /usr/bin/java)" /program/Main.java
	[ "$output" = $'1\nfrom a child\nword\n500500' ]
}
