#!/usr/bin/python3
"""The same job shape on Waggle, BullMQ, RQ and Celery, side by side in one run, each over a Redis of its own that is started
with the shipped redis.conf and the same durability.

Two shapes: `plain` (submit, claim, end) and `full` (three progress events and a result of 100 KB for each job). Rivals run in
the form that suits them best: BullMQ adds in bulk and works in one process with concurrency 8, RQ's workers do not fork,
Celery has a process for each core. A table for people; --json FILE keeps the figures. Needs an otherwise idle machine.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
IMAGE_BYTES = 100_000


class Redis:
    """redis-server on a free port with the shipped configuration; ends with the block."""

    def __init__(self, appendfsync):
        self.appendfsync = appendfsync

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="waggle-compare-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            ["redis-server", str(SOURCE / "broker-config/redis.conf"), "--port", str(self.port), "--bind", "127.0.0.1",
             "--dir", self.folder, "--appendfsync", self.appendfsync, "--loglevel", "warning"],
            stdout=subprocess.DEVNULL)
        for _ in range(500):
            try:
                if self.ask("PING").startswith("PONG"):
                    return self
            except (OSError, subprocess.CalledProcessError):
                pass
            time.sleep(0.02)
        raise RuntimeError("redis-server does not start")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, *words):
        return subprocess.run(["redis-cli", "-p", str(self.port), *words], check=True, capture_output=True, text=True).stdout

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"


class CommandCount:
    """What clients send, by MONITOR: lines of scripts (from "lua") are the server's own affair."""

    def __init__(self, redis):
        self.count = 0
        self.socket = socket.create_connection(("127.0.0.1", redis.port))
        self.socket.sendall(b"MONITOR\r\n")
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        pattern = re.compile(rb'\[\d+ (\S+?)\] "(\w+)')
        with self.socket.makefile("rb") as lines:
            for line in lines:
                found = pattern.search(line)
                # Questions of this program, and what keeps a connection, are no part of a job.
                if found and found[1] != b"lua" and found[2].lower() not in (b"dbsize", b"zcard", b"ping", b"client", b"info"):
                    self.count += 1

    def close(self):
        time.sleep(0.2)
        self.socket.shutdown(socket.SHUT_RDWR)
        return self.count


def run(command):
    """The last line that the command prints, as JSON."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([str(word) for word in command], env=environment, cwd=HERE, capture_output=True,
                          text=True, timeout=900)
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        raise RuntimeError(f"{command[0]} failed")
    return json.loads(done.stdout.strip().splitlines()[-1])


def rival(command, appendfsync, jobs, paced):
    """Figures of one rival: both shapes, the commands of a plain job, the latencies."""
    figures = {}
    for shape in ("plain", "full"):
        with Redis(appendfsync) as redis:
            figures[shape] = {"jobs_per_s": run([*command, redis.url, shape, jobs])["jobs_per_s"]}
    with Redis(appendfsync) as redis:
        counter = CommandCount(redis)
        sample = min(jobs, 300)
        run([*command, redis.url, "plain", sample])
        figures["plain"]["commands_per_job"] = counter.close() / sample
    with Redis(appendfsync) as redis:
        figures.update(run([*command, redis.url, "paced", paced]))
    return figures


def waggle(programs, appendfsync, jobs, paced, workers):
    done = subprocess.run([str(programs / "waggle-queue-bench"), "--jobs", str(jobs), "--paced-jobs", str(paced), "--appendfsync",
                           appendfsync, "--workers", *[str(count) for count in workers], "--json"],
                          check=True, capture_output=True, text=True).stdout
    found = json.loads(done[done.index("\n{") :])[appendfsync]
    best = lambda rows: max(rows, key=lambda row: row["jobs_per_s"])
    return {**found, "plain": best(found["plain"]), "full": best(found["full"])}


def yardsticks(appendfsync):
    """What Redis alone does: writes of an image, and a bare hand-off."""
    with Redis(appendfsync) as redis:
        text = subprocess.run(["redis-benchmark", "-p", str(redis.port), "-t", "set", "-d", str(IMAGE_BYTES), "-c", "4", "-n",
                               "20000", "-q"], check=True, capture_output=True, text=True).stdout
        found = re.findall(r"([\d.]+) requests per second", text)
        return {"image_sets_per_s": float(found[-1])}


def cell(figures, *path, digits=0):
    for key in path:
        figures = figures.get(key) if isinstance(figures, dict) else None
    return "-" if figures is None else f"{figures:,.{digits}f}"


def print_table(appendfsync, results):
    print(f"\nappendfsync {appendfsync}; Redis alone writes {cell(results, 'redis', 'image_sets_per_s')} images of 100 KB a second")
    print(f"{'':10}{'plain/s':>10}{'commands':>10}{'full/s':>10}{'submit to work, p50':>22}{'p99':>8}{'end to told, p50':>19}{'p99':>8}")
    for name in ("waggle", "bullmq", "celery", "rq"):
        figures = results.get(name)
        if figures is None:
            continue
        print(f"{name:10}{cell(figures, 'plain', 'jobs_per_s'):>10}{cell(figures, 'plain', 'commands_per_job', digits=1):>10}"
              f"{cell(figures, 'full', 'jobs_per_s'):>10}{cell(figures, 'submit_to_work', 'p50_ms', digits=2):>22}"
              f"{cell(figures, 'submit_to_work', 'p99_ms', digits=2):>8}{cell(figures, 'end_to_told', 'p50_ms', digits=2):>19}"
              f"{cell(figures, 'end_to_told', 'p99_ms', digits=2):>8}")
    others = [results[name] for name in ("bullmq", "celery", "rq") if name in results]
    if others and "waggle" in results:
        for shape in ("plain", "full"):
            best = max(other[shape]["jobs_per_s"] for other in others)
            print(f"{shape}: {results['waggle'][shape]['jobs_per_s'] / best:.2f} times the best of the others")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    resolved = lambda text: pathlib.Path(text).resolve()
    parser.add_argument("--programs", type=resolved, required=True, help="folder of waggle-queue-bench")
    parser.add_argument("--node-modules", type=resolved, help="where bullmq is installed")
    parser.add_argument("--jobs", type=int, default=8000, help="of a throughput run; Celery and RQ do a tenth")
    parser.add_argument("--paced-jobs", type=int, default=500, help="of a latency run, 50 a second")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4, 8], help="of Waggle; the best counts")
    parser.add_argument("--appendfsync", nargs="+", default=["everysec", "always"], choices=["everysec", "always"])
    parser.add_argument("--only", nargs="+", choices=["waggle", "bullmq", "celery", "rq"])
    parser.add_argument("--json", type=pathlib.Path, help="write the figures to this file")
    args = parser.parse_args()

    fewer = max(100, args.jobs // 10)
    makers = {
        "waggle": lambda sync: waggle(args.programs, sync, args.jobs, args.paced_jobs, args.workers),
        "bullmq": lambda sync: rival(["node", HERE / "bull.js", args.node_modules], sync, args.jobs, args.paced_jobs),
        "celery": lambda sync: rival(["/usr/bin/python3", HERE / "celery_queue.py"], sync, fewer, args.paced_jobs),
        "rq": lambda sync: rival(["/usr/bin/python3", HERE / "rq_queue.py"], sync, fewer, args.paced_jobs),
    }
    everything = {"cores": os.cpu_count(), "load_at_start": os.getloadavg()[0]}
    for sync in args.appendfsync:
        results = everything[sync] = {"redis": yardsticks(sync)}
        for name, make in makers.items():
            if args.only and name not in args.only:
                continue
            print(f"{name}, appendfsync {sync} ...", file=sys.stderr, flush=True)
            results[name] = make(sync)
        print_table(sync, results)
    if args.json:
        args.json.write_text(json.dumps(everything, indent=2) + "\n")


if __name__ == "__main__":
    main()
