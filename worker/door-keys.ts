import { BridgeError } from '../container/contract/errors.ts';
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

  /** Nobody is let in by keys that are older. @throws BridgeError `container_unavailable` */
  async ring(read: ReadKeys, nowMs: number): Promise<KeyRing> {
    if (this.#ring === undefined || nowMs - this.#readAtMs >= FRESH_MS || nowMs < this.#readAtMs) {
      this.#readAtMs = nowMs;
      const used = [...this.#used];
      this.#used.clear();
      // What is thrown is the holder's own end: new code, a moved host. Asked again, it is there again.
      const keys = read(used).catch(() => read(used).catch(unreachable));
      const ring = keys.then((text) => new KeyRing(JSON.parse(text) as readonly ApiKey[]));
      ring.catch(() => {
        if (this.#ring === ring) this.#ring = undefined;
      });
      this.#ring = ring;
    }
    return this.#ring;
  }

  used(id: string): void {
    this.#used.add(id);
  }
}

function unreachable(cause: unknown): never {
  throw new BridgeError('container_unavailable', { detail: 'The session holder is being replaced.', cause });
}
