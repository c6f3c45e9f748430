/** Rest per time taken. */
const REST = 1;

/** The most questions a second of all who share it; absent `perSecond` = no limit. */
export class Budget {
  readonly #now: () => number;
  readonly #spacingMs: number;
  #nextAtMs = 0;

  constructor(now: () => number, perSecond: number | undefined) {
    this.#now = now;
    this.#spacingMs = perSecond === undefined ? 0 : 1_000 / perSecond;
  }

  async take(): Promise<void> {
    const atMs = Math.max(this.#now(), this.#nextAtMs);
    this.#nextAtMs = atMs + this.#spacingMs;
    await until(atMs, this.#now);
  }
}

/**
 * How much of the broker's time one kind of streaming takes. One question at a time, in the order of asking, and after each
 * answer a rest as long as the answer took: at most half of one session, however slow the broker is or those who wait for
 * the sessions make it.
 */
export class Pace {
  readonly #now: () => number;
  readonly #budget: Budget;
  #freeAtMs = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(now: () => number, budget: Budget) {
    this.#now = now;
    this.#budget = budget;
  }

  /** @returns the answer, and how long it took. Rejects as `ask` does */
  async turn<Answer>(ask: () => Promise<Answer>): Promise<{ readonly answer: Answer; readonly tookMs: number }> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#last = promise;
    await before;
    try {
      await until(this.#freeAtMs, this.#now);
      await this.#budget.take();
      const startedAtMs = this.#now();
      try {
        const answer = await ask();
        return { answer, tookMs: this.#now() - startedAtMs };
      } finally {
        const endedAtMs = this.#now();
        this.#freeAtMs = endedAtMs + (endedAtMs - startedAtMs) * REST;
      }
    } finally {
      resolve(undefined);
    }
  }
}

async function until(atMs: number, now: () => number): Promise<void> {
  const waitMs = Math.ceil(atMs - now());
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
}
