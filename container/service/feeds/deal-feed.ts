import { deal } from '../../contract/schemas/trade.ts';
import { bookSlice, type BookSlice } from '../../contract/slice-keys.ts';
import type { Change, Entity, MissedRow } from '../../contract/hub-link.ts';
import { Fields, type WireObject } from '../../webapi/fields.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import type { Feed } from './feed.ts';
import { Followed } from './followed.ts';
import { AHEAD_MS, objectJson } from './login-feed.ts';
import { readSlices } from './by-scope.ts';
import type { FeedReads } from './reads.ts';

/** A deal may be seen so much later than its own time says. Tickets inside are remembered. */
const OVERLAP_MS = 60_000;
/** Most are seen sooner: the last minute of a large group is a megabyte, and is read only every so often. */
const RECENT_MS = 5_000;
const WHOLE_EVERY_MS = 15_000;
/** An answer of so many rows takes 3 ms to parse, and nothing else is done meanwhile: a minute of more is read in parts. */
const AIM_ROWS = 300;
const MOST_PARTS = (OVERLAP_MS - RECENT_MS) / RECENT_MS;

interface Slice extends BookSlice {
  readonly key: string;
  /** Tickets seen, with the server second of each. */
  readonly seen: Map<string, number>;
}

/** New deals of the followed logins and groups: asked for by time with an overlap, told apart by ticket. */
export class DealFeed extends Followed<Slice> implements Feed {
  readonly topic = 'deals';
  readonly #reads: FeedReads;
  readonly #clock: () => Promise<BrokerClock>;
  readonly #now: () => number;
  /** Everything before has been read, UTC ms. */
  #readUntilMs = Infinity;
  /** When the whole overlap was read last, or begun to be read in parts, and how many rows it had. */
  #wholeAtMs = 0;
  #wholeRows = 0;
  /** Rows of the parts that have been read. */
  #partRows = 0;
  /** Parts of the overlap that are still to be read, one with each poll. */
  #older: readonly Span[] = [];

  constructor(reads: FeedReads, clock: () => Promise<BrokerClock>, now: () => number) {
    super();
    this.#reads = reads;
    this.#clock = clock;
    this.#now = now;
  }

  /** Deals happen, they do not stand. */
  entities(): readonly Entity[] {
    return [];
  }

  async load(keys: readonly string[]): Promise<readonly string[]> {
    const startedAtMs = this.#now();
    const slices = keys.map((key): Slice => ({ ...bookSlice(key), key, seen: new Map() }));
    for await (const { slice, ticket, second } of this.#ask(slices, { fromMs: startedAtMs - OVERLAP_MS })) {
      slice.seen.set(ticket, second);
      this.#wholeRows++;
    }
    // The overlap of the next poll reaches back to where every slice has been read.
    this.#readUntilMs = Math.min(this.#readUntilMs, startedAtMs);
    for (const slice of slices) this.followed.set(slice.key, slice);
    return [];
  }

  /** Tickets of the overlap before a slice was followed. */
  known(key: string): readonly string[] {
    return [...(this.followed.get(key)?.seen.keys() ?? [])];
  }

  async missed(keys: readonly string[], sinceMs: number): Promise<readonly MissedRow[]> {
    const clock = await this.#clock();
    const slices = keys.flatMap((key) => this.followed.get(key) ?? []);
    const polledFromMs = Math.min(this.#readUntilMs, this.#now()) - OVERLAP_MS;
    const found: SeenDeal[] = [];
    for await (const seen of this.#ask(slices, { fromMs: sinceMs - OVERLAP_MS })) found.push(seen);
    return inOrder(found).flatMap(({ slice, ticket, second, wire }) => {
      const atMs = clock.toUtcMs(new Fields(wire).integer('TimeMsc') ?? second * 1000);
      // What the next poll will find is left to it.
      if (atMs >= polledFromMs && !slice.seen.has(ticket)) return [];
      return [{ key: slice.key, id: ticket, atMs, json: objectJson(deal, wire, clock) }];
    });
  }

  override forget(keys: Iterable<string>): void {
    super.forget(keys);
    if (this.followed.size > 0) return;
    this.#readUntilMs = Infinity;
    this.#older = [];
    this.#wholeRows = 0;
  }

  async poll(tell: (changes: readonly Change[]) => void): Promise<void> {
    const clock = await this.#clock();
    const startedAtMs = this.#now();
    const untilMs = Math.min(this.#readUntilMs, startedAtMs);
    const spans = this.#spans(untilMs, startedAtMs);
    let rows = 0;
    // Told span by span: what is new does not wait for what is old.
    for (const span of spans) {
      const found = await this.#fresh(span);
      rows = found.rows;
      tell(found.changes);
    }
    this.#readUntilMs = startedAtMs;
    this.#wasRead(spans, rows, startedAtMs);
    const forgetBefore = Math.floor(clock.toServerMs(untilMs - 2 * OVERLAP_MS) / 1000);
    for (const { seen } of this.followed.values())
      for (const [ticket, second] of seen) if (second < forgetBefore) seen.delete(ticket);
  }

  /** Deals of a span that were not seen before, and how many rows it has. */
  async #fresh(span: Span): Promise<{ readonly changes: readonly Change[]; readonly rows: number }> {
    const clock = await this.#clock();
    const fresh: SeenDeal[] = [];
    let rows = 0;
    for await (const found of this.#ask(this.followed.values(), span)) {
      rows++;
      if (!found.slice.seen.has(found.ticket)) fresh.push(found);
    }
    const changes: Change[] = [];
    for (const { slice, ticket, second, wire } of inOrder(fresh)) {
      if (slice.seen.has(ticket)) continue;
      slice.seen.set(ticket, second);
      changes.push({ key: slice.key, id: ticket, json: objectJson(deal, wire, clock) });
    }
    return { changes, rows };
  }

  /** What this poll reads: the last seconds, and every so often all of the overlap, at once or a part with each poll. */
  #spans(untilMs: number, nowMs: number): readonly [Span, ...Span[]] {
    const recent = { fromMs: untilMs - RECENT_MS };
    if (this.#older.length === 0 && Math.abs(nowMs - this.#wholeAtMs) >= WHOLE_EVERY_MS) {
      const fromMs = untilMs - OVERLAP_MS;
      const parts = Math.min(MOST_PARTS, Math.ceil(this.#wholeRows / AIM_ROWS));
      if (parts <= 1) return [{ fromMs, isWhole: true }];
      this.#wholeAtMs = nowMs;
      this.#partRows = 0;
      const partMs = (OVERLAP_MS - RECENT_MS) / parts;
      const at = (part: number): number => fromMs + part * partMs;
      this.#older = Array.from({ length: parts }, (_, part) => ({ fromMs: at(part), toMs: at(part + 1) }));
    }
    return [recent, ...this.#older.slice(0, 1)];
  }

  /** What a poll that failed did not read stays to be read. @param rows of the last of these */
  #wasRead([{ isWhole }, older]: readonly [Span, ...Span[]], rows: number, nowMs: number): void {
    if (isWhole) {
      this.#wholeAtMs = nowMs;
      this.#wholeRows = rows;
    }
    if (!older) return;
    this.#older = this.#older.slice(1);
    this.#partRows += rows;
    if (this.#older.length === 0) this.#wholeRows = this.#partRows;
  }

  async *#ask(slices: Iterable<Slice>, { fromMs, toMs = this.#now() + AHEAD_MS }: Span): AsyncGenerator<SeenDeal> {
    const clock = await this.#clock();
    const from = Math.floor(clock.toServerMs(fromMs) / 1000);
    const to = Math.ceil(clock.toServerMs(toMs) / 1000);
    const window = [
      ['from', String(from)],
      ['to', String(to)],
    ] as const;
    for await (const part of readSlices(this.#reads, 'deal/get_batch', slices, window)) {
      if (!('rows' in part)) continue;
      for (const wire of part.rows) {
        const fields = new Fields(wire);
        const login = fields.text('Login');
        const ticket = fields.text('Deal');
        const second = fields.integer('Time') ?? 0;
        // Tickets before the window have been forgotten: if a server still sends them, they are ignored.
        if (login === undefined || ticket === undefined || second < from) continue;
        for (const slice of part.of(login)) yield { slice, ticket, second, wire };
      }
    }
  }
}

/** Of time; without an end, until now. */
interface Span {
  readonly fromMs: number;
  readonly toMs?: number;
  /** All of the overlap. */
  readonly isWhole?: true;
}

interface SeenDeal {
  readonly slice: Slice;
  readonly ticket: string;
  readonly second: number;
  readonly wire: WireObject;
}

const inOrder = (deals: readonly SeenDeal[]): SeenDeal[] =>
  deals.toSorted((a, b) => a.second - b.second || compareTickets(a.ticket, b.ticket));

const compareTickets = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
