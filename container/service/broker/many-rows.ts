import { LRUCache } from 'lru-cache';
import { BridgeError } from '../../contract/errors.ts';
import type { Caller } from '../../contract/keys.ts';
import { payloadObjects, type WireObject } from '../../webapi/fields.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import type { Breather } from './breathe.ts';
import type { Broker, Query, ReadContext } from './broker.ts';
import { isLacking, isMissing } from './broker.ts';
import { commaLists, MAX_LIST_CHARACTERS } from './comma-lists.ts';
import type { FlatAccounts } from './flat-accounts.ts';
import { groupNames } from './groups.ts';
import { loginsOfMask, resolveLogins, type LoginQuery } from './logins.ts';
import type { ListKind, PageReader } from './pages.ts';

/** What a `…/get_batch` gives of many accounts (mt5-webapi §3.3, §3.6). */
export interface Batch {
  readonly path: 'user/get_batch' | 'user/account/get_batch' | 'daily/get_batch' | `${ListKind}/get_batch`;
  /** Where this manager may not see it, there is none of it. */
  readonly optional?: boolean;
}

/** Logins of one question, at most, at first and at least; how many follows from what the answers hold. */
const MOST_LOGINS = 200;
const FIRST_LOGINS = 100;
const LEAST_LOGINS = 10;
/** An answer of so many rows, 0.2 MB, takes 3 ms to parse, and nothing else is done meanwhile. */
const AIM_ROWS = 300;
/** More are asked for side by side: one answer about 50,000 has 60 MB, and nothing else is done while it is read. */
const ACCOUNTS_IN_ONE = 1_000;
/** An answer of more is asked for in parts next time: nothing else is done while it is parsed. */
const ROWS_IN_ONE = 1_000;
/** While somebody writes, so much less is asked for at once: an order waits for each of its turns at most a millisecond. */
const GIVING_WAY = 4;
/** More than live servers give of one account (mt5-webapi §3.6); the reader finds what this one does. */
const PAGE_ROWS = 1000;
/** What a server showed not to give at once is asked for by parts for so long. */
const REMEMBERED_MS = 600_000;
const MASKS_REMEMBERED = 1_000;

type Rows = readonly WireObject[];
/** Of each batch the rows, about the same accounts. */
type Part = readonly Rows[];
type Parts = AsyncGenerator<Part, void, undefined>;

export interface ManyRowsOptions {
  readonly broker: Broker;
  readonly pages: PageReader;
  readonly flat: FlatAccounts;
  /** Questions on their way at one time: all sessions but one, which is left to those who trade. */
  readonly atOnce: number;
  readonly breather: Breather;
}

/**
 * The rows of many accounts, whole, in parts as they come. What the server gives in part only (14) is never taken for all:
 * a mask is asked for group by group, then by logins; logins in halves; one login in pages.
 */
export class ManyRows {
  readonly #options: ManyRowsOptions;
  /** `path mask window` of what is too wide for one answer. */
  readonly #tooWide = new LRUCache<string, true>({ max: MASKS_REMEMBERED, ttl: REMEMBERED_MS });
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(options: ManyRowsOptions) {
    this.#options = options;
  }

  /**
   * Everything of a group mask in one answer; `undefined` = it does not come so. A build that does not know `group` may
   * answer about nobody: an empty answer is believed of a command that once brought rows.
   * @throws BridgeError
   */
  async whole({ path, optional }: Batch, mask: string, window: Query, context: ReadContext): Promise<Rows | undefined> {
    const { broker } = this.#options;
    const asked = `${path} ${mask} ${lengthOf(window)}`;
    if (!this.#takesGroups(path) || this.#tooWide.has(asked)) return undefined;
    const accepted = [RETCODE.ERR_NOTFOUND, RETCODE.ERR_PARTIAL, RETCODE.ERR_PARAMS, RETCODE.ERR_FREQUENT];
    try {
      const query: Query = [['group', mask], ...window];
      const { retcode, body } = await this.#inTurn(() => broker.direct(path, query, context, accepted));
      const rows = retcode === RETCODE.OK ? payloadObjects(body) : [];
      if (rows.length > 0 || retcode === RETCODE.ERR_PARTIAL) broker.groupForms.set(path, 'there');
      if (rows.length > Math.floor(ROWS_IN_ONE * this.#part)) this.#tooWide.set(asked, true);
      if (rows.length > 0) return rows;
      if (retcode === RETCODE.ERR_PARAMS) broker.groupForms.set(path, 'lacking');
      else if (retcode === RETCODE.ERR_PARTIAL || retcode === RETCODE.ERR_FREQUENT) this.#tooWide.set(asked, true);
      else if (broker.groupForms.get(path) === 'there') return rows;
      return undefined;
    } catch (error) {
      // By logins there may be another way.
      if (isLacking(error)) return undefined;
      if (optional && isMissing(error)) return [];
      if (!(error instanceof BridgeError) || error.code !== 'broker_malformed') throw error;
      // Longer than the bridge reads, or cut: parts may come whole.
      this.#tooWide.set(asked, true);
      return undefined;
    }
  }

  /** A list in parts, as long as others have their turns between them. */
  inParts<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[], void, undefined> {
    return this.#options.breather.inParts(rows);
  }

  /** The part of what is asked for at once otherwise. */
  get #part(): number {
    return this.#options.breather.givesWay ? 1 / GIVING_WAY : 1;
  }

  #takesGroups(path: Batch['path']): boolean {
    const { broker } = this.#options;
    return !broker.lacks(path) && broker.groupForms.get(path) !== 'lacking';
  }

  /** Of the accounts of a group mask, in no order. @throws BridgeError */
  async *ofMask(batches: readonly Batch[], mask: string, window: Query, context: ReadContext): Parts {
    const ask = async (part: string): Promise<Part | undefined> => {
      const rows = await Promise.all(batches.map((batch) => this.whole(batch, part, window, context)));
      return isWhole(rows) ? rows : undefined;
    };
    if (batches.some(({ path }) => path.startsWith('user/'))) {
      const logins = await loginsOfMask(this.#options.broker, mask, context);
      if (logins.length > ACCOUNTS_IN_ONE) {
        yield* this.ofLogins(batches, logins, window, context);
        return;
      }
    }
    const whole = await ask(mask);
    if (whole) {
      yield whole;
      return;
    }
    const takesGroups = batches.every(({ path }) => this.#takesGroups(path));
    const groups = takesGroups ? await groupNames(this.#options.broker, mask, context) : undefined;
    if (!groups || groups.length < 2) {
      yield* this.#ofWideMask(batches, mask, window, context);
      return;
    }
    const wide: string[] = [];
    yield* inHalves(groups, this.#options.atOnce, async (names) => {
      const list = names.join(',');
      const rows = list.length <= MAX_LIST_CHARACTERS || names.length === 1 ? await ask(list) : undefined;
      if (!rows && names.length === 1) wide.push(list);
      return rows;
    });
    for (const group of wide) yield* this.#ofWideMask(batches, group, window, context);
  }

  /** Of whom a query is about. `isAsked` is false of accounts that came without being asked for. @throws BridgeError */
  async of(
    batches: readonly Batch[],
    who: LoginQuery,
    context: ReadContext & { readonly caller: Caller },
    window: Query = [],
  ): Promise<{ readonly parts: Parts; readonly isAsked: (login: number) => boolean }> {
    if (who.group !== undefined && context.caller.logins === undefined)
      return { parts: this.ofMask(batches, who.group, window, context), isAsked: () => true };
    const logins = await resolveLogins(this.#options.broker, who, context);
    const asked = new Set(logins);
    return { parts: this.ofLogins(batches, logins, window, context), isAsked: (login) => asked.has(login) };
  }

  async *#ofWideMask(batches: readonly Batch[], mask: string, window: Query, context: ReadContext): Parts {
    const { broker, flat } = this.#options;
    const all = await loginsOfMask(broker, mask, context);
    if (batches.some(({ path }) => path !== 'position/get_batch')) {
      yield* this.ofLogins(batches, all, window, context);
      return;
    }
    const logins = await flat.without(all, mask, context);
    yield* flat.noting(logins, this.ofLogins(batches, logins, window, context));
  }

  /** Of these accounts, in the order of the lists. @param most logins of one question, at most @throws BridgeError */
  ofLogins(
    batches: readonly Batch[],
    logins: readonly number[],
    window: Query,
    context: ReadContext,
    most = MOST_LOGINS,
  ): Parts {
    const isOfList = logins.length > most || undefined;
    const size = new ListSize(most);
    return sideBySide(
      size.lists(logins, () => this.#part),
      this.#options.atOnce,
      async (list) => {
        const ofEach = batches.map((batch) => this.#ofList(batch, list, window, { ...context, isOfList }));
        const part = await Promise.all(ofEach);
        size.learn(list.length, Math.max(...part.map((rows) => rows.length)));
        return part;
      },
    );
  }

  async #ofList(batch: Batch, logins: readonly number[], window: Query, context: ReadContext): Promise<Rows> {
    const { broker, pages } = this.#options;
    const query: Query = [['login', logins.join(',')], ...window];
    const isOne = logins.length === 1;
    const accepted = [RETCODE.ERR_NOTFOUND, RETCODE.ERR_PARTIAL, ...(isOne ? [] : [RETCODE.ERR_FREQUENT])];
    try {
      const { retcode, body } = await this.#inTurn(() => broker.read(batch.path, query, context, accepted));
      if (retcode === RETCODE.ERR_NOTFOUND) return [];
      if (retcode === RETCODE.OK) return payloadObjects(body);
    } catch (error) {
      if (batch.optional && isMissing(error)) return [];
      throw error;
    }
    const [kind = ''] = batch.path.split('/');
    if (isOne && (kind === 'user' || kind === 'daily'))
      throw new BridgeError('broker_malformed', `${batch.path}: the broker gives one account in part.`);
    if (isOne) return (await pages.rows(kind as ListKind, query, context, PAGE_ROWS, () => false)).rows;
    const middle = Math.ceil(logins.length / 2);
    const halves = [logins.slice(0, middle), logins.slice(middle)];
    return (await Promise.all(halves.map((half) => this.#ofList(batch, half, window, context)))).flat();
  }

  /** Questions of lists on their way at one time. */
  get #places(): number {
    return this.#options.breather.givesWay ? 1 : this.#options.atOnce;
  }

  /** Waits for one of the places that all lists share. */
  async #inTurn<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    if (this.#underWay < this.#places && this.#waiting.length === 0) this.#underWay++;
    else await new Promise<void>((go) => this.#waiting.push(go));
    try {
      await this.#options.breather.rest();
      return await ask();
    } finally {
      this.#underWay--;
      this.#admit();
    }
  }

  /** Whoever waited longest has the next place before anybody slips in. */
  #admit(): void {
    while (this.#underWay < this.#places) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#underWay++;
      next();
    }
  }
}

/** How many logins are asked for together. */
class ListSize {
  readonly #most: number;
  #size: number;

  constructor(most: number) {
    this.#most = most;
    this.#size = Math.min(most, FIRST_LOGINS);
  }

  /** Lists that fit into a query, each as long as is right when its turn comes: `part` of what may be asked at most. */
  *lists(logins: readonly number[], part: () => number): Generator<readonly number[], undefined> {
    for (let at = 0; at < logins.length;) {
      const size = Math.max(this.#least, Math.floor(this.#size * part()));
      const [list = []] = commaLists(logins.slice(at, at + size), MAX_LIST_CHARACTERS);
      at += list.length;
      yield list;
    }
  }

  learn(logins: number, rows: number): void {
    const fitting = rows === 0 ? Infinity : (logins * AIM_ROWS) / rows;
    this.#size = Math.max(this.#least, Math.floor(Math.min(this.#most, this.#size * 2, fitting)));
  }

  get #least(): number {
    return Math.min(LEAST_LOGINS, this.#most);
  }
}

/** Windows up to twice as long count as equally long. */
function lengthOf(window: Query): number {
  const named = new Map(window);
  return Math.ceil(Math.log2(1 + Number(named.get('to') ?? 0) - Number(named.get('from') ?? 0)));
}

const isWhole = (rows: readonly (Rows | undefined)[]): rows is Part => rows.every((each) => each !== undefined);

/** So many at one time, told in order: who takes them slowly holds the next ones up. */
async function* sideBySide<Item, Found>(
  items: Iterator<Item>,
  atOnce: number,
  ask: (item: Item) => Promise<Found>,
): AsyncGenerator<Found, void, undefined> {
  const asked: Promise<Found>[] = [];
  const next = (): void => {
    const { value, done } = items.next();
    if (done) return;
    const found = ask(value);
    // Told when it is its turn.
    found.catch(() => undefined);
    asked.push(found);
  };
  for (let i = 0; i < atOnce; i++) next();
  for (let found = asked.shift(); found; found = asked.shift()) {
    yield await found.finally(next);
  }
}

/** What is not found of all of them is sought of each half, so many questions at one time; told in no order. */
async function* inHalves<Item, Found>(
  items: readonly Item[],
  atOnce: number,
  ask: (items: readonly Item[]) => Promise<Found | undefined>,
): AsyncGenerator<Found, void, undefined> {
  const halvesOf = (list: readonly Item[]): (readonly Item[])[] => {
    const middle = Math.ceil(list.length / 2);
    return list.length < 2 ? [] : [list.slice(0, middle), list.slice(middle)];
  };
  const open = halvesOf(items);
  const running = new Set<Promise<() => Found | undefined>>();
  while (open.length > 0 || running.size > 0) {
    for (let list = open.shift(); list; list = running.size < atOnce ? open.shift() : undefined) {
      const asked = list;
      const told: Promise<() => Found | undefined> = ask(asked).then(
        (found) => () => {
          running.delete(told);
          if (found === undefined) open.unshift(...halvesOf(asked));
          return found;
        },
        (error: unknown) => () => {
          throw error;
        },
      );
      running.add(told);
    }
    const found = (await Promise.race(running))();
    if (found !== undefined) yield found;
  }
}
