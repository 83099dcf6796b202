#!/usr/bin/env python3
"""Whether a pool's memory is flat: null jobs in their thousands over HTTP through `waggle up`, records kept for some
seconds only, and the memory of every process and of Redis after each quarter, when all its records have been forgotten.
Ends with 1 when something grows.

    tests/bench/memory.py --programs build/release/bin [--jobs 20000]

Compares the last quarter with the first: before that, buffers and caches fill. Judges no speed."""

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time

KEEP_H = "0.003"  # some 11 s: records come and go all the time
PATIENCE_S = 120  # until everything of the last job must have been forgotten
SLACK = 2 * 2**20  # of allocators, beside the share that is allowed


def post_jobs(port, count, failures):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    job = {"operation": "image_generation", "model": "null", "prompt": "a bee", "steps": 2}
    for number in range(count):
        connection.request("POST", "/v1/jobs", json.dumps(job), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 202:
            failures.append(body)
            return
        if number % 20 == 0:  # one of many is followed to its end
            reader = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            reader.request("GET", json.loads(body)["sse_url"])
            if not reader.getresponse().read().rstrip().endswith(b"[DONE]"):
                failures.append(b"a stream without its end")
            reader.close()


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def purge(socket):
    """Redis gives pages back some seconds after it has freed them, by chance before we look or after it."""
    subprocess.run(["redis-cli", "-s", socket, "memory", "purge"], capture_output=True, check=True)


def redis_memory(socket):
    info = subprocess.run(["redis-cli", "-s", socket, "info", "memory"], capture_output=True, text=True, check=True)
    return next(int(line.split(":")[1]) for line in info.stdout.splitlines() if line.startswith("used_memory:"))


def kept(socket):
    """Jobs of which Redis still holds anything: records, images, or that there was one."""
    sets = ("waggle:jobs", "waggle:images", "waggle:retired")
    counts = [subprocess.run(["redis-cli", "-s", socket, "zcard", name], capture_output=True, text=True, check=True) for name in sets]
    return sum(int(count.stdout) for count in counts)


def unfinished(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    waiting = [line for line in text.splitlines() if line.startswith(('waggle_jobs{state="queued"}', 'waggle_jobs{state="running"}'))]
    return sum(float(line.split()[-1]) for line in waiting)


def run(arguments, pool):
    up = json.loads(pool.stdout.readline())
    port = int(up["url"].rsplit(":", 1)[1])
    socket = up["redis_url"].removeprefix("unix://")
    measured, failures = [], []
    for quarter in range(1, 5):
        jobs = arguments.jobs // 4
        threads = [threading.Thread(target=post_jobs, args=(port, jobs // 4, failures)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while not failures and unfinished(port) > 0:
            time.sleep(0.1)
        until = time.monotonic() + PATIENCE_S
        while not failures and kept(socket) > 0 and time.monotonic() < until:
            time.sleep(0.5)
        if not failures and kept(socket) > 0:
            failures.append(b"%d jobs are still kept" % kept(socket))
        if failures:
            print(f"failed: {failures[0].decode(errors='replace')}")
            return 1
        purge(socket)
        sizes = {name: resident(pid) for name, pid in up["pids"].items()}
        sizes["redis, used"] = redis_memory(socket)
        measured.append(sizes)
        print(f"{quarter * jobs:7} jobs  " + "  ".join(f"{name} {size / 2**20:.1f}" for name, size in sizes.items()) + "  MiB",
              flush=True)
    first, last = measured[0], measured[-1]
    grown = [name for name in last if last[name] > first[name] * (1 + arguments.allowed / 100) + SLACK]
    print("flat" if not grown else "grows: " + ", ".join(grown))
    return 1 if grown else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, help="folder of the built programs")
    parser.add_argument("--jobs", type=int, default=20000)
    parser.add_argument("--allowed", type=float, default=10, help="percent that may be added after the first quarter")
    arguments = parser.parse_args()
    environment = dict(os.environ, WAGGLE_KEEP_JOBS=KEEP_H)
    command = [os.path.join(arguments.programs, "waggle"), "up", "--json", "--quiet", "--worker-flag=--null-renderer=0ms",
               "--worker-flag=--capacity=8"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as pool:
        try:
            return run(arguments, pool)
        finally:
            pool.send_signal(signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
