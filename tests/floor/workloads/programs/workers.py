"""Processes, threads, coroutines and a local server: what Python's standard library does with the kernel."""

import asyncio
import concurrent.futures
import http.server
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request


def square(number):
    return number * number


async def echo(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()


async def talk():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def ask(number):
        reader, writer = await asyncio.open_connection("localhost", port)
        writer.write(b"%d\n" % number)
        answer = int(await reader.readline())
        writer.close()
        return answer

    answers = await asyncio.gather(*(ask(number) for number in range(50)))
    child = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    output, _ = await child.communicate(b"by way of cat")
    return sum(answers), output.decode()


def fetch():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/etc/hosts") as answer:
        return answer.read().decode().split()[0]


def main():
    os.chdir("/")
    sys.stderr = open(os.devnull, "w", encoding="utf-8")
    print("subprocess", subprocess.run(["sh", "-c", "echo $((6 * 7)) | cat"], capture_output=True, check=True).stdout.decode().strip())
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        print("threads", sum(pool.map(square, range(100))))
    for way in ["fork", "spawn", "forkserver"]:
        with multiprocessing.get_context(way).Pool(3) as pool:
            print(way, sum(pool.map(square, range(100))))
    print("asyncio", *asyncio.run(talk()))
    print("http", fetch())
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x" * 4096)
        file.flush()
        print("file", os.stat(file.name).st_size)
    rang = []
    signal.signal(signal.SIGALRM, lambda *_: rang.append("alarm"))
    # Again and again: the first may ring before anybody waits for it.
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.1)
    while not rang:
        signal.pause()
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(rang[0])


if __name__ == "__main__":
    main()
