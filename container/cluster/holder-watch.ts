import { BridgeError } from '../contract/errors.ts';
import type { Held } from './lease.ts';

/** How long a caller waits for a holder that answers: the lease's end, the next look, a sign-in, and as long again. */
export const MOST_TRIES_MS = 10_000;
/** A holder that refuses connections may be gone, and its lease not yet over. */
export const AGAIN_MS = 250;

/** A holder for as long as it is one. */
export interface Holder extends Held {
  /** Aborted when another one holds: what is under way at the old one is not waited for. */
  readonly replaced: AbortSignal;
}

/** Who holds now, and what waits for the next one. */
export class HolderWatch {
  #holder: Holder | undefined;
  #term = new AbortController();
  #change = Promise.withResolvers<void>();

  get holder(): Holder | undefined {
    return this.#holder;
  }

  /** None: the one before may still be answering what it was asked. */
  changed(held: Held | undefined): void {
    if (held) {
      this.#term.abort();
      this.#term = new AbortController();
    }
    this.#holder = held && { ...held, replaced: this.#term.signal };
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  /** @throws BridgeError `no_holder` when none begins in time */
  async get(askedAtMs: number, now: () => number): Promise<Holder> {
    while (!this.#holder) {
      const leftMs = askedAtMs + MOST_TRIES_MS - now();
      if (leftMs <= 0) throw noHolder();
      await this.next(leftMs);
    }
    return this.#holder;
  }

  /** Resolves when the holder is another one, or after this time. */
  async next(mostMs: number): Promise<void> {
    const change = this.#change.promise;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, mostMs);
    await Promise.race([change, promise]);
    clearTimeout(timer);
  }
}

export const noHolder = (): BridgeError =>
  new BridgeError('no_holder', { detail: 'No replica holds the session now; another begins.', retryAfterMs: 2_000 });
