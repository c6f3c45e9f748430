export interface CallTiming {
  /** Waiting for a free session, sign-in included. */
  readonly waitedMs: number;
  /** From sending to the end of the answer. */
  readonly answeredMs: number;
}

/** Where the time of one caller's calls went; the caller is known by the signal that all its calls carry. */
export class CallTimings {
  readonly #sums = new WeakMap<AbortSignal, CallTiming>();

  add(signal: AbortSignal | undefined, { waitedMs, answeredMs }: CallTiming): void {
    if (!signal) return;
    const sum = this.#sums.get(signal);
    this.#sums.set(signal, {
      waitedMs: (sum?.waitedMs ?? 0) + waitedMs,
      answeredMs: (sum?.answeredMs ?? 0) + answeredMs,
    });
  }

  of(signal: AbortSignal): CallTiming | undefined {
    return this.#sums.get(signal);
  }
}
