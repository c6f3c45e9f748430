import type { ReferenceClass } from '../../../container/contract/reference-data.ts';
import type { Generations, ReferenceState } from '../../reference-wire.ts';
import { RECHECK_AFTER_MS, TRUST_MS } from './decide.ts';

/** A request that asks and goes away leaves it to the next. */
const REFRESH_WITHIN_MS = 500;

/**
 * The generations of a broker's reference data as its Durable Object last told them: one question every three seconds
 * under load, whatever is read. As with `DoorKeys`, requests share what was told and never a promise of it.
 */
export class KnownGenerations {
  #known: Generations | undefined;
  #askedAtMs = -Infinity;
  #refreshingSinceMs = -Infinity;
  /** Raised by every write that was sent through this isolate: what was asked before it is not believed after it. */
  #writes = 0;

  /** As far as they are to be believed. */
  get(nowMs: number): Generations | undefined {
    const ageMs = nowMs - this.#askedAtMs;
    return ageMs >= 0 && ageMs < TRUST_MS ? this.#known : undefined;
  }

  isDue(nowMs: number): boolean {
    const isRefreshing = nowMs >= this.#refreshingSinceMs && nowMs - this.#refreshingSinceMs < REFRESH_WITHIN_MS;
    return nowMs - this.#askedAtMs >= RECHECK_AFTER_MS && !isRefreshing;
  }

  /** @throws whatever `read` does */
  async refresh(read: () => Promise<ReferenceState>, nowMs: number): Promise<Generations | undefined> {
    const writes = this.#writes;
    this.#refreshingSinceMs = nowMs;
    const { generations } = await read();
    // One that was asked later may have been told earlier.
    if (writes === this.#writes && nowMs >= this.#askedAtMs) {
      this.#known = generations;
      this.#askedAtMs = nowMs;
    }
    return writes === this.#writes ? generations : undefined;
  }

  /** Told beside an answer. */
  heard(of: ReferenceClass, generation: number): void {
    if (this.#known && this.#known[of] < generation) this.#known = { ...this.#known, [of]: generation };
  }

  /** A write that may have changed something was sent. */
  forget(): void {
    this.#writes++;
    this.#known = undefined;
    this.#askedAtMs = -Infinity;
    this.#refreshingSinceMs = -Infinity;
  }
}
