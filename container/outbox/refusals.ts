/** How long refusals are gathered before they are told. */
const GATHER_MS = 5_000;

export interface RefusalsParts {
  /** So many keys and tokens were refused. */
  readonly tell: (count: number) => Promise<void>;
  /** Waits, and keeps the program alive for it where that must be said. */
  readonly later: (ms: number, then: () => Promise<void>) => void;
  readonly onFault: (error: unknown) => void;
}

/** Keys and tokens that were refused, counted: whoever tries a million of them writes no million events. */
export class Refusals {
  readonly #parts: RefusalsParts;
  #count = 0;
  #waitsSinceMs = -Infinity;

  constructor(parts: RefusalsParts) {
    this.#parts = parts;
  }

  note(nowMs: number): void {
    this.#count += 1;
    // A wait that was cut off with its request is begun again.
    if (nowMs - this.#waitsSinceMs < 2 * GATHER_MS) return;
    this.#waitsSinceMs = nowMs;
    this.#parts.later(GATHER_MS, () => this.#tell());
  }

  async #tell(): Promise<void> {
    const count = this.#count;
    this.#count = 0;
    this.#waitsSinceMs = -Infinity;
    if (count === 0) return;
    await this.#parts.tell(count).catch((error: unknown) => this.#parts.onFault(error));
  }
}
