import { BridgeError } from '../../contract/errors.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import type { Caller } from '../../contract/keys.ts';
import { group, money, user } from '../../contract/schemas/account.ts';
import type { Account, Group, Money } from '../../contract/schemas/account.ts';
import { scaledDecimal } from '../../webapi/decimal.ts';
import { Fields, payloadObjects } from '../../webapi/fields.ts';
import type { WireObject } from '../../webapi/fields.ts';
import { rfc3339 } from '../../webapi/time.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import type { ClockSource } from '../broker/broker-clock.ts';
import type { Broker, Query, ReadContext } from '../broker/broker.ts';
import { isMissing, onlyObject } from '../broker/broker.ts';
import { decodeCursor, encodeCursor } from '../broker/cursor.ts';
import { decodeObject } from '../broker/decode.ts';
import { GroupTerms, type TermsOf } from '../broker/group-terms.ts';
import type { Keep } from '../handler.ts';
import { resolveLogins } from '../broker/logins.ts';
import type { Batch, ManyRows } from '../broker/many-rows.ts';
import type { LoginQuery } from '../broker/logins.ts';
import { searchOf, type AccountSearch } from './account-search.ts';
import type { Page, ReadPage } from './trade-data.ts';

/** Accounts and their money; groups. */

type Context = ReadContext & { readonly caller: Caller };
type Paging = { readonly cursor?: string | undefined; readonly limit: number };

/** Which accounts, by what stands in their records, and below which bounds of their money. */
export interface AccountsQuery extends LoginQuery, AccountSearch {
  readonly marginLevelBelow?: string | undefined;
  readonly equityBelow?: string | undefined;
}

/** Groups of one `group/next`: a broker has hundreds at most. */
const GROUPS_PER_READ = 500;

export class Accounts {
  readonly #broker: Broker;
  readonly #clock: ClockSource;
  readonly #many: ManyRows;
  readonly #terms: GroupTerms;
  readonly #now: () => number;

  constructor(parts: { broker: Broker; clock: ClockSource; many: ManyRows; now: () => number }) {
    this.#broker = parts.broker;
    this.#clock = parts.clock;
    this.#many = parts.many;
    this.#terms = new GroupTerms(parts.broker);
    this.#now = parts.now;
  }

  async account(login: number, context: Context): Promise<Account> {
    const query: Query = [['login', String(login)]];
    const [userReply, moneyRows, clock] = await Promise.all([
      this.#broker.read('user/get', query, context),
      this.#moneyOf('user/account/get', query, context),
      this.#clock.get(context),
    ]);
    const wire = onlyObject(userReply, 'user/get', query);
    return accountOf(wire, moneyRows[0], await this.#termsOf([wire], clock, context), clock);
  }

  /** Accounts that cannot trade (managers) have no money state; nor has any where this manager may not see it. */
  async #moneyOf(path: string, query: Query, context: Context): Promise<readonly WireObject[]> {
    try {
      return await this.#broker.list(path, query, context);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async money(login: number, context: Context): Promise<Money> {
    const query: Query = [['login', String(login)]];
    const [reply, clock] = await Promise.all([
      this.#broker.read('user/account/get', query, context),
      this.#clock.get(context),
    ]);
    return decodeObject(money, onlyObject(reply, 'user/account/get', query), clock);
  }

  async logins(mask: string, paging: Paging, context: Context): Promise<Page<number>> {
    return pageOfLogins(await resolveLogins(this.#broker, { group: mask }, context), paging, 'logins');
  }

  async accounts(who: AccountsQuery, paging: Paging, context: Context): Promise<ReadPage<Account>> {
    const readAtMs = this.#now();
    const all = isFiltered(who) ? await this.#filtered(who, context) : await resolveLogins(this.#broker, who, context);
    const { items: logins, nextCursor } = pageOfLogins(all, paging, 'accounts');
    const items: Account[] = [];
    const clock = await this.#clock.get(context);
    const { parts, isAsked } = await this.#many.of([USERS, STATES], { logins }, context);
    for await (const part of parts)
      for await (const accounts of this.#joined(part, isAsked, clock, context)) items.push(...accounts);
    return { items, nextCursor, readAt: rfc3339(readAtMs), readAtMs };
  }

  /** Every account, in parts as they come. @throws BridgeError */
  async *everyAccount(who: AccountsQuery, context: Context): AsyncGenerator<readonly Account[], void, undefined> {
    const clock = await this.#clock.get(context);
    const whose = isFiltered(who) ? { logins: await this.#filtered(who, context) } : who;
    const { parts, isAsked } = await this.#many.of([USERS, STATES], whose, context);
    for await (const part of parts)
      for await (const accounts of this.#joined(part, isAsked, clock, context))
        yield accounts.filter((account) => shows(account, who));
  }

  /** Logins that are sought and whose money is below the bounds, ascending; nothing is told before all were read. */
  async #filtered(who: AccountsQuery, context: Context): Promise<readonly number[]> {
    const clock = await this.#clock.get(context);
    const sought = searchOf(who);
    const found = sought && (await this.#collect(USERS.path, who, context, (row) => sought(new Fields(row))));
    if (!isBounded(who)) return found ?? [];
    const whose = found ? { logins: found } : who;
    return this.#collect(STATES.path, whose, context, (row) => fits(decodeObject(money, row, clock), who));
  }

  /** Logins of the rows that are wanted. */
  async #collect(
    path: typeof USERS.path | typeof STATES.path,
    who: LoginQuery,
    context: Context,
    wants: (row: WireObject) => boolean,
  ): Promise<readonly number[]> {
    const { parts, isAsked } = await this.#many.of([{ path }], who, context);
    const found = new Set<number>();
    for await (const [all = []] of parts)
      for await (const rows of this.#many.inParts(all))
        for (const row of rows) {
          const login = new Fields(row).integer('Login');
          if (login !== undefined && isAsked(login) && wants(row)) found.add(login);
        }
    return [...found].sort((a, b) => a - b);
  }

  #termsOf(users: readonly WireObject[], clock: BrokerClock, context: Context): Promise<TermsOf> {
    return this.#terms.of(
      users.flatMap((wire) => new Fields(wire).text('Group') ?? []),
      clock,
      context,
    );
  }

  /** By login; of those that were asked for. */
  async *#joined(
    [users = [], states = []]: readonly (readonly WireObject[])[],
    isAsked: (login: number) => boolean,
    clock: BrokerClock,
    context: Context,
  ): AsyncGenerator<readonly Account[], void, undefined> {
    const terms = await this.#termsOf(users, clock, context);
    const stateOf = new Map(states.map((state) => [new Fields(state).integer('Login'), state]));
    const asked = users.flatMap((wire) => {
      const login = new Fields(wire).integer('Login');
      return login === undefined || !isAsked(login) ? [] : [{ login, wire }];
    });
    asked.sort((a, b) => a.login - b.login);
    for await (const rows of this.#many.inParts(asked))
      yield rows.map(({ login, wire }) => accountOf(wire, stateOf.get(login), terms, clock));
  }

  async group(name: string, context: Context): Promise<{ value: Group; freshForMs: number; keep: Keep }> {
    const query: Query = [['group', name]];
    const [{ reply, freshForMs, keep }, clock] = await Promise.all([
      this.#broker.reference('groups', 'group/get', query, context),
      this.#clock.get(context),
    ]);
    return { value: decodeObject(group, onlyObject(reply, 'group/get', query), clock), freshForMs, keep };
  }

  async groups(
    mask: string,
    paging: Paging,
    context: Context,
  ): Promise<{ value: Page<Group>; freshForMs: number; keep: Keep }> {
    const after = decodeCursor('groups', ['string'], paging.cursor)?.[0];
    const clock = await this.#clock.get(context);
    const accept = [RETCODE.ERR_NOTFOUND, RETCODE.ERR_PARTIAL];
    const { reply, freshForMs, keep } = await this.#broker.reference(
      'groups',
      'group/get',
      [['mask', mask]],
      context,
      accept,
    );
    if (reply.retcode === RETCODE.ERR_PARTIAL)
      throw new BridgeError('invalid_field', {
        detail: `query.mask: more groups than the broker gives at once (${GROUPS_PER_READ * 10}).`,
        field: 'query.mask',
        expected: 'a narrower mask',
      });
    const all = (reply.retcode === RETCODE.ERR_NOTFOUND ? [] : payloadObjects(reply.body))
      .map((item) => decodeObject(group, item, clock))
      .filter((item) => after === undefined || item.group > after)
      .sort((a, b) => (a.group < b.group ? -1 : 1));
    const items = all.slice(0, paging.limit);
    const last = items.at(-1);
    return {
      value: { items, nextCursor: all.length > items.length && last ? encodeCursor('groups', [last.group]) : null },
      freshForMs,
      keep,
    };
  }
}

/** A user without its money is still an account: managers have none. */
const USERS = { path: 'user/get_batch' } as const satisfies Batch;
const STATES = { path: 'user/account/get_batch', optional: true } as const satisfies Batch;

const isBounded = ({ marginLevelBelow, equityBelow }: AccountsQuery): boolean =>
  marginLevelBelow !== undefined || equityBelow !== undefined;
const isFiltered = (who: AccountsQuery): boolean => isBounded(who) || searchOf(who) !== undefined;

/** Places enough for any amount and level. */
const PLACES = 20;
const isBelow = (text: string | null, bound: string | undefined): boolean =>
  bound === undefined || (text !== null && (scaledDecimal(text, PLACES) ?? 0n) < (scaledDecimal(bound, PLACES) ?? 0n));

/** Below every bound. Where no margin is used there is no level: MT5 tells 0. */
const fits = (state: Money, { marginLevelBelow, equityBelow }: AccountsQuery): boolean =>
  isBelow(state.equity, equityBelow) &&
  isBelow(state.marginLevel, marginLevelBelow) &&
  (marginLevelBelow === undefined || /[1-9]/.test(state.margin ?? ''));

const shows = ({ money: state }: Account, who: AccountsQuery): boolean =>
  !isBounded(who) || (state !== null && fits(state, who));

function accountOf(
  wireUser: WireObject,
  wireMoney: WireObject | undefined,
  terms: TermsOf,
  clock: BrokerClock,
): Account {
  const decoded = decodeObject(user, wireUser, clock);
  return {
    ...decoded,
    ...terms(decoded.group),
    money: wireMoney ? decodeObject(money, wireMoney, clock) : null,
  };
}

function pageOfLogins(all: readonly number[], { cursor, limit }: Paging, list: string): Page<number> {
  const after = decodeCursor(list, ['number'], cursor)?.[0];
  const rest = after === undefined ? all : all.filter((login) => login > Number(after));
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rest.length > limit && last !== undefined ? encodeCursor(list, [last]) : null };
}
