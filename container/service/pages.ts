import { BridgeError } from '../contract/errors.ts';
import type { WireObject } from '../webapi/fields.ts';
import { wireInteger } from '../webapi/fields.ts';
import type { Broker, Query, ReadContext } from './broker.ts';

/**
 * `get_page` of one login. The documents allow 100 rows a page, live servers answer up to 1000 (mt5-webapi §3.6): more is
 * asked for where more is wanted, and what comes back teaches the limit of this server.
 */
const DOCUMENTED_PAGE = 100;
const LARGEST_PAGE = 1000;
/** Far beyond what a caller's deadline allows: only a server that ignores `offset` gets here. */
const MAX_PAGES = 2000;

export class PageReader {
  readonly #broker: Broker;
  /** The most rows that this server gives. */
  #limit = LARGEST_PAGE;
  /** The largest page seen from this server: a shorter one is no cut, but the end. */
  #seen = 0;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Rows from the beginning until `enough` says so or there are no more; `atEnd` = there are no more. */
  async rows(
    list: 'order' | 'history' | 'deal' | 'position',
    query: Query,
    context: ReadContext,
    wanted: number,
    enough: (rows: readonly WireObject[]) => boolean,
  ): Promise<{ rows: readonly WireObject[]; atEnd: boolean }> {
    const rows: WireObject[] = [];
    for (let page = 0; page < MAX_PAGES; page++) {
      const asked = Math.min(this.#limit, Math.max(wanted, DOCUMENTED_PAGE));
      const got = await this.#page(list, query, rows.length, asked, context);
      rows.push(...got);
      if (got.length === 0 || got.length < Math.min(asked, this.#seen)) return { rows, atEnd: true };
      if (got.length < asked) {
        // Longer than any page before, and shorter than asked for: the end, or this server's limit. The total tells.
        const total = wireInteger(await this.#broker.scalar(`${list}/get_total`, 'Total', query, context));
        this.#seen = Math.max(this.#seen, got.length);
        if (total === undefined || rows.length >= total) return { rows, atEnd: true };
        this.#limit = got.length;
      } else this.#seen = Math.max(this.#seen, got.length);
      if (enough(rows)) return { rows, atEnd: false };
    }
    throw new BridgeError('broker_malformed', `${list}/get_page: the broker's pages do not end.`);
  }

  async #page(
    list: string,
    query: Query,
    offset: number,
    total: number,
    context: ReadContext,
  ): Promise<readonly WireObject[]> {
    const paged: Query = [...query, ['offset', String(offset)], ['total', String(total)]];
    try {
      return await this.#broker.list(`${list}/get_page`, paged, context);
    } catch (error) {
      // `3 Invalid parameters` for a page that is larger than this server's limit.
      const tooLarge = error instanceof BridgeError && error.context.retcode === 3 && total > DOCUMENTED_PAGE;
      if (!tooLarge) throw error;
      this.#limit = DOCUMENTED_PAGE;
      return this.#page(list, query, offset, DOCUMENTED_PAGE, context);
    }
  }
}
