import type { Activity } from '../../../container/contract/control.ts';

/** How often it is tried to go back from the fallback. */
export interface ReturnTimings {
  /** Between looks, and before the first try. */
  readonly everyMs: number;
  /** Each time that going back did not last it waits twice as long before the first try, up to … */
  readonly longestMs: number;
  /** … and as at first once the primary has answered for so long. */
  readonly lastedMs: number;
  /** Without a request for so long, and without streams or unsettled operations, the fallback is let go. */
  readonly idleMs: number;
}

export const RETURN_TIMINGS: ReturnTimings = {
  everyMs: 5_000,
  longestMs: 300_000,
  lastedMs: 60_000,
  idleMs: 600_000,
};

export interface ReturnToPrimaryParts extends ReturnTimings {
  readonly tryPrimary: () => void;
  /** Of the fallback. */
  readonly activity: () => Pick<Activity, 'streams' | 'unsettled'> | null;
  readonly letGo: () => void;
  readonly now: () => number;
}

/** While the fallback answers: whether the primary is back, or nobody needs either. */
export class ReturnToPrimary {
  readonly #parts: ReturnToPrimaryParts;
  #looks: ReturnType<typeof setInterval> | null = null;
  #notBeforeMs = 0;
  /** How often the primary was left again soon after it had come back. */
  #relapses = 0;
  #backSinceMs = -Infinity;
  #requestedAtMs = 0;

  constructor(parts: ReturnToPrimaryParts) {
    this.#parts = parts;
  }

  requested(): void {
    this.#requestedAtMs = this.#parts.now();
  }

  /** The fallback answers from now on. */
  begin(): void {
    const { now, everyMs, longestMs, lastedMs } = this.#parts;
    this.requested();
    if (this.#backSinceMs + lastedMs < now()) this.#relapses = 0;
    this.#notBeforeMs = now() + Math.min(longestMs, everyMs * 2 ** this.#relapses++);
    clearInterval(this.#looks);
    this.#looks = setInterval(() => this.#look(), everyMs);
  }

  /** The primary does. */
  end(): void {
    clearInterval(this.#looks);
    this.#backSinceMs = this.#parts.now();
  }

  #look(): void {
    const { now, idleMs, activity, letGo, tryPrimary } = this.#parts;
    const { streams = 0, unsettled = 0 } = activity() ?? {};
    if (now() - this.#requestedAtMs > idleMs && streams === 0 && unsettled === 0) return letGo();
    if (now() >= this.#notBeforeMs) tryPrimary();
  }
}
