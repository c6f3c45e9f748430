import type { StreamLimits } from '../contract/frames.ts';

/**
 * How far a client was sent ahead of what it has shown to have read. What the kernel or workerd holds back for it shows
 * nowhere else.
 */
export class Receipts {
  readonly #limits: Pick<StreamLimits, 'pingWithinBytes' | 'aheadBytes'>;
  readonly #now: () => number;
  #aheadBytes = 0;
  #silentSinceMs: number | undefined;

  constructor(limits: Pick<StreamLimits, 'pingWithinBytes' | 'aheadBytes'>, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Sent since the client's last sign, or since its opening. */
  get aheadBytes(): number {
    return this.#aheadBytes;
  }

  /** Since when the client has owed a sign. */
  get silentSinceMs(): number | undefined {
    return this.#silentSinceMs;
  }

  /** Of what was sent ahead, what counts as waiting: all of it, where it is too much. */
  get waitingBytes(): number {
    return this.#aheadBytes > this.#limits.aheadBytes ? this.#aheadBytes : 0;
  }

  sent(bytes: number): void {
    this.#aheadBytes += bytes;
    if (this.#aheadBytes > this.#limits.pingWithinBytes) this.#silentSinceMs ??= this.#now();
  }

  /** A sign of the client; `aheadBytes` = what was sent after what it tells of. */
  shown(aheadBytes = 0): void {
    this.#aheadBytes = aheadBytes;
    this.#silentSinceMs = aheadBytes > this.#limits.pingWithinBytes ? this.#now() : undefined;
  }
}
