import { asBridgeError, BridgeError } from '../../contract/errors.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import { bookItem, quote, quoteStatistics, symbol } from '../../contract/schemas/market.ts';
import type { Book, Quote, QuoteStatistics, SymbolSpecification } from '../../contract/schemas/market.ts';
import { Fields, isWireObject, payloadObjects, wireInteger, type WireObject } from '../../webapi/fields.ts';
import { parseMask } from '../../contract/masks.ts';
import { rfc3339 } from '../../webapi/time.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import type { ClockSource } from '../broker/broker-clock.ts';
import type { Broker, BrokerReply, Query, ReadContext } from '../broker/broker.ts';
import { onlyObject } from '../broker/broker.ts';
import { decodeCursor, encodeCursor } from '../broker/cursor.ts';
import { decodeObject } from '../broker/decode.ts';
import type { Keep } from '../handler.ts';
import type { Page } from './trade-data.ts';

/** Symbols, quotes and depth. */

type Fresh<T> = { readonly value: T; readonly freshForMs: number; readonly keep: Keep };

/** Symbols of one `symbol/next` where the server cuts `symbol/get` at 5000 (mt5-webapi §1.7). */
const SYMBOLS_PER_READ = 1000;

export class Market {
  readonly #broker: Broker;
  /** Levels were seen after a subscription only: books are asked for where it was made. */
  #subscribes = false;
  readonly #clock: ClockSource;
  /** What a cached reply was decoded to, for as long as it is kept. */
  readonly #decoded = new WeakMap<BrokerReply, readonly SymbolSpecification[]>();

  constructor(broker: Broker, clock: ClockSource) {
    this.#broker = broker;
    this.#clock = clock;
  }

  async symbol(name: string, group: string | undefined, context: ReadContext): Promise<Fresh<SymbolSpecification>> {
    const path = group === undefined ? 'symbol/get' : 'symbol/get_group';
    const query: Query = [['symbol', name], ...(group === undefined ? [] : [['group', group] as const])];
    const [{ reply, freshForMs, keep }, clock] = await Promise.all([
      this.#broker.reference('symbols', path, query, context),
      this.#clock.get(context),
    ]);
    return { value: decodeObject(symbol, onlyObject(reply, path, query), clock), freshForMs, keep };
  }

  /** The mask is looked for in names and in paths, as the broker's own masks do. */
  async symbols(
    mask: string,
    {
      search,
      ...paging
    }: { readonly search?: string | undefined; readonly cursor?: string | undefined; readonly limit: number },
    context: ReadContext,
  ): Promise<Fresh<Page<SymbolSpecification>>> {
    const after = decodeCursor('symbols', ['string'], paging.cursor)?.[0];
    const { specifications, freshForMs, keep } = await this.#all(context);
    const wanted = parseMask(mask);
    const text = search?.toLowerCase();
    const holds = (item: SymbolSpecification): boolean =>
      text === undefined ||
      [item.symbol, item.path, item.description, item.international, item.isin].some((one) =>
        one?.toLowerCase().includes(text),
      );
    const rest = specifications
      .filter(holds)
      .filter((item) => wanted.matches(item.symbol) || (item.path !== null && wanted.matches(item.path)))
      .filter((item) => after === undefined || item.symbol > after)
      .sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
    const items = rest.slice(0, paging.limit);
    const last = items.at(-1);
    return {
      value: { items, nextCursor: rest.length > items.length && last ? encodeCursor('symbols', [last.symbol]) : null },
      freshForMs,
      keep,
    };
  }

  /** Every symbol; in pages of `symbol/next` where the server gives only a part. */
  async #all(context: ReadContext): Promise<{ specifications: SymbolSpecification[]; freshForMs: number; keep: Keep }> {
    const clock = await this.#clock.get(context);
    const accept = [RETCODE.ERR_NOTFOUND, RETCODE.ERR_PARTIAL];
    const { reply, freshForMs, keep } = await this.#broker.reference(
      'symbols',
      'symbol/get',
      [['mask', '*']],
      context,
      accept,
    );
    const specifications = [...this.#decode(reply, clock)];
    while (reply.retcode === RETCODE.ERR_PARTIAL) {
      const query: Query = [
        ['index', String(specifications.length)],
        ['count', String(SYMBOLS_PER_READ)],
      ];
      const next = await this.#broker.reference('symbols', 'symbol/next', query, context, [RETCODE.ERR_NOTFOUND]);
      const more = this.#decode(next.reply, clock);
      specifications.push(...more);
      if (more.length === 0) break;
    }
    return { specifications, freshForMs, keep };
  }

  #decode(reply: BrokerReply, clock: BrokerClock): readonly SymbolSpecification[] {
    const known = this.#decoded.get(reply);
    if (known) return known;
    const rows = reply.retcode === RETCODE.ERR_NOTFOUND ? [] : payloadObjects(reply.body);
    const decoded = rows.map((row) => decodeObject(symbol, row, clock));
    this.#decoded.set(reply, decoded);
    return decoded;
  }

  async quotes(names: readonly string[], group: string | undefined, context: ReadContext): Promise<Page<Quote>> {
    const path = group === undefined ? 'tick/last' : 'tick/last_group';
    const query: Query = group === undefined ? [] : [['group', group]];
    return this.#ofSymbols(path, quote, names, query, context);
  }

  async statistics(names: readonly string[], context: ReadContext): Promise<Page<QuoteStatistics>> {
    return this.#ofSymbols('tick/stat', quoteStatistics, names, [], context);
  }

  /** In the order asked for. @throws BridgeError `object_not_found` where the broker knows none of them */
  async #ofSymbols<Definition extends typeof quote | typeof quoteStatistics>(
    path: string,
    definition: Definition,
    names: readonly string[],
    query: Query,
    context: ReadContext,
  ): Promise<Page<ReturnType<typeof decodeObject<Definition>>>> {
    const command: Query = [['symbol', names.join(',')], ...query, ['trans_id', '0']];
    const [rows, clock] = await Promise.all([this.#broker.list(path, command, context), this.#clock.get(context)]);
    const bySymbol = new Map(
      rows.map((row) => {
        const item = decodeObject(definition, row, clock);
        return [(item as { symbol: string }).symbol, item] as const;
      }),
    );
    const items = names.flatMap((name) => bySymbol.get(name) ?? []);
    if (items.length === 0)
      throw new BridgeError('object_not_found', {
        detail: `The broker has no quote for ${names.join(', ').slice(0, 200)}.`,
        field: 'query.symbols',
        expected: 'symbols of the broker',
      });
    return { items, nextCursor: null };
  }

  async book(name: string, context: ReadContext): Promise<Book> {
    const [rows, clock] = await Promise.all([this.#bookRows(name, context), this.#clock.get(context)]);
    const row = rows[0];
    const fields = new Fields(row ?? {});
    // Milliseconds where the number is one (the documents show both).
    const stamp = wireInteger(fields.text('DatetimeMsc', 'Datetime'));
    const serverMs = stamp === undefined || stamp === 0 ? undefined : stamp > 1e11 ? stamp : stamp * 1000;
    const utcMs = serverMs === undefined ? null : clock.toUtcMs(serverMs);
    const items = fields.take('Items');
    return {
      symbol: fields.text('Symbol') ?? name,
      quotedAt: utcMs === null ? null : rfc3339(utcMs),
      quotedAtMs: utcMs,
      items: (Array.isArray(items) ? items : []).flatMap((item) =>
        isWireObject(item) ? [decodeObject(bookItem, item, clock)] : [],
      ),
    };
  }

  /**
   * Some servers show levels only on a connection that subscribed to the symbol (mt5-webapi §8, 21): where there are none,
   * it is subscribed to and asked again on one and the same. Where that is refused, none is the answer.
   */
  async #bookRows(name: string, context: ReadContext): Promise<readonly WireObject[]> {
    const query: Query = [['symbol', name]];
    const onOne = { ...context, onDealer: true };
    const rows = await this.#broker.list('book/get', query, this.#subscribes ? onOne : context);
    if (hasLevels(rows)) return rows;
    try {
      await this.#broker.read('book/subscribe', query, onOne);
    } catch (error) {
      if (asBridgeError(error).outcome !== 'refused') throw error;
      return rows;
    }
    const subscribed = await this.#broker.list('book/get', query, onOne);
    this.#subscribes ||= hasLevels(subscribed);
    return subscribed;
  }
}

function hasLevels(rows: readonly WireObject[]): boolean {
  const items = rows[0] && new Fields(rows[0]).take('Items');
  return Array.isArray(items) && items.length > 0;
}
