import type { Origin } from './origin.ts';

interface Claim {
  readonly origin: Origin;
  /** Requests with this key that are under way. */
  requests: number;
  /** After it the ledger takes no row of them. */
  untilMs: number;
}

/**
 * Which origin a write is for: its `Idempotency-Key` is claimed for one of them before anything is sent there, and no other
 * may begin it as long as a request with the key may still be on its way. A write that was begun has its row in the ledger,
 * the one of both origins, which outlives this: whoever is asked for it again answers from there.
 */
export class Claims {
  readonly #now: () => number;
  readonly #claims = new Map<string, Claim>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The origin that may begin a write of this key; undefined = nobody has claimed it. */
  holder(caller: string, key: string): Origin | undefined {
    this.#sweep();
    return this.#claims.get(idOf(caller, key))?.origin;
  }

  /** @returns what ends the claim, once it is known that this request begins nothing any more */
  take(caller: string, key: string, origin: Origin, untilMs: number): () => void {
    const id = idOf(caller, key);
    const claim = this.holder(caller, key) === origin ? this.#claims.get(id) : undefined;
    const taken: Claim = claim ?? { origin, requests: 0, untilMs };
    taken.requests++;
    taken.untilMs = Math.max(taken.untilMs, untilMs);
    this.#claims.set(id, taken);
    return () => {
      if (--taken.requests === 0 && this.#claims.get(id) === taken) this.#claims.delete(id);
    };
  }

  /** Deadlines come nearly in the order in which claims were taken. */
  #sweep(): void {
    for (const [id, { untilMs }] of this.#claims) {
      if (untilMs > this.#now()) return;
      this.#claims.delete(id);
    }
  }
}

/** Parts of a bulk write have its key, `/` and a ticket, and are claimed with it. */
export const ofWhole = (key: string): string => key.replace(/\/\d+$/, '');

const idOf = (caller: string, key: string): string => `${caller}\n${key}`;
