import type { StateApi } from '../../state/state-api.ts';
import type { ReadContext } from '../broker/broker.ts';
import { tagOf, type TradeBooks } from './books.ts';
import type { Tags } from './tags.ts';

/** Clocks of broker and bridge may differ; what is in the ledger is no news. */
const MARGIN_MS = 600_000;
/** Those that were traded on last. */
const MOST_LOGINS = 200;
const DEADLINE_MS = 30_000;
/** The broker may be away when the bridge starts. */
const RETRY_MS = 30_000;

export interface LedgerCheckParts {
  readonly state: StateApi;
  readonly books: TradeBooks;
  readonly tags: Tags;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/**
 * Once in the life of a process: do the broker's books hold an operation of this ledger that this ledger does not? Then an
 * old copy of the state was put back, keys that were used are new to it, and trading is halted.
 */
export class LedgerCheck {
  readonly #parts: LedgerCheckParts;
  readonly #closing = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: LedgerCheckParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#check().catch((error: unknown) => {
      if (this.#closing.signal.aborted) return;
      this.#parts.onError(error);
      this.#timer = setTimeout(() => this.start(), RETRY_MS);
    });
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
  }

  async #check(): Promise<void> {
    const { state, books, tags, now } = this.#parts;
    const latest = await state.operations.latest();
    if (!latest) return;
    const logins = latest.logins.slice(0, MOST_LOGINS);
    const context: ReadContext = { deadlineAtMs: now() + DEADLINE_MS, signal: this.#closing.signal };
    const found = new Set<string>();
    for (const object of await books.since(logins, latest.createdAtMs - MARGIN_MS, context)) {
      const tag = tagOf(object);
      if (await tags.isOurs(tag)) found.add(tag);
    }
    const unknown = found.size === 0 ? [] : await state.operations.unknownTags([...found]);
    if (unknown.length === 0) return;
    await state.operations.distrust(
      `The broker’s books hold ${unknown.length} operations of this bridge that its ledger does not (tag ${unknown[0]}): an old copy of its state was put back.`,
      unknown,
    );
  }
}
