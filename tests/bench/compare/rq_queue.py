#!/usr/bin/python3
"""rq_queue.py REDIS_URL plain|full|paced JOBS: RQ with workers that do not fork. Prints one line of JSON.

RQ tells nobody of an end, so there is no time until a reader is told.
"""
import json
import multiprocessing
import os
import sys
import time

import redis
import rq
from rq.registry import FinishedJobRegistry

IMAGE = b"x" * 100_000


def work(shape):
    began = time.time()
    if shape == "full":
        job = rq.get_current_job()
        for step in (1, 2, 3):
            job.meta["step"] = step
            job.save_meta()
        job.connection.set("image:" + job.id, IMAGE, px=86_400_000)
    return began


def serve(url):
    connection = redis.Redis.from_url(url)
    rq.SimpleWorker([rq.Queue("bench", connection=connection)], connection=connection).work(logging_level="ERROR")


def finished(queue, connection, jobs):
    registry = FinishedJobRegistry(queue=queue)
    while connection.zcard(registry.key) < jobs:
        time.sleep(0.01)


def summary(times):
    times.sort()
    at = lambda share: 1000 * times[int(share * (len(times) - 1))]
    return {"p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1)}


def main():
    url, shape, jobs = sys.argv[1], sys.argv[2], int(sys.argv[3])
    connection = redis.Redis.from_url(url)
    queue = rq.Queue("bench", connection=connection)
    servers = [multiprocessing.Process(target=serve, args=(url,), daemon=True) for _ in range(os.cpu_count())]
    for server in servers:
        server.start()
    while len(rq.Worker.all(connection=connection)) < len(servers):
        time.sleep(0.05)
    if shape == "paced":
        times = []
        for _ in range(jobs):
            after = time.time() + 0.02
            sent = time.time()
            job = queue.enqueue(work, shape)
            while job.result is None:
                time.sleep(0.002)
            times.append(job.result - sent)
            time.sleep(max(0, after - time.time()))
        print(json.dumps({"submit_to_work": summary(times)}))
    else:
        start = time.time()
        for first in range(0, jobs, 100):
            queue.enqueue_many([rq.Queue.prepare_data(work, (shape,)) for _ in range(min(100, jobs - first))])
        finished(queue, connection, jobs)
        print(json.dumps({"jobs_per_s": jobs / (time.time() - start)}))
    for server in servers:
        server.terminate()


if __name__ == "__main__":
    # Jobs are found by the name of their module.
    import rq_queue

    rq_queue.main()
