import type { DealerLine } from './dealer-line.ts';
import {
  SessionError,
  type CallSignal,
  type CallTimings,
  type Command,
  type ManyForm,
  type Reply,
} from './upstream.ts';

export type JobKind = 'read' | 'write' | 'dealer_read' | 'dealer_write';

export interface JobRequest {
  readonly kind: JobKind;
  readonly command: Command;
  readonly deadlineAtMs: number;
  readonly signal?: CallSignal | undefined;
  readonly timings?: CallTimings | undefined;
  /** `dealer_…`: whose. */
  readonly line?: DealerLine;
  readonly generation?: number | undefined;
  readonly urgent?: boolean | undefined;
  readonly bulk?: boolean | undefined;
  readonly lane?: string | undefined;
  readonly many?: ManyForm | undefined;
  readonly onDispatch?: (() => void) | undefined;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * A job and the promise of its caller. The deadline and the caller's signal release the caller at once; what is on its
 * way stays there, and its answer is drained by the session.
 */
export function createJob(request: JobRequest, nowMs: number, onReleased: (job: Job) => void): [Job, Promise<Reply>] {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  return [new Job(request, nowMs, { resolve, reject, onReleased }), promise];
}

interface Waiter {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: SessionError) => void;
  readonly onReleased: (job: Job) => void;
}

/**
 * One command that waits for a session, or is on its way. It settles once, whoever is first. It listens to the signal
 * itself and gives the timer itself: there is one for every request.
 */
export class Job {
  readonly kind: JobKind;
  readonly command: Command;
  readonly enqueuedAtMs: number;
  readonly deadlineAtMs: number;
  /** `dealer_…`: the line that it belongs to. */
  readonly line: DealerLine | undefined;
  readonly urgent: boolean;
  readonly bulk: boolean;
  /** `dealer_read`: the generation of the dealer connection that it belongs to; `undefined` = to none. */
  readonly generation: number | undefined;
  /** Whose turn it takes; '' = the bridge's own. */
  readonly lane: string;
  readonly many: ManyForm | undefined;
  readonly onDispatch: (() => void) | undefined;
  readonly signal: CallSignal | undefined;
  readonly timings: CallTimings | undefined;
  dispatched = false;
  replayed = false;
  /** A train did not bring it: it travels with that half of the others now; null = by itself. */
  half: symbol | null | undefined;
  #waiter: Waiter | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(request: JobRequest, nowMs: number, waiter: Waiter) {
    this.kind = request.kind;
    this.command = request.command;
    this.enqueuedAtMs = nowMs;
    this.deadlineAtMs = request.deadlineAtMs;
    this.line = request.line;
    this.urgent = request.urgent ?? false;
    this.bulk = request.bulk ?? false;
    this.generation = request.generation;
    this.lane = request.lane ?? '';
    this.many = request.kind === 'read' ? request.many : undefined;
    this.onDispatch = request.onDispatch;
    this.signal = request.signal;
    this.timings = request.timings;
    this.#waiter = waiter;
    const leftMs = Math.min(MAX_TIMER_MS, Math.max(0, request.deadlineAtMs - nowMs));
    this.#timer = setTimeout(Job.#deadlinePassed, leftMs, this);
    if (request.signal?.aborted) this.handleEvent();
    else request.signal?.addEventListener('abort', this);
  }

  /** Those of one key may travel together; `undefined` = it travels by itself. */
  get trainKey(): string | undefined {
    return this.half === null ? undefined : this.many?.key;
  }

  get settled(): boolean {
    return this.#waiter === undefined;
  }

  /** To a connection. */
  handedOver(): void {
    this.dispatched = true;
    this.onDispatch?.();
  }

  resolve(reply: Reply): void {
    this.#settle()?.resolve(reply);
  }

  reject(error: SessionError): void {
    this.#settle()?.reject(error);
  }

  /** The caller's signal was aborted. */
  handleEvent(): void {
    this.#release('cancelled', 'The caller went away.');
  }

  static #deadlinePassed(this: void, job: Job): void {
    job.#release('deadline', 'The deadline passed before the broker answered.');
  }

  #release(kind: 'deadline' | 'cancelled', message: string): void {
    const waiter = this.#waiter;
    this.reject(new SessionError(kind, message, { dispatched: this.dispatched }));
    waiter?.onReleased(this);
  }

  #settle(): Waiter | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    clearTimeout(this.#timer);
    this.signal?.removeEventListener('abort', this);
    return waiter;
  }
}
