import { type ApiKey, KeyRing } from '../container/contract/key-records.ts';

/** A key that was changed or revoked is one for this long at most, at every door. */
const FRESH_MS = 5_000;

/** Where the keys are kept: `BridgeContainer.apiKeys`, a JSON list. */
export type ReadKeys = (used: readonly string[]) => Promise<string>;

/** The API keys as the Durable Object last told them: a request asks it at most every five seconds, a wrong key never. */
export class DoorKeys {
  #ring: Promise<KeyRing> | undefined;
  #readAtMs = -Infinity;
  /** Keys that were used since the last reading. */
  readonly #used = new Set<string>();

  /** @throws what the reading throws; nobody is let in by keys that are older */
  async ring(read: ReadKeys, nowMs: number): Promise<KeyRing> {
    if (this.#ring === undefined || nowMs - this.#readAtMs >= FRESH_MS || nowMs < this.#readAtMs) {
      this.#readAtMs = nowMs;
      const used = [...this.#used];
      this.#used.clear();
      this.#ring = read(used).then((keys) => new KeyRing(JSON.parse(keys) as readonly ApiKey[]));
      this.#ring.catch(() => {
        this.#ring = undefined;
      });
    }
    return this.#ring;
  }

  used(id: string): void {
    this.#used.add(id);
  }
}
