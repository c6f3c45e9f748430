import { ARCHIVE_KINDS, type ArchiveKind } from '../../contract/routes/archive.ts';
import { WEB_DIGESTS } from '../digests.ts';
import { dayOf } from '../audit/store.ts';
import type { OutboxSettings } from '../tables.ts';
import { gzip } from './gzip.ts';
import { type ArchiveStore, dayKey, dayOfKey, type DayPart, daysPrefix, type KeptDay, partKey } from './store.ts';

/** Everything of all accounts in a window, in parts as they come. @throws where it is not all of it */
export type ArchiveSource = (
  kind: ArchiveKind,
  window: { readonly fromMs: number; readonly toMs: number },
) => AsyncIterable<readonly object[]>;

export interface ArchiveParts {
  readonly store: ArchiveStore;
  readonly source: ArchiveSource;
  readonly broker: string;
  readonly now: () => number;
  readonly settings: OutboxSettings;
  readonly warn: (message: string) => void;
}

const DAY_MS = 86_400_000;
/** A server closes its day at its own midnight and writes the reports of all accounts then, which takes it a while. */
const SETTLED_AFTER_MS = 3 * 3_600_000;
/** One run; what is left is for the next one. A cron of Cloudflare may take 15 minutes. */
const RUN_MS = 10 * 60_000;
/** Lines of one object: some 3 MB, a tenth of it compressed, which is what a page of it costs to read. */
const PART_LINES = 5_000;
/** After a failure: a bridge that sleeps is woken for it. */
const AGAIN_MS = 30 * 60_000;
/** Who an account is stands in the account: what is kept for years names it by its login alone. */
const PERSONAL: readonly string[] = ['name', 'email'];

/**
 * Deals and daily reports of closed days (UTC), day after day without a gap, from the last day that was closed when it began
 * to be kept. What is in the store says what comes next; remembered is only what went wrong.
 */
export class Archive {
  readonly #parts: ArchiveParts;
  /** The last day that is known to be kept. */
  readonly #last = new Map<ArchiveKind, string>();
  #running: Promise<boolean> | undefined;

  constructor(parts: ArchiveParts) {
    this.#parts = parts;
  }

  get broker(): string {
    return this.#parts.broker;
  }

  get store(): ArchiveStore {
    return this.#parts.store;
  }

  /** Why the last closed day is not kept; null = nothing is wrong. */
  faultOf(kind: ArchiveKind): string | null {
    return this.#trouble(kind)?.fault ?? null;
  }

  /** Keeps what is closed and not kept yet. Never rejects. @returns whether nothing is left to do */
  run(): Promise<boolean> {
    return (this.#running ??= this.#run().finally(() => (this.#running = undefined)));
  }

  async #run(): Promise<boolean> {
    const { now, settings } = this.#parts;
    const untilMs = now() + RUN_MS;
    let isDone = true;
    for (const kind of ARCHIVE_KINDS)
      try {
        if (now() < (this.#trouble(kind)?.retryAtMs ?? 0)) continue;
        let day = await this.#next(kind);
        for (; day !== undefined && now() < untilMs; day = await this.#next(kind)) {
          await this.#keep(kind, day);
          this.#last.set(kind, day);
        }
        isDone &&= day === undefined;
        settings.delete(troubleOf(kind));
      } catch (error) {
        isDone = false;
        this.#failed(kind, error instanceof Error ? error.message : String(error));
      }
    return isDone;
  }

  #failed(kind: ArchiveKind, fault: string): void {
    const { now, settings, warn } = this.#parts;
    if (this.faultOf(kind) !== fault) warn(`The archive of ${kind} cannot be gone on with: ${fault}`);
    const trouble: Trouble = { fault, retryAtMs: now() + AGAIN_MS };
    settings.set(troubleOf(kind), JSON.stringify(trouble));
  }

  #trouble(kind: ArchiveKind): Trouble | undefined {
    const text = this.#parts.settings.get(troubleOf(kind));
    return text === undefined ? undefined : (JSON.parse(text) as Trouble);
  }

  /** The day to be kept next; undefined = every closed one is. */
  async #next(kind: ArchiveKind): Promise<string | undefined> {
    const closed = dayOf(this.#parts.now() - SETTLED_AFTER_MS - DAY_MS);
    const last = this.#last.get(kind) ?? (await this.#lastKept(kind));
    if (last === undefined) return closed;
    this.#last.set(kind, last);
    return last < closed ? dayOf(startOf(last) + DAY_MS) : undefined;
  }

  async #lastKept(kind: ArchiveKind): Promise<string | undefined> {
    const { store, broker } = this.#parts;
    const prefix = daysPrefix(broker, kind);
    let last = '';
    for (let page = await store.list(prefix, last); page.length > 0; page = await store.list(prefix, last))
      last = page.at(-1) ?? last;
    return dayOfKey(last);
  }

  async #keep(kind: ArchiveKind, day: string): Promise<void> {
    const { store, source, broker, now } = this.#parts;
    const readAtMs = now();
    const parts: DayPart[] = [];
    let lines: string[] = [];
    const keepLines = async (): Promise<void> => {
      if (lines.length === 0) return;
      const text = lines.join('');
      const items = lines.length;
      lines = [];
      const hash = await WEB_DIGESTS.sha256(text);
      const bytes = await gzip(text);
      const key = partKey(broker, { kind, day }, parts.length + 1, hash);
      // One that is there already has the same lines.
      await store.create(key, bytes);
      parts.push({ key, items, bytes: bytes.byteLength, sha256: hash });
    };
    const fromMs = startOf(day);
    for await (const rows of source(kind, { fromMs, toMs: fromMs + DAY_MS }))
      for (const row of rows) {
        lines.push(`${JSON.stringify(row, (name, value: unknown) => (PERSONAL.includes(name) ? undefined : value))}\n`);
        if (lines.length >= PART_LINES) await keepLines();
      }
    await keepLines();
    const items = parts.reduce((sum, part) => sum + part.items, 0);
    const kept: KeptDay = { kind, day, items, readAtMs, parts };
    await store.create(dayKey(broker, kind, day), JSON.stringify(kept));
  }
}

/** Setting: what went wrong last, as `Trouble`. */
const troubleOf = (kind: ArchiveKind): string => `archive:${kind}`;
interface Trouble {
  readonly fault: string;
  readonly retryAtMs: number;
}

const startOf = (day: string): number => Date.parse(`${day}T00:00:00Z`);
