// node test.js VECTORS PROGRAMS: the test vectors both ways, then a pool of real processes that is used over the wire.
// Ends with 0 when all is well.
'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');

const { decode, encode } = require('@msgpack/msgpack');
const { Client, Rejected } = require('./client.js');

const [vectorsFolder, programs] = process.argv.slice(2);
const vectors = fs
  .readdirSync(vectorsFolder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(fs.readFileSync(path.join(vectorsFolder, name), 'utf8')))
  .filter((vector) => vector.msgpack_hex);

/** What JSON can show: bin as base64. */
function shown(value) {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(shown);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shown(member)]));
  }
  return value;
}

/** A job, a status and an error stand in JSON without the envelope that the ledger's form of them has. */
function likeJson(value, json) {
  if ('v' in json) return shown(value);
  const { v, type, ...bare } = shown(value);
  return bare;
}

function checkVectors() {
  let same = 0;
  for (const { kind, name, json, msgpack_hex: hex } of vectors) {
    const value = decode(Buffer.from(hex, 'hex'));
    assert.deepEqual(likeJson(value, json), json, `${kind}.${name}: MessagePack and JSON say the same`);
    const again = Buffer.from(encode(value));
    assert.deepEqual(likeJson(decode(again), json), json, `${kind}.${name}: written and read again`);
    // A float without a fraction is an integer to this language, and shorter; everything else comes back as it was.
    if (again.toString('hex') === hex) ++same;
    else assert.ok(again.length < hex.length / 2, `${kind}.${name}: other bytes, and no fewer`);
  }
  console.log(`${vectors.length} vectors agree, read and written; ${same} to the byte`);
}

/** `waggle up` without pictures: {connect, url} when it is ready. */
async function startPool() {
  const pool = spawn(path.join(programs, 'waggle'), ['up', '--json', '--worker-flag=--null-renderer=20ms'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = readline.createInterface({ input: pool.stdout });
  const endpoints = await new Promise((resolve, reject) => {
    lines.once('line', (line) => resolve(JSON.parse(line)));
    pool.once('exit', (code) => reject(new Error(`waggle up ended with ${code}`)));
  });
  const [requests, publish] = endpoints.connect.split(',');
  return { pool, url: endpoints.url, queens: [{ requests, publish }] };
}

const job = (fields) => ({ operation: 'image_generation', model: 'null', prompt: 'a bee', ...fields });

async function checkJob(client, url) {
  const jobId = await client.submit(job({ steps: 15, seed: 4711, n: 2 }));
  const heard = [];
  const status = await client.follow(jobId, (event) => heard.push(event));
  assert.equal(status.state, 'completed');
  assert.equal(status.seed, 4711);
  assert.equal(status.images.length, 2);
  const steps = heard.filter((event) => event.type === 'progress').map((event) => event.step);
  assert.deepEqual(steps, [...steps].sort((a, b) => a - b), 'progress never falls');
  assert.ok(heard.length > 0, 'something was heard on the topic');
  for (const image of status.images) {
    const answer = await fetch(`${url}/v1/jobs/${jobId}/images/${image.index}`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'image/png');
    const bytes = Buffer.from(await answer.arrayBuffer());
    assert.equal(bytes.length, image.bytes);
    assert.equal(bytes.subarray(1, 4).toString(), 'PNG');
  }
  console.log(`job ${jobId}: ${heard.map((event) => event.type).join(' ')}; ${status.images.length} images fetched`);
}

async function checkCancel(client) {
  const jobId = await client.submit(job({ steps: 500 }));
  while ((await client.status(jobId)).state !== 'running') await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(await client.cancel(jobId), 'running');
  assert.equal((await client.follow(jobId)).state, 'cancelled');
  await assert.rejects(client.cancel(jobId), { code: 'job_already_ended' });
  console.log(`job ${jobId}: cancelled`);
}

async function checkRefusals(client) {
  await assert.rejects(client.submit(job({ steps: 0 })), (error) => {
    assert.ok(error instanceof Rejected);
    assert.equal(error.code, 'invalid_request');
    assert.ok(error.fields.some((field) => field.path.endsWith('/steps')));
    return true;
  });
  const twice = job({ steps: 1, idempotency_key: 'js' });
  assert.equal(await client.submit(twice), await client.submit(twice));
  assert.deepEqual((await client.ask('pause', { model: 'null' })).models, ['null']);
  assert.deepEqual((await client.ask('stats')).paused, ['null']);
  await client.ask('resume', { model: 'null' });
}

/** The queen reads what this language writes: she may refuse a request, but never its form. */
async function checkRequests(client) {
  for (const { kind, name, msgpack_hex: hex } of vectors) {
    if (kind !== 'request') continue;
    const { v, type, request_id: ignored, ...fields } = decode(Buffer.from(hex, 'hex'));
    try {
      await client.ask(type, fields);
    } catch (error) {
      assert.ok(error instanceof Rejected, `${name}: ${error.message}`);
      assert.ok(!['malformed_message', 'unknown_type', 'unsupported_version', 'internal'].includes(error.code), `${name}: ${error}`);
    }
  }
  console.log('every kind of request was understood');
}

async function main() {
  checkVectors();
  const { pool, url, queens } = await startPool();
  const client = new Client(queens);
  try {
    await checkJob(client, url);
    await checkCancel(client);
    await checkRefusals(client);
    await checkRequests(client);
  } finally {
    client.close();
    pool.removeAllListeners('exit');
    const ended = new Promise((resolve) => pool.once('exit', resolve));
    pool.kill('SIGTERM');
    await ended;
  }
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
