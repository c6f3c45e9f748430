import { FairQueue, type Queued } from '../../session/fair-queue.ts';
import { SessionError, type Command, type Dealer, type Reply } from '../../session/upstream.ts';
import { payloadScalar } from '../../webapi/fields.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import { replyError } from '../broker/upstream-errors.ts';
import { eventsById, finalOf, type DealerResult } from './dealer-results.ts';
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
/** While requests wait to be sent, results are asked for after so many of them: one question is enough for all. */
const SENDS_PER_POLL = 5;

/** `dealer/send_request` was answered with something else than retcode 0: so nothing was queued. */
export class DealerRefusal extends Error {
  readonly reply: Reply;

  constructor(reply: Reply) {
    super(`dealer/send_request: ${reply.retcode ?? `HTTP ${reply.status}`} ${reply.retcodeText}`);
    this.reply = reply;
  }
}

/** A read for what is about to be sent. @throws SessionError */
export type DealerRead = (command: Command) => Promise<Reply>;
/** Makes the request that is sent next. */
export type PrepareRequest = (read: DealerRead) => Promise<Readonly<Record<string, string>>>;

/** A request that waits for its turn. */
interface Turn extends Queued {
  readonly prepare: PrepareRequest;
  readonly hooks: SendHooks;
  readonly resolve: (result: DealerResult) => void;
  readonly reject: (error: unknown) => void;
  /** It is its turn: its caller can no longer simply take it out. */
  readonly begin: () => void;
}

interface Waiting {
  readonly generation: number;
  readonly untilMs: number;
  readonly resolve: (result: DealerResult) => void;
  readonly reject: (error: SessionError) => void;
}

export interface DealerDeskParts {
  readonly dealer: Dealer;
  /** Reads for a request whose turn has come. @throws SessionError */
  readonly read: (command: Command, hooks: Pick<SendHooks, 'deadlineAtMs' | 'signal' | 'timings'>) => Promise<Reply>;
  readonly now: () => number;
}

/**
 * Sends dealer requests and asks for their results, on the one connection that both belong to. While one is on its way the
 * next is prepared, so that what it reads is one round trip old when it is sent. All results that are waited for are asked
 * for together; the interval grows while nothing comes.
 */
export class DealerDesk {
  readonly #parts: DealerDeskParts;
  readonly #waiting = new Map<string, Waiting>();
  readonly #turns = new FairQueue<Turn>();
  #outstanding = 0;
  #takesTurns = false;
  #polling = false;
  #sentSincePoll = 0;
  #intervalMs = POLL_MIN_MS;
  #wake: (() => void) | undefined;
  #onTurn: (() => void) | undefined;

  constructor(parts: DealerDeskParts) {
    this.#parts = parts;
  }

  /** Requests that are queued at the dealer or about to be. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Those, and the ones that wait for their turn. */
  get load(): number {
    return this.#outstanding + this.#turns.size;
  }

  get isAvailable(): boolean {
    return this.#parts.dealer.isAvailable;
  }

  /**
   * Resolves with the dealer's decision, however long it takes. `prepare` makes the request when it is its turn, just
   * before it is sent, and may read; what it throws means that nothing was sent.
   * @throws DealerRefusal · SessionError (`dispatched` tells whether it was sent)
   */
  execute(prepare: PrepareRequest, hooks: SendHooks): Promise<DealerResult> {
    const { promise, resolve, reject } = Promise.withResolvers<DealerResult>();
    const leave = (): void => {
      this.#turns.remove(turn);
      reject(new SessionError('deadline', 'The deadline passed while the request waited for the dealer.'));
    };
    const turn: Turn = {
      lane: hooks.lane ?? '',
      enqueuedAtMs: this.#parts.now(),
      replayed: false,
      prepare,
      hooks,
      resolve,
      reject,
      begin: () => hooks.signal.removeEventListener('abort', leave),
    };
    if (hooks.signal.aborted) leave();
    else {
      hooks.signal.addEventListener('abort', leave, { once: true });
      this.#turns.push(turn);
      void this.#takeTurns();
    }
    return promise;
  }

  /** One after another, lane by lane: the next is prepared as soon as the one before was handed over. */
  async #takeTurns(): Promise<void> {
    if (this.#takesTurns) return;
    this.#takesTurns = true;
    while (this.#outstanding < MAX_OUTSTANDING) {
      const turn = this.#turns.shift();
      if (!turn) break;
      turn.begin();
      await this.#handOver(turn);
      this.#onTurn?.();
    }
    this.#takesTurns = false;
    this.#onTurn?.();
  }

  /** Settles the turn in its own time; resolves as soon as it was sent, or will not be. */
  #handOver(turn: Turn): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#outstanding++;
    void this.#send(turn, resolve)
      .then(turn.resolve, turn.reject)
      .finally(() => {
        this.#outstanding--;
        resolve();
        void this.#takeTurns();
      });
    return promise;
  }

  async #send({ prepare, hooks }: Turn, onSent: () => void): Promise<DealerResult> {
    const { dealer, read } = this.#parts;
    const request = await prepare((command) => read(command, hooks));
    const command = { path: 'dealer/send_request', body: JSON.stringify(request) };
    const onDispatch = (): void => {
      this.#sentSincePoll++;
      hooks.onDispatch();
      onSent();
    };
    const reply = await dealer.mutate(command, { ...hooks, onDispatch });
    if (reply.retcode !== RETCODE.OK) throw new DealerRefusal(reply);
    const id = payloadScalar(bodyOf(reply), 'ID');
    if (id === undefined || !/^\d{1,20}$/.test(id))
      throw new SessionError('malformed', 'dealer/send_request: the answer has no ID.', { dispatched: true });
    hooks.onQueued?.();
    return this.#result(id, reply.generation);
  }

  #result(id: string, generation: number): Promise<DealerResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { generation, untilMs: this.#parts.now() + RESULT_WINDOW_MS, resolve, reject });
      this.#intervalMs = POLL_MIN_MS;
      this.#wake?.();
      if (!this.#polling) void this.#poll();
    });
  }

  async #poll(): Promise<void> {
    const { dealer, now } = this.#parts;
    this.#polling = true;
    while (this.#waiting.size > 0) {
      await this.#turnToPoll();
      const { generation } = dealer;
      const ids = this.#askable(generation);
      if (ids.length === 0) continue;
      this.#sentSincePoll = 0;
      try {
        const reply = await dealer.read(
          { path: 'dealer/get_request_result', query: [['id', ids.join(',')]] },
          generation,
          { deadlineAtMs: now() + POLL_TIMEOUT_MS },
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

  /** Nothing is about to be sent, enough was, or results have waited long enough. */
  async #turnToPoll(): Promise<void> {
    if (!this.#takesTurns || this.#sentSincePoll >= SENDS_PER_POLL) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, POLL_MAX_MS);
    this.#onTurn = () => {
      if (!this.#takesTurns || this.#sentSincePoll >= SENDS_PER_POLL) resolve();
    };
    await promise;
    clearTimeout(timer);
    this.#onTurn = undefined;
  }

  /** Ids whose result can still come on this connection; the others are given up. */
  #askable(generation: number): string[] {
    const nowMs = this.#parts.now();
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
    const events = reply.retcode === RETCODE.OK ? eventsById(bodyOf(reply)) : undefined;
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
