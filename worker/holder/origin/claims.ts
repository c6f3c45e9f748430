import type { Origin } from './origin.ts';

interface Claim {
  readonly origin: Origin;
  /** Of the requests with this key that may begin it: after its deadline the ledger takes no row of one. */
  readonly deadlinesMs: number[];
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
    return this.#claim(idOf(caller, key))?.origin;
  }

  /** @returns what ends the claim, once it is known that this request begins nothing any more */
  take(caller: string, key: string, origin: Origin, deadlineMs: number): () => void {
    this.#sweep();
    const id = idOf(caller, key);
    const known = this.#claim(id);
    const claim: Claim = known?.origin === origin ? known : { origin, deadlinesMs: [] };
    claim.deadlinesMs.push(deadlineMs);
    this.#claims.set(id, claim);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      claim.deadlinesMs.splice(claim.deadlinesMs.indexOf(deadlineMs), 1);
      if (claim.deadlinesMs.length === 0 && this.#claims.get(id) === claim) this.#claims.delete(id);
    };
  }

  #claim(id: string): Claim | undefined {
    const claim = this.#claims.get(id);
    return claim && this.#isInForce(claim) ? claim : undefined;
  }

  #isInForce({ deadlinesMs }: Claim): boolean {
    return Math.max(...deadlinesMs) > this.#now();
  }

  /** Deadlines come nearly in the order in which claims were taken. */
  #sweep(): void {
    for (const [id, claim] of this.#claims) {
      if (this.#isInForce(claim)) return;
      this.#claims.delete(id);
    }
  }
}

/** Parts of a bulk write have its key, `/` and a ticket, and are claimed with it. */
export const ofWhole = (key: string): string => key.replace(/\/\d+$/, '');

const idOf = (caller: string, key: string): string => `${caller}\n${key}`;
