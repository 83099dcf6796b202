// A client of the queue, written from schemas/PROTOCOL.md alone: requests over DEALER, hints over SUB.
//
// Knows nothing of this repository's code. Pictures come over HTTP from a bridge; this side keeps none.
'use strict';

const { encode, decode } = require('@msgpack/msgpack');
const { Dealer, Subscriber } = require('zeromq');

const VERSION = 1;
const ENDS = new Set(['completed', 'failed', 'cancelled', 'expired', 'dead']);

/** A refusal by the queen: `code`, `retryable` and, for a full queue, `retryAfterSeconds`. */
class Rejected extends Error {
  constructor(error) {
    super(`${error.code}: ${error.message}`);
    this.code = error.code;
    this.retryable = error.retryable;
    this.retryAfterSeconds = error.retry_after_s;
    this.fields = error.fields ?? [];
  }
}

/** "1732356000123-0": two numbers, compared one after the other. */
function isLater(eventId, than) {
  const [ms, seq] = eventId.split('-').map(BigInt);
  const [otherMs, otherSeq] = than.split('-').map(BigInt);
  return ms > otherMs || (ms === otherMs && seq > otherSeq);
}

class Client {
  /** @param queens list of {requests, publish}: endpoints of every queen */
  constructor(queens) {
    this.dealer = new Dealer({ linger: 0, heartbeatInterval: 2000, immediate: true });
    this.subscriber = new Subscriber({ linger: 0, heartbeatInterval: 2000 });
    for (const queen of queens) {
      this.dealer.connect(queen.requests);
      this.subscriber.connect(queen.publish);
    }
    this.waiting = new Map();
    this.listeners = new Map();
    this.nextRequest = 0;
    this.readReplies();
    this.readHints();
  }

  async readReplies() {
    for await (const [topic, payload] of this.dealer) {
      if (topic.toString() !== 'replies/') continue;
      const reply = decode(payload);
      this.waiting.get(reply.request_id)?.(reply);
    }
  }

  async readHints() {
    for await (const [topic, payload] of this.subscriber) {
      const match = /^events\/([^/]+)\/$/.exec(topic.toString());
      if (match) this.listeners.get(match[1])?.(decode(payload));
    }
  }

  /** One request and its reply; asks again when none comes, which every request may. Throws Rejected. */
  async ask(type, fields = {}, { patience = 3000, tries = 5 } = {}) {
    for (let i = 0; i < tries; ++i) {
      const requestId = `js-${process.pid}-${++this.nextRequest}`;
      const answered = new Promise((resolve) => this.waiting.set(requestId, resolve));
      await this.dealer.send(['requests/', encode({ v: VERSION, type, request_id: requestId, ...fields })]);
      const reply = await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, patience))]);
      this.waiting.delete(requestId);
      if (!reply) continue;
      if (reply.type === 'rejected') throw new Rejected(reply.error);
      return reply;
    }
    throw new Error('no queen answers');
  }

  /** An idempotency key makes the submission safe to repeat. */
  async submit(job) {
    return (await this.ask('submit', { job })).job_id;
  }
  async cancel(jobId) {
    return (await this.ask('cancel', { job_id: jobId })).state;
  }
  async status(jobId) {
    return (await this.ask('status', { job_id: jobId })).status;
  }

  /**
   * Calls `onEvent` with each event heard, in order and once, and resolves to the job's status when it has ended. Hints may be
   * lost, so silence of a second is a reason to look at the record.
   */
  async follow(jobId, onEvent = () => {}) {
    const topic = `events/${jobId}/`;
    let last = '0-0';
    let wake = () => {};
    this.listeners.set(jobId, (event) => {
      if (!isLater(event.event_id, last)) return;
      last = event.event_id;
      onEvent(event);
      wake(ENDS.has(event.type));
    });
    this.subscriber.subscribe(topic);
    try {
      for (;;) {
        const ended = await new Promise((resolve) => {
          wake = resolve;
          setTimeout(resolve, 1000, true);
        });
        if (!ended) continue;
        const status = await this.status(jobId);
        if (ENDS.has(status.state)) return status;
      }
    } finally {
      this.subscriber.unsubscribe(topic);
      this.listeners.delete(jobId);
    }
  }

  close() {
    this.dealer.close();
    this.subscriber.close();
  }
}

module.exports = { Client, Rejected, ENDS };
