import { Fields } from '../../webapi/fields.ts';
import type { BookSlice } from '../../contract/slice-keys.ts';
import { readSlices } from './by-scope.ts';
import type { FeedReads } from './reads.ts';

/** The server writes it when its day ends, which is told nowhere. */
const FRESH_MS = 10 * 60_000;

/** Equity of accounts at the day's start: `EquityPrevDay` of the user (mt5-webapi §3.3). */
export class DayStarts {
  readonly #reads: FeedReads;
  readonly #now: () => number;
  readonly #onError: (error: unknown) => void;
  /** Login → the amount; empty where the broker has none. */
  #starts = new Map<string, string>();
  #readAtMs = 0;
  #isReading = false;

  constructor(reads: FeedReads, now: () => number, onError: (error: unknown) => void) {
    this.#reads = reads;
    this.#now = now;
    this.#onError = onError;
  }

  of(login: string): string | undefined {
    return this.#starts.get(login) || undefined;
  }

  /** @throws BridgeError */
  async load(slices: Iterable<BookSlice>): Promise<void> {
    await this.#read(slices, this.#starts);
    if (this.#readAtMs === 0) this.#readAtMs = this.#now();
  }

  /** Those of accounts that are new. @throws BridgeError */
  async learn(logins: readonly string[]): Promise<void> {
    const unknown = logins.filter((login) => !this.#starts.has(login));
    if (unknown.length === 0) return;
    await this.load(unknown.map((login) => ({ login })));
    for (const login of unknown) if (!this.#starts.has(login)) this.#starts.set(login, '');
  }

  /** In the background, all of them again: polls go on meanwhile. */
  refresh(slices: Iterable<BookSlice>): void {
    if (this.#isReading || this.#now() - this.#readAtMs < FRESH_MS) return;
    this.#isReading = true;
    this.#readAtMs = this.#now();
    const fresh = new Map<string, string>();
    this.#read(slices, fresh)
      .then(() => (this.#starts = fresh), this.#onError)
      .finally(() => (this.#isReading = false));
  }

  forget(): void {
    this.#starts.clear();
    this.#readAtMs = 0;
  }

  async #read(slices: Iterable<BookSlice>, into: Map<string, string>): Promise<void> {
    for await (const part of readSlices(this.#reads, 'user/get_batch', slices)) {
      if (!('rows' in part)) continue;
      for (const wire of part.rows) {
        const fields = new Fields(wire);
        const login = fields.text('Login');
        if (login !== undefined) into.set(login, fields.text('EquityPrevDay') ?? '');
      }
    }
  }
}
