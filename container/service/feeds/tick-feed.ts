import { quote } from '../../contract/schemas/market.ts';
import type { Change, Entity } from '../../contract/hub-link.ts';
import { Fields, payloadObjects, payloadScalar, wireInteger, type WireObject } from '../../webapi/fields.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import { decodeObject } from '../broker/decode.ts';
import type { Feed } from './feed.ts';
import { Followed } from './followed.ts';
import { commaLists } from '../broker/comma-lists.ts';
import type { FeedReads } from './reads.ts';

/** Everything is asked for again so often, should a `trans_id` ever have hidden a change. */
const FULL_POLL_MS = 60_000;

interface LastTick {
  readonly symbol: string;
  json: string | undefined;
  /** Server time of the tick, ms. */
  serverMs: number;
  /** Prices as sent, to tell a duplicate. */
  prices: string;
  /** When its last new tick was seen here. */
  seenAtMs: number;
}

/** Symbols that are asked for together, and the `trans_id` up to which they are known. */
interface Batch {
  readonly symbols: Set<string>;
  transId: string;
}

/**
 * The last tick of every followed symbol: `tick/last` with the `trans_id` of the answer before returns only what
 * changed since. A server that restarted its counter (another connection, a restart) answers a lower number than it was asked
 * with: then, as after `restart`, everything is asked for from 0 and compared.
 */
export class TickFeed extends Followed<LastTick> implements Feed {
  readonly topic = 'ticks';
  readonly counters = { duplicates: 0, outOfOrder: 0, restarts: 0 };
  readonly #reads: FeedReads;
  readonly #clock: () => Promise<BrokerClock>;
  readonly #now: () => number;
  #batches: Batch[] = [];
  #fullPollAtMs = 0;

  constructor(reads: FeedReads, clock: () => Promise<BrokerClock>, now: () => number) {
    super();
    this.#reads = reads;
    this.#clock = clock;
    this.#now = now;
  }

  entities(symbol: string): readonly Entity[] {
    const json = this.followed.get(symbol)?.json;
    return json === undefined ? [] : [{ id: symbol, json }];
  }

  /** When the last new tick of each symbol was seen. */
  *lastSeen(): Iterable<{ symbol: string; seenAtMs: number }> {
    yield* this.followed.values();
  }

  /** Silence up to now does not count (the market was closed). */
  excuse(symbol: string): void {
    const followed = this.followed.get(symbol);
    if (followed) followed.seenAtMs = this.#now();
  }

  async load(symbols: readonly string[]): Promise<readonly string[]> {
    const clock = await this.#clock();
    const answers: { list: string[]; transId: string; ticks: readonly WireObject[] }[] = [];
    for (const list of commaLists(symbols)) answers.push({ list, ...(await this.#ask(list, '0')) });
    for (const { list, transId, ticks } of answers) {
      for (const symbol of list)
        this.followed.set(symbol, { symbol, json: undefined, serverMs: 0, prices: '', seenAtMs: this.#now() });
      for (const tick of ticks) this.#take(tick, clock);
      this.#join(list, transId);
    }
    return [];
  }

  override forget(symbols: Iterable<string>): void {
    const gone = [...symbols];
    super.forget(gone);
    for (const { symbols: asked } of this.#batches) for (const symbol of gone) asked.delete(symbol);
    this.#batches = this.#batches.filter((batch) => batch.symbols.size > 0);
  }

  /** The session is another one: what it counted is not ours. */
  restart(): void {
    this.counters.restarts++;
    for (const batch of this.#batches) batch.transId = '0';
  }

  async poll(tell: (changes: readonly Change[]) => void): Promise<void> {
    const clock = await this.#clock();
    if (this.#now() - this.#fullPollAtMs >= FULL_POLL_MS) {
      this.#fullPollAtMs = this.#now();
      for (const batch of this.#batches) batch.transId = '0';
    }
    for (const batch of this.#batches) {
      const since = batch.transId;
      let answer = await this.#ask(batch.symbols, since);
      if (BigInt(answer.transId) < BigInt(since)) {
        this.counters.restarts++;
        answer = await this.#ask(batch.symbols, '0');
      }
      batch.transId = answer.transId;
      const changes: Change[] = [];
      for (const tick of answer.ticks) {
        const json = this.#take(tick, clock, since === '0');
        const symbol = json?.symbol;
        if (json && symbol !== undefined) changes.push({ key: symbol, id: symbol, json: json.text });
      }
      tell(changes);
    }
  }

  /** Symbols of lists that have room: fewer requests. What a list's older `trans_id` sends again is a duplicate. */
  #join(symbols: readonly string[], transId: string): void {
    let rest: readonly string[] = symbols;
    const last = this.#batches.at(-1);
    if (last) {
      const [joint = [], ...others] = commaLists([...last.symbols, ...rest]);
      for (const symbol of joint) last.symbols.add(symbol);
      rest = others.flat();
    }
    for (const list of commaLists(rest)) this.#batches.push({ symbols: new Set(list), transId });
  }

  async #ask(symbols: Iterable<string>, since: string): Promise<{ transId: string; ticks: readonly WireObject[] }> {
    const body = await this.#reads.read('tick/last', [
      ['symbol', [...symbols].join(',')],
      ['trans_id', since],
    ]);
    const transId = body && payloadTransId(body);
    return { transId: transId ?? since, ticks: body ? payloadObjects(body).map(asDocumented) : [] };
  }

  /** `undefined` for what is not followed, not new, or older than what is known. */
  #take(tick: WireObject, clock: BrokerClock, isFull = false): { symbol: string; text: string } | undefined {
    const symbol = tick['Symbol'];
    const followed = typeof symbol === 'string' ? this.followed.get(symbol) : undefined;
    if (!followed) return undefined;
    const serverMs = wireInteger(text(tick['DatetimeMsc'])) ?? (wireInteger(text(tick['Datetime'])) ?? 0) * 1000;
    const prices = `${text(tick['Bid'])} ${text(tick['Ask'])} ${text(tick['Last'])} ${text(tick['VolumeReal'])}`;
    if (serverMs < followed.serverMs) {
      this.counters.outOfOrder++;
      return undefined;
    }
    if (serverMs === followed.serverMs && prices === followed.prices) {
      if (!isFull) this.counters.duplicates++;
      return undefined;
    }
    const { extra: _extra, ...decoded } = decodeObject(quote, tick, clock);
    const json = JSON.stringify(decoded);
    followed.serverMs = serverMs;
    followed.prices = prices;
    followed.seenAtMs = this.#now();
    followed.json = json;
    return { symbol: followed.symbol, text: json };
  }
}

const READ_FIELDS = ['Symbol', 'DatetimeMsc', 'Datetime', 'Bid', 'Ask', 'Last', 'VolumeReal'];

/** Ticks come by the thousand: only those of a server that writes names in another way are gone through. */
function asDocumented(tick: WireObject): WireObject {
  if (tick['Symbol'] !== undefined) return tick;
  const fields = new Fields(tick);
  const named = READ_FIELDS.map((name): [string, string | undefined] => [name, fields.text(name)]);
  return { ...tick, ...Object.fromEntries(named.filter((entry): entry is [string, string] => entry[1] !== undefined)) };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** `trans_id` stands beside the answer, as text or number. */
function payloadTransId(body: WireObject): string | undefined {
  const value = body['trans_id'] ?? payloadScalar(body, 'trans_id');
  return typeof value === 'string' && /^\d{1,20}$/.test(value) ? value : undefined;
}
