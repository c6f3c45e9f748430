import { BridgeError } from '../../contract/errors.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import type { WireObject } from '../../webapi/fields.ts';
import { payloadScalar, wireInteger } from '../../webapi/fields.ts';
import type { Broker, Query, ReadContext } from './broker.ts';

/**
 * `get_page` of one login. The documents allow 100 rows a page, live servers answer up to 1000 (mt5-webapi §3.6): more is
 * asked for where more is wanted. A short page may be the end or the server's limit, so the total is asked for as well.
 */
const DOCUMENTED_PAGE = 100;
const LARGEST_PAGE = 1000;
/** Far beyond what a caller's deadline allows: only a server that ignores `offset` gets here. */
const MAX_PAGES = 2000;

export type ListKind = 'order' | 'history' | 'deal' | 'position';

export class PageReader {
  readonly #broker: Broker;
  /** The most rows that this server takes as `total`. */
  #limit = LARGEST_PAGE;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Rows from the beginning until `enough` says so or there are no more; `atEnd` = there are no more. */
  async rows(
    list: ListKind,
    query: Query,
    context: ReadContext,
    wanted: number,
    enough: (rows: readonly WireObject[]) => boolean,
  ): Promise<{ rows: readonly WireObject[]; atEnd: boolean }> {
    const first = Math.max(wanted, DOCUMENTED_PAGE);
    const [start, total] = await Promise.all([
      this.#page(list, query, 0, first, context),
      this.#total(list, query, context),
    ]);
    const rows = [...start];
    for (let page = 1; page < MAX_PAGES; page++) {
      if (rows.length >= total) return { rows, atEnd: true };
      if (enough(rows)) return { rows, atEnd: false };
      const got = await this.#page(list, query, rows.length, first, context);
      // Fewer than the total said: some were removed meanwhile.
      if (got.length === 0) return { rows, atEnd: true };
      rows.push(...got);
    }
    throw new BridgeError('broker_malformed', `${list}/get_page: the broker's pages do not end.`);
  }

  /** The same from the end backwards: the rows that are told are always the last ones, in the server's order. */
  async rowsFromEnd(
    list: ListKind,
    query: Query,
    context: ReadContext,
    wanted: number,
    enough: (rows: readonly WireObject[]) => boolean,
  ): Promise<{ rows: readonly WireObject[]; atEnd: boolean }> {
    const total = await this.#total(list, query, context);
    if (total === Infinity) return this.rows(list, query, context, wanted, () => false);
    let rows: readonly WireObject[] = [];
    let start = total;
    for (let page = 0; page < MAX_PAGES; page++) {
      if (start <= 0) return { rows, atEnd: true };
      if (page > 0 && enough(rows)) return { rows, atEnd: false };
      const size = Math.min(Math.max(wanted, DOCUMENTED_PAGE), this.#limit, start);
      const got: WireObject[] = [];
      while (got.length < size) {
        const more = await this.#page(list, query, start - size + got.length, size - got.length, context);
        if (more.length === 0) break;
        got.push(...more);
      }
      rows = [...got, ...rows];
      start -= size;
    }
    throw new BridgeError('broker_malformed', `${list}/get_page: the broker's pages do not end.`);
  }

  async #total(list: ListKind, query: Query, context: ReadContext): Promise<number> {
    const reply = await this.#broker.read(`${list}/get_total`, query, context, [RETCODE.ERR_NOTFOUND]);
    if (reply.retcode === RETCODE.ERR_NOTFOUND) return 0;
    // A build that does not tell is asked until a page is empty.
    return wireInteger(payloadScalar(reply.body, 'Total')) ?? Infinity;
  }

  async #page(
    list: string,
    query: Query,
    offset: number,
    wanted: number,
    context: ReadContext,
  ): Promise<readonly WireObject[]> {
    const total = Math.min(wanted, this.#limit);
    const paged: Query = [...query, ['offset', String(offset)], ['total', String(total)]];
    try {
      return await this.#broker.list(`${list}/get_page`, paged, context);
    } catch (error) {
      // `3 Invalid parameters` for a page that is larger than this server's limit.
      const tooLarge =
        error instanceof BridgeError && error.context.retcode === RETCODE.ERR_PARAMS && total > DOCUMENTED_PAGE;
      if (!tooLarge) throw error;
      this.#limit = DOCUMENTED_PAGE;
      return this.#page(list, query, offset, wanted, context);
    }
  }
}

/**
 * Everything that is read part by part until one is empty: a short one may be the server's own limit.
 * @param most parts at most: only a server that ignores the place gets there
 * @throws BridgeError `broker_malformed` naming `what`
 */
export async function untilEmpty(
  read: (place: number) => Promise<readonly WireObject[]>,
  most: number,
  what: string,
): Promise<WireObject[]> {
  const rows: WireObject[] = [];
  for (let part = 0; part < most; part++) {
    const more = await read(rows.length);
    if (more.length === 0) return rows;
    rows.push(...more);
  }
  throw new BridgeError('broker_malformed', `${what}: the broker's pages do not end.`);
}
