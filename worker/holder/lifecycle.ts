import type { Journal } from '../../container/state/journal.ts';
import type { Death } from './heartbeat.ts';
import type { PlatformError } from './platform-errors.ts';

export type ContainerState = 'stopped' | 'starting' | 'running' | 'stopping';
/** Who caused a start. */
export type StartReason =
  | 'request'
  | 'stream'
  | 'cron'
  | 'admin'
  | 'policy'
  | 'unsettled operations'
  | 'found running'
  | 'hand back';
/** Who caused a stop; anything else is the program's own end or the platform's doing. */
export type StopReason = 'sleep' | 'admin' | 'hand over' | 'stuck' | Death;

/** What must survive a reset of the Durable Object under a living container. */
export interface LifecycleRecord {
  readonly state: ContainerState;
  readonly sinceMs: number;
  readonly startReason: StartReason;
  readonly stopReason: StopReason | null;
  readonly startSecret: string;
  /** Consecutive starts that never came to listen. */
  readonly failedStarts: number;
  readonly lastFault: string | null;
}

const INITIAL: LifecycleRecord = {
  state: 'stopped',
  sinceMs: 0,
  startReason: 'request',
  stopReason: null,
  startSecret: '',
  failedStarts: 0,
  lastFault: null,
};

export interface LifecycleParts {
  readonly read: () => LifecycleRecord | undefined;
  readonly write: (record: LifecycleRecord) => void;
  readonly journal: Pick<Journal, 'write' | 'addPhases'>;
  readonly now: () => number;
  readonly newSecret: () => string;
}

/** A container that does not come up is tried again after 1 s, 2 s, 4 s … 30 s, whatever the traffic. */
const FIRST_START_DELAY_MS = 1000;
const LONGEST_START_DELAY_MS = 30_000;

/**
 * One life of the container after another, told to the journal once each: the library calls `onStart` for every waiter,
 * `onStop` late, and for a rollout not at all (cloudflare.md §4), so starts and ends are counted here and nowhere else.
 */
export class Lifecycle {
  readonly #parts: LifecycleParts;
  #record: LifecycleRecord;
  #instanceId: string | null = null;
  #epoch: number | null = null;
  /** When the start began whose first answer is still to come. */
  #answerDueSinceMs: number | null = null;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
    // What was never started has been stopped for as long as anybody looks.
    this.#record = parts.read() ?? { ...INITIAL, sinceMs: parts.now() };
  }

  get record(): LifecycleRecord {
    return this.#record;
  }

  get instanceId(): string | null {
    return this.#instanceId;
  }

  /** How long a new start must wait, 0 = it may be made now. */
  startDelayMs(): number {
    const { failedStarts, sinceMs, state } = this.#record;
    if (failedStarts === 0 || state !== 'stopped') return 0;
    const delayMs = Math.min(FIRST_START_DELAY_MS * 2 ** (failedStarts - 1), LONGEST_START_DELAY_MS);
    return Math.max(0, sinceMs + delayMs - this.#parts.now());
  }

  /** A new container is about to start. @returns its secret */
  starting(reason: StartReason): string {
    const startSecret = this.#parts.newSecret();
    this.#instanceId = null;
    this.#change({ state: 'starting', startReason: reason, stopReason: null, startSecret });
    return startSecret;
  }

  /** A process has said hello. Each instance is one `start` in the journal, however often it says so. */
  listening(hello: { instanceId: string; epoch: number | null; listeningAfterMs: number }): void {
    const { state, sinceMs, startReason } = this.#record;
    if (this.#instanceId !== null && hello.instanceId !== this.#instanceId)
      this.#journal('crash', 'The program ended and was started again in the same container.');
    const isNew = hello.instanceId !== this.#instanceId;
    this.#instanceId = hello.instanceId;
    this.#epoch = hello.epoch;
    if (state === 'starting') {
      const waitedMs = this.#parts.now() - sinceMs;
      this.#journal('start', startReason, {
        instance: Math.max(0, waitedMs - hello.listeningAfterMs),
        process: hello.listeningAfterMs,
      });
      // One that was warmed ahead waits for its first request, not the other way round.
      this.#answerDueSinceMs = startReason === 'request' ? sinceMs : null;
    } else if (isNew && state !== 'running') this.#journal('start', 'found running');
    if (state !== 'stopping') this.#change({ state: 'running', failedStarts: 0, lastFault: null });
  }

  /** The Durable Object lost its memory while the container went on: the process that says hello is not a new one. */
  resumed(): void {
    if (this.#record.state === 'stopped') this.#change({ state: 'starting', startReason: 'found running' });
  }

  /** A request came through to the broker and back: the first one ends the cold start. */
  answered(): void {
    if (this.#answerDueSinceMs === null || this.#instanceId === null) return;
    this.#parts.journal.addPhases(this.#instanceId, { firstAnswer: this.#parts.now() - this.#answerDueSinceMs });
    this.#answerDueSinceMs = null;
  }

  signedIn(epoch: number): void {
    this.#epoch = epoch;
  }

  stopping(reason: StopReason): void {
    if (this.#record.state === 'stopped') return;
    // One that was asked to end and then hung is told by what ended it.
    if (this.#record.state === 'stopping' && !isDeath(reason)) return;
    this.#change({ state: 'stopping', stopReason: reason });
  }

  /** It was asked to end before it said hello. @returns false the second time in a row: that is a failed start then */
  endedInStart(): boolean {
    if (this.#record.lastFault === ENDED_IN_START) return false;
    this.#journal('stop', ENDED_IN_START);
    this.#change({ state: 'stopped', lastFault: ENDED_IN_START });
    return true;
  }

  /** It came up to no port: counts towards the wait before the next start. */
  failedToStart(reason: string): void {
    this.#journal('error', reason);
    this.#change({ state: 'stopped', failedStarts: this.#record.failedStarts + 1, lastFault: reason });
  }

  /** @returns false if this end was already told */
  ended(end: PlatformError): boolean {
    const { state, stopReason } = this.#record;
    if (state === 'stopped' || state === 'starting') return false;
    const [event, reason] = describeEnd(end, stopReason);
    this.#journal(event, reason);
    this.#change({ state: 'stopped' });
    return true;
  }

  #change(change: Partial<LifecycleRecord>): void {
    const moved = change.state !== undefined && change.state !== this.#record.state;
    this.#record = { ...this.#record, ...change, ...(moved ? { sinceMs: this.#parts.now() } : {}) };
    this.#parts.write(this.#record);
  }

  #journal(event: Parameters<Journal['write']>[0]['event'], reason: string, phases?: Record<string, number>): void {
    this.#parts.journal.write({
      event,
      reason,
      instanceId: this.#instanceId,
      epoch: this.#epoch,
      phasesMs: phases ?? null,
    });
  }
}

const isDeath = (reason: StopReason): boolean => reason === 'stuck' || reason === 'frozen' || reason === 'port gone';

const ENDED_IN_START = 'It was asked to end while it started.';

/** In plain words, for the status and the journal. */
export const DEATHS: Readonly<Record<Death, string>> = {
  frozen: 'The program hung: it answered nothing for ten seconds.',
  'port gone': 'The program no longer listened at its port.',
};

/** 128 + 9: killed, by the platform for memory or by hand. */
const KILLED = 137;

function describeEnd(
  { kind, exitCode }: PlatformError,
  stopReason: StopReason | null,
): ['sleep' | 'stop' | 'rollout' | 'crash', string] {
  if (kind === 'rollout') return ['rollout', 'A new version of the container is rolled out.'];
  if (stopReason === 'sleep') return ['sleep', 'No request, open stream or unsettled operation.'];
  if (stopReason === 'admin') return ['sleep', 'An administrator asked for it.'];
  if (stopReason === 'hand over') return ['stop', 'It gave the session up to another origin.'];
  if (stopReason === 'stuck') return ['crash', 'It was asked to end, did not, and was killed.'];
  if (stopReason === 'frozen' || stopReason === 'port gone') return ['crash', `${DEATHS[stopReason]} It was killed.`];
  if (kind === 'signalled') return ['stop', 'Cloudflare stopped the container.'];
  if (exitCode === null || exitCode === 0) return ['stop', 'The program ended by itself.'];
  return ['crash', `The program ended with exit code ${exitCode}${exitCode === KILLED ? ' (killed)' : ''}.`];
}
