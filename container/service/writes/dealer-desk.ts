import { SessionError, type Command, type Dealer, type Reply } from '../../session/upstream.ts';
import { RETCODE, retcodeOf } from '../../webapi/retcodes.ts';
import { Fields, isWireObject, payloadScalar, wireInteger } from '../../webapi/fields.ts';
import type { WireObject, WireValue } from '../../webapi/fields.ts';
import { replyError } from '../broker/upstream-errors.ts';
import type { SendHooks } from './operation-runner.ts';
import { bodyOf } from './settlement.ts';

/** The server queues at most so many dealer requests of a connection, then 10024 (mt5-webapi §1.7). */
const MAX_OUTSTANDING = 128;
/** Results are kept for three minutes (mt5-webapi §3.7): what has none by then has none to come. */
const RESULT_WINDOW_MS = 180_000;
/** A dealer that executes by itself answers in milliseconds, a human one in seconds. */
const POLL_MIN_MS = 20;
const POLL_MAX_MS = 500;
const POLL_GROWTH = 1.5;
const POLL_TIMEOUT_MS = 15_000;

/** What the dealer decided: the request with its `Result…` fields. */
export interface DealerResult {
  readonly retcode: number;
  readonly text: string;
  readonly answer: WireObject;
}

/** `dealer/send_request` was answered with something else than retcode 0: so nothing was queued. */
export class DealerRefusal extends Error {
  readonly reply: Reply;

  constructor(reply: Reply) {
    super(`dealer/send_request: ${reply.retcode ?? `HTTP ${reply.status}`} ${reply.retcodeText}`);
    this.reply = reply;
  }
}

/** A read on the dealer's connection. @throws SessionError */
export type DealerRead = (command: Command) => Promise<Reply>;
/** Makes the request that is sent next. */
export type PrepareRequest = (read: DealerRead) => Promise<Readonly<Record<string, string>>>;

interface Waiting {
  readonly generation: number;
  readonly untilMs: number;
  readonly resolve: (result: DealerResult) => void;
  readonly reject: (error: SessionError) => void;
}

/**
 * Sends dealer requests and asks for their results, on the one connection that both belong to. All results that are
 * waited for are asked for together; the interval grows while nothing comes.
 */
export class DealerDesk {
  readonly #dealer: Dealer;
  readonly #now: () => number;
  readonly #waiting = new Map<string, Waiting>();
  readonly #queue: (() => void)[] = [];
  #outstanding = 0;
  #polling = false;
  #intervalMs = POLL_MIN_MS;
  #wake: (() => void) | undefined;

  constructor(dealer: Dealer, now: () => number) {
    this.#dealer = dealer;
    this.#now = now;
  }

  /** Requests that are queued at the dealer or about to be. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /**
   * Resolves with the dealer's decision, however long it takes. `prepare` makes the request when it is its turn, just
   * before it is sent, and may read on the dealer's connection; what it throws means that nothing was sent.
   * @throws DealerRefusal · SessionError (`dispatched` tells whether it was sent)
   */
  async execute(prepare: PrepareRequest, hooks: SendHooks): Promise<DealerResult> {
    await this.#slot(hooks.signal);
    try {
      // Not the hooks themselves: handing over this read is not handing over the request.
      const { deadlineAtMs, signal, timings } = hooks;
      const asReader = { deadlineAtMs, signal, timings };
      const request = await prepare((command) => this.#dealer.read(command, undefined, asReader));
      const reply = await this.#dealer.mutate({ path: 'dealer/send_request', body: JSON.stringify(request) }, hooks);
      if (reply.retcode !== RETCODE.OK) throw new DealerRefusal(reply);
      const id = payloadScalar(bodyOf(reply), 'ID');
      if (id === undefined || !/^\d{1,20}$/.test(id))
        throw new SessionError('malformed', 'dealer/send_request: the answer has no ID.', { dispatched: true });
      hooks.onQueued?.();
      return await this.#result(id, reply.generation);
    } finally {
      this.#outstanding--;
      this.#queue.shift()?.();
    }
  }

  /** First come, first served; whoever leaves gives up the place. */
  #slot(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const place = this.#queue.indexOf(take);
        if (place >= 0) this.#queue.splice(place, 1);
        reject(new SessionError('deadline', 'The deadline passed while the request waited for the dealer.'));
      };
      const take = (): void => {
        signal.removeEventListener('abort', leave);
        this.#outstanding++;
        resolve();
      };
      if (signal.aborted) leave();
      else if (this.#outstanding < MAX_OUTSTANDING) take();
      else {
        this.#queue.push(take);
        signal.addEventListener('abort', leave, { once: true });
      }
    });
  }

  #result(id: string, generation: number): Promise<DealerResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { generation, untilMs: this.#now() + RESULT_WINDOW_MS, resolve, reject });
      this.#intervalMs = POLL_MIN_MS;
      this.#wake?.();
      if (!this.#polling) void this.#poll();
    });
  }

  async #poll(): Promise<void> {
    this.#polling = true;
    while (this.#waiting.size > 0) {
      const generation = this.#dealer.generation;
      const ids = this.#askable(generation);
      if (ids.length === 0) continue;
      try {
        const reply = await this.#dealer.read(
          { path: 'dealer/get_request_result', query: [['id', ids.join(',')]] },
          generation,
          { deadlineAtMs: this.#now() + POLL_TIMEOUT_MS },
        );
        this.#take(ids, reply);
      } catch (error) {
        // A lost connection takes its results with it; anything else may pass.
        if (error instanceof SessionError && ['lost', 'draining'].includes(error.kind))
          for (const id of ids) this.#fail(id, 'The dealer connection was lost before the result came.');
      }
      if (this.#waiting.size > 0) await this.#pause();
    }
    this.#polling = false;
  }

  /** Ids whose result can still come on this connection; the others are given up. */
  #askable(generation: number): string[] {
    const nowMs = this.#now();
    for (const [id, waiting] of this.#waiting) {
      if (waiting.generation !== generation)
        this.#fail(id, 'The dealer connection was replaced before the result came.');
      else if (nowMs >= waiting.untilMs) this.#fail(id, 'The dealer did not decide within three minutes.');
    }
    return [...this.#waiting.keys()];
  }

  #take(ids: readonly string[], reply: Reply): void {
    // A build without the command never tells: the books do.
    if (replyError(reply)?.code === 'broker_unsupported')
      for (const id of ids) this.#fail(id, 'This build of the server does not tell results of dealer requests.');
    // 13: none of them is known any more.
    const events = reply.retcode === RETCODE.OK ? resultsOf(bodyOf(reply)) : undefined;
    if (!events && reply.retcode !== RETCODE.ERR_NOTFOUND) return;
    for (const id of ids) {
      const list = events?.get(id);
      if (list === undefined) {
        this.#fail(id, 'The server no longer knows the request.');
        continue;
      }
      const result = finalOf(list);
      if (!result) continue;
      this.#waiting.get(id)?.resolve(result);
      this.#waiting.delete(id);
      this.#intervalMs = POLL_MIN_MS;
    }
  }

  #fail(id: string, reason: string): void {
    this.#waiting.get(id)?.reject(new SessionError('lost', reason, { dispatched: true }));
    this.#waiting.delete(id);
  }

  #pause(): Promise<void> {
    const delayMs = this.#intervalMs;
    this.#intervalMs = Math.min(POLL_MAX_MS, delayMs * POLL_GROWTH);
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(finish, delayMs);
      this.#wake = finish;
    });
  }
}

/** Ids beside `retcode` or under `answer`: builds disagree (mt5-webapi §3.7). */
function resultsOf(body: WireObject): ReadonlyMap<string, readonly WireValue[]> {
  const results = new Map<string, readonly WireValue[]>();
  const answer = new Fields(body).take('answer');
  for (const source of [body, isWireObject(answer) ? answer : {}])
    for (const [name, value] of Object.entries(source))
      if (/^\d+$/.test(name) && Array.isArray(value)) results.set(name, value as readonly WireValue[]);
  return results;
}

/** The element `answer`, where its `ResultRetcode` is final; the `result`s before it are news on the way. */
function finalOf(events: readonly WireValue[]): DealerResult | undefined {
  for (const event of events) {
    const answer = isWireObject(event) ? new Fields(event).take('answer') : undefined;
    if (!isWireObject(answer)) continue;
    const text = new Fields(answer).text('ResultRetcode');
    const retcode = wireInteger(text);
    // 10001–10003: on its way, accepted, in process.
    if (retcode === undefined || retcodeOf(retcode).class === 'accepted') continue;
    return { retcode, text: (text ?? '').replace(/^\s*\d+\s*/, ''), answer };
  }
  return undefined;
}
