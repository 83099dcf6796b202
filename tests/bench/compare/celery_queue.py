#!/usr/bin/python3
"""celery_queue.py REDIS_URL plain|full|paced JOBS: Celery over Redis as broker and result backend. Prints one line of JSON."""
import json
import os
import subprocess
import sys
import time

import celery
import redis

IMAGE = b"x" * 100_000
URL = os.environ.get("BENCH_REDIS_URL", "redis://127.0.0.1:6379/0")

app = celery.Celery("celery_queue", broker=URL, backend=URL)
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=8, worker_send_task_events=False)
store = redis.Redis.from_url(URL)


@app.task(bind=True)
def work(self, shape):
    began = time.time()
    if shape == "full":
        for step in (1, 2, 3):
            self.update_state(state="PROGRESS", meta={"step": step, "total": 3})
        store.set("image:" + self.request.id, IMAGE, px=86_400_000)
    return [began, time.time()]


def results():
    """Of ended tasks, by the number of keys: each leaves one."""
    return store.dbsize()


def summary(times):
    times.sort()
    at = lambda share: 1000 * times[int(share * (len(times) - 1))]
    return {"p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1)}


def main():
    shape, jobs = sys.argv[2], int(sys.argv[3])
    worker = subprocess.Popen(["/usr/bin/python3", "-m", "celery", "-A", "celery_queue", "worker", "-c", str(os.cpu_count()),
                               "--loglevel", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        work.delay("plain").get(timeout=60)
        if shape == "paced":
            to_work, to_told = [], []
            for _ in range(jobs):
                after = time.time() + 0.02
                sent = time.time()
                began, ended = work.delay("plain").get(timeout=10)
                to_told.append(time.time() - ended)
                to_work.append(began - sent)
                time.sleep(max(0, after - time.time()))
            print(json.dumps({"submit_to_work": summary(to_work), "end_to_told": summary(to_told)}))
        else:
            last = None
            start = time.time()
            for _ in range(jobs):
                last = work.delay(shape)
            # Several processes: the last one sent is not the last one done.
            last.get(timeout=600)
            settled = results()
            while True:
                time.sleep(0.02)
                now = results()
                if now == settled:
                    break
                settled = now
            print(json.dumps({"jobs_per_s": jobs / (time.time() - start)}))
    finally:
        worker.terminate()
        worker.wait()


if __name__ == "__main__":
    if "BENCH_REDIS_URL" not in os.environ:
        os.environ["BENCH_REDIS_URL"] = sys.argv[1]
        os.execv(sys.executable, [sys.executable, *sys.argv])
    import celery_queue

    celery_queue.main()
