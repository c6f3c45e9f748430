export type LoopOutcome = 'changed' | 'quiet' | 'failed' | 'idle';

export interface LoopTimes {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Growth of the interval per quiet round: from 100 ms to 1 s in six rounds. */
const SLOWER = 1.5;
const FAILED_FIRST_MS = 1_000;
const FAILED_MAX_MS = 5_000;

/**
 * Runs a round again and again: at once faster after a change, slower in silence, not at all while idle. One round at a
 * time; `kick` starts an idle loop, or makes a waiting one run now.
 */
export class Loop {
  readonly #round: () => Promise<LoopOutcome>;
  readonly #times: () => LoopTimes;
  #state: 'idle' | 'running' | 'waiting' | 'stopped' = 'idle';
  #kicked = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #quietMs = 0;
  #failedMs = 0;

  constructor(round: () => Promise<LoopOutcome>, times: () => LoopTimes) {
    this.#round = round;
    this.#times = times;
  }

  kick(): void {
    this.#kicked = true;
    if (this.#state === 'idle' || this.#state === 'waiting') void this.#run();
  }

  stop(): void {
    this.#state = 'stopped';
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#state = 'running';
    this.#kicked = false;
    const outcome = await this.#round();
    if (this.#isStopped()) return;
    if (this.#kicked) return this.#wait(0);
    if (outcome === 'idle') {
      this.#state = 'idle';
      return;
    }
    this.#wait(this.#delayMs(outcome));
  }

  #wait(delayMs: number): void {
    this.#state = 'waiting';
    this.#timer = setTimeout(() => void this.#run(), delayMs);
  }

  #delayMs(outcome: LoopOutcome): number {
    const { minMs, maxMs } = this.#times();
    this.#failedMs = outcome === 'failed' ? Math.min(FAILED_MAX_MS, this.#failedMs * 2 || FAILED_FIRST_MS) : 0;
    this.#quietMs = outcome === 'quiet' ? Math.min(maxMs, (this.#quietMs || minMs) * SLOWER) : 0;
    return this.#failedMs || this.#quietMs || minMs;
  }

  // A function: the compiler would remember the state over an await.
  #isStopped(): boolean {
    return this.#state === 'stopped';
  }
}
