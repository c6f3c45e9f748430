import { payloadObjects, type WireObject } from '../../webapi/fields.ts';
import { untilEmpty } from '../broker/pages.ts';

type Query = readonly (readonly [name: string, value: string])[];

/** What the feeds need of the broker: judged reads (`service/broker.ts`). */
export interface BrokerReads {
  /** @throws BridgeError for every retcode but 0 and those in `accept` */
  read(
    path: string,
    query: Query,
    context: { readonly deadlineAtMs: number; readonly signal: AbortSignal },
    accept?: readonly number[],
  ): Promise<{ readonly retcode: number; readonly body: WireObject }>;
}

/** MT5 `13 Not found`: also what an empty list may be (mt5-webapi §3.6). */
const NOT_FOUND = 13;
/** MT5 `14`: more than 5,000 objects, or 16 MB: some of them came. */
const PARTIAL = 14;
/** What the documents allow at least (mt5-webapi §3.6). */
const PAGE_ROWS = 100;
/** 200,000 rows of one login: only a server that ignores `offset` gets here. */
const MOST_PAGES = 2_000;
/** Longest a poll is waited for. */
const READ_DEADLINE_MS = 10_000;

/**
 * Requests that streaming may send: a token bucket, so that following many logins cannot starve the API calls that
 * share the sessions.
 */
export class BudgetedReads {
  requests = 0;
  readonly #reads: BrokerReads;
  readonly #now: () => number;
  readonly #perSecond: number;
  readonly #signal: AbortSignal;
  #tokens: number;
  #filledAtMs: number;

  constructor(options: { reads: BrokerReads; now: () => number; perSecond: number; signal: AbortSignal }) {
    this.#reads = options.reads;
    this.#now = options.now;
    this.#perSecond = options.perSecond;
    this.#signal = options.signal;
    this.#tokens = options.perSecond;
    this.#filledAtMs = options.now();
  }

  /** The body of a good, empty or partial answer; `undefined` = nothing found. @throws BridgeError */
  async read(path: string, query: Query): Promise<WireObject | undefined> {
    const { retcode, body } = await this.#ask(path, query);
    return retcode === NOT_FOUND ? undefined : body;
  }

  /**
   * Every row of these logins, by `…/get_batch`. Where the server sends only a part, it is asked for each half, and for the
   * pages of a login that alone has too many: what was not sent is never taken for gone. @throws BridgeError
   */
  async rows(path: `${string}/get_batch`, logins: readonly string[], window: Query = []): Promise<WireObject[]> {
    const { retcode, body } = await this.#ask(path, [['login', logins.join(',')], ...window]);
    if (retcode === NOT_FOUND) return [];
    if (retcode !== PARTIAL) return [...payloadObjects(body)];
    if (logins.length === 1) return this.#pages(path, [['login', logins[0] ?? ''], ...window]);
    const middle = Math.ceil(logins.length / 2);
    const first = await this.rows(path, logins.slice(0, middle), window);
    return first.concat(await this.rows(path, logins.slice(middle), window));
  }

  #pages(path: string, query: Query): Promise<WireObject[]> {
    const read = async (offset: number): Promise<readonly WireObject[]> => {
      const page = [
        ['offset', String(offset)],
        ['total', String(PAGE_ROWS)],
      ] as const;
      const { retcode, body } = await this.#ask(path.replace(/batch$/, 'page'), [...query, ...page]);
      return retcode === NOT_FOUND ? [] : payloadObjects(body);
    };
    return untilEmpty(read, MOST_PAGES, path);
  }

  async #ask(path: string, query: Query): Promise<{ readonly retcode: number; readonly body: WireObject }> {
    await this.#take();
    this.requests++;
    const context = { deadlineAtMs: this.#now() + READ_DEADLINE_MS, signal: this.#signal };
    return this.#reads.read(path, query, context, [NOT_FOUND, PARTIAL]);
  }

  async #take(): Promise<void> {
    const now = this.#now();
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((now - this.#filledAtMs) / 1000) * this.#perSecond);
    this.#filledAtMs = now;
    this.#tokens -= 1;
    // A debt is waited off; those who come later wait longer, so the rate holds whoever asks.
    if (this.#tokens >= 0) return;
    await new Promise((resolve) => setTimeout(resolve, Math.ceil((-this.#tokens / this.#perSecond) * 1000)));
  }
}

/** Splits names so that each list, joined by commas, is at most `maxCharacters` long and `maxCount` names. */
export function commaLists(names: Iterable<string>, maxCharacters: number, maxCount = Infinity): string[][] {
  const lists: string[][] = [];
  let list: string[] = [];
  let length = 0;
  for (const name of names) {
    if (list.length > 0 && (length + 1 + name.length > maxCharacters || list.length >= maxCount)) {
      lists.push(list);
      list = [];
      length = 0;
    }
    length += name.length + (list.length > 0 ? 1 : 0);
    list.push(name);
  }
  if (list.length > 0) lists.push(list);
  return lists;
}
