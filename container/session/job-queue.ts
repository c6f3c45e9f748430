import { SessionError, type Command, type Reply } from './upstream.ts';

export type JobKind = 'read' | 'write' | 'dealer_read' | 'dealer_write';

/** One command that waits for a session, or is on its way. It settles once, whoever is first. */
export interface Job {
  readonly kind: JobKind;
  readonly command: Command;
  readonly enqueuedAtMs: number;
  readonly deadlineAtMs: number;
  /** `dealer_read`: the generation of the dealer connection that it belongs to. */
  readonly generation: number | undefined;
  readonly onDispatch: (() => void) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly settled: boolean;
  dispatched: boolean;
  replayed: boolean;
  resolve(reply: Reply): void;
  reject(error: SessionError): void;
}

export interface JobRequest {
  readonly kind: JobKind;
  readonly command: Command;
  readonly deadlineAtMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly generation?: number;
  readonly onDispatch?: (() => void) | undefined;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * A job and the promise of its caller. The deadline and the caller's signal release the caller at once; what is on its
 * way stays there, and its answer is drained by the session.
 */
export function createJob(request: JobRequest, nowMs: number, onReleased: (job: Job) => void): [Job, Promise<Reply>] {
  let settle: { resolve: (reply: Reply) => void; reject: (error: SessionError) => void } | undefined;
  const promise = new Promise<Reply>((resolve, reject) => (settle = { resolve, reject }));
  const finish = (): typeof settle => {
    const open = settle;
    settle = undefined;
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', onAbort);
    return open;
  };
  const job: Job = {
    kind: request.kind,
    command: request.command,
    enqueuedAtMs: nowMs,
    deadlineAtMs: request.deadlineAtMs,
    generation: request.generation,
    onDispatch: request.onDispatch,
    signal: request.signal,
    dispatched: false,
    replayed: false,
    get settled(): boolean {
      return settle === undefined;
    },
    resolve: (reply) => finish()?.resolve(reply),
    reject: (error) => finish()?.reject(error),
  };
  const release = (kind: 'deadline' | 'cancelled', message: string): void => {
    job.reject(new SessionError(kind, message, { dispatched: job.dispatched }));
    onReleased(job);
  };
  const onAbort = (): void => release('cancelled', 'The caller went away.');
  const timer = setTimeout(
    () => release('deadline', 'The deadline passed before the broker answered.'),
    Math.min(MAX_TIMER_MS, Math.max(0, request.deadlineAtMs - nowMs)),
  );
  request.signal?.addEventListener('abort', onAbort);
  if (request.signal?.aborted) onAbort();
  return [job, promise];
}

/** First in, first out; what is replayed goes first; what gave up leaves at once. */
export class JobQueue {
  readonly #replays = new Set<Job>();
  readonly #waiting = new Set<Job>();

  get size(): number {
    return this.#replays.size + this.#waiting.size;
  }

  get oldest(): Job | undefined {
    return this.#replays.values().next().value ?? this.#waiting.values().next().value;
  }

  push(job: Job): void {
    (job.replayed ? this.#replays : this.#waiting).add(job);
  }

  remove(job: Job): void {
    this.#replays.delete(job);
    this.#waiting.delete(job);
  }

  shift(): Job | undefined {
    const job = this.oldest;
    if (job) this.remove(job);
    return job;
  }

  /** Empties the queue. */
  takeAll(): Job[] {
    const all = [...this.#replays, ...this.#waiting];
    this.#replays.clear();
    this.#waiting.clear();
    return all;
  }
}
