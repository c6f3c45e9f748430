import { BridgeError } from '../container/contract/errors.ts';
import { type ApiKey, KeyRing } from '../container/contract/key-records.ts';

/** A key that was changed or revoked is one for this long at most, at every door. */
const FRESH_MS = 5_000;

/** Where the keys are kept: `BridgeContainer.apiKeys`, a JSON list. */
export type ReadKeys = (used: readonly string[]) => Promise<string>;

/** Read anew by one request from this age on, while the others go on with what is there. */
const REFRESH_AFTER_MS = 4_000;
/** A request that reads and goes away leaves it to the next. */
const REFRESH_WITHIN_MS = 500;

/**
 * The API keys as the Durable Object last told them: under load it is asked about every four seconds, a wrong key never.
 *
 * Requests share the keys and never a promise of them: what one request waits for ends with it, and workerd forbids
 * others to wait for it ("Cannot perform I/O on behalf of a different request").
 */
export class DoorKeys {
  #ring: KeyRing | undefined;
  /** When what is there was asked for. */
  #askedAtMs = -Infinity;
  #refreshingSinceMs = -Infinity;
  /** Keys that were used since the last reading. */
  readonly #used = new Set<string>();

  /** Nobody is let in by keys that are older. @throws BridgeError `container_unavailable` */
  async ring(read: ReadKeys, nowMs: number): Promise<KeyRing> {
    const ageMs = nowMs < this.#askedAtMs ? Infinity : nowMs - this.#askedAtMs;
    const isRefreshing = nowMs >= this.#refreshingSinceMs && nowMs - this.#refreshingSinceMs < REFRESH_WITHIN_MS;
    if (this.#ring && (ageMs < REFRESH_AFTER_MS || (ageMs < FRESH_MS && isRefreshing))) return this.#ring;
    this.#refreshingSinceMs = nowMs;
    const used = [...this.#used];
    this.#used.clear();
    // What is thrown is the holder's own end: new code, a moved host. Asked again, it is there again.
    const text = await read(used).catch(() =>
      read(used).catch((error: unknown) => (ageMs < FRESH_MS ? null : unreachable(error))),
    );
    if (text === null) return this.#ring ?? new KeyRing([]);
    const ring = new KeyRing(JSON.parse(text) as readonly ApiKey[]);
    // One that was asked later may have been told earlier.
    if (nowMs >= this.#askedAtMs || ageMs === Infinity) {
      this.#ring = ring;
      this.#askedAtMs = nowMs;
    }
    return ring;
  }

  used(id: string): void {
    this.#used.add(id);
  }
}

function unreachable(cause: unknown): never {
  throw new BridgeError('container_unavailable', { detail: 'The session holder is being replaced.', cause });
}
