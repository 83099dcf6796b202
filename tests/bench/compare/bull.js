// node bull.js NODE_MODULES REDIS_URL plain|full|paced JOBS: BullMQ in one process, bulk adds and concurrency 8. Prints one
// line of JSON.
'use strict';

const path = require('node:path');

const [modules, url, shape, count] = process.argv.slice(2);
const { Queue, QueueEvents, Worker } = require(path.join(modules, 'bullmq'));
const IORedis = require(path.join(modules, 'ioredis'));

const jobs = Number(count);
const BULK = 100;
const image = Buffer.alloc(100_000, 'x');
const connect = () => new IORedis(url, { maxRetriesPerRequest: null });
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function throughput() {
  const store = connect();
  const queue = new Queue('bench', { connection: connect() });
  await queue.waitUntilReady();
  let done = 0;
  let finished;
  const all = new Promise((resolve) => (finished = resolve));
  const start = performance.now();
  const worker = new Worker(
    'bench',
    async (job) => {
      if (shape !== 'full') return;
      for (let step = 1; step <= 3; ++step) await job.updateProgress({ step, total: 3 });
      await store.set(`image:${job.id}`, image, 'PX', 86_400_000);
    },
    { connection: connect(), concurrency: 8 },
  );
  worker.on('completed', () => ++done === jobs && finished());
  const data = { model: 'null', prompt: 'a bee', steps: 3, seed: 1 };
  for (let i = 0; i < jobs; i += BULK) {
    await queue.addBulk(Array.from({ length: Math.min(BULK, jobs - i) }, () => ({ name: 'job', data })));
  }
  await all;
  console.log(JSON.stringify({ jobs_per_s: jobs / ((performance.now() - start) / 1000) }));
}

function summary(times) {
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(share * (times.length - 1))];
  return { p50_ms: at(0.5), p99_ms: at(0.99), max_ms: times.at(-1) };
}

async function paced() {
  const queue = new Queue('bench', { connection: connect() });
  const events = new QueueEvents('bench', { connection: connect() });
  await events.waitUntilReady();
  const began = new Map();
  const ended = new Map();
  const toTold = [];
  const told = new Map();
  events.on('completed', ({ jobId }) => {
    told.set(jobId, performance.now());
  });
  const worker = new Worker(
    'bench',
    async (job) => {
      began.set(job.id, performance.now());
      ended.set(job.id, performance.now());
    },
    { connection: connect(), concurrency: 8 },
  );
  await worker.waitUntilReady();
  for (let i = 0; i < 20; ++i) await queue.add('warm', {});
  const toWork = [];
  for (let i = 0; i < jobs; ++i) {
    const next = sleep(20);
    const sent = performance.now();
    const job = await queue.add('job', { prompt: 'a bee' });
    while (!told.has(job.id)) await sleep(1);
    toWork.push(began.get(job.id) - sent);
    toTold.push(told.get(job.id) - ended.get(job.id));
    await next;
  }
  console.log(JSON.stringify({ submit_to_work: summary(toWork), end_to_told: summary(toTold) }));
}

(shape === 'paced' ? paced() : throughput()).then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
