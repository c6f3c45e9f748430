import { BridgeError } from '../../contract/errors.ts';
import type { Caller } from '../../contract/keys.ts';
import type { Exposure } from '../../contract/routes/exposure.ts';
import { addDecimals, plainDecimal } from '../../webapi/decimal.ts';
import { Fields, type WireObject } from '../../webapi/fields.ts';
import { rfc3339 } from '../../webapi/time.ts';
import { lotsOf, volumeUnits } from '../../webapi/volume.ts';
import type { Broker, ReadContext } from '../broker/broker.ts';
import { commaLists } from '../broker/comma-lists.ts';
import { groupsOfMask } from '../broker/groups.ts';
import { resolveLogins, type LoginQuery } from '../broker/logins.ts';
import type { Batch, ManyRows } from '../broker/many-rows.ts';

type Context = ReadContext & { readonly caller: Caller };

const POSITIONS: Batch = { path: 'position/get_batch' };
const USERS: Batch = { path: 'user/get_batch' };
/** `Action` of a position: 0 buys, 1 sells (mt5-webapi §3.10). */
const BUYS = 0;
const SELLS = 1;

interface Sum {
  readonly accounts: Set<number>;
  longUnits: bigint;
  shortUnits: bigint;
  profit: string;
}

/** What is open, by symbol and by the currency of the accounts: profits of two currencies have no sum. */
export class ExposureReader {
  readonly #broker: Broker;
  readonly #many: ManyRows;
  readonly #now: () => number;

  constructor(broker: Broker, many: ManyRows, now: () => number) {
    this.#broker = broker;
    this.#many = many;
    this.#now = now;
  }

  /** @throws BridgeError; nothing is summed before everything was read */
  async of(who: LoginQuery, context: Context): Promise<Exposure> {
    const readAtMs = this.#now();
    const sums = new Map<string, Sum>();
    if (who.group !== undefined && context.caller.logins === undefined) await this.#ofMask(who.group, sums, context);
    else await this.#ofLogins(await resolveLogins(this.#broker, who, context), sums, context);
    const items = [...sums].map(([key, sum]) => {
      const [symbol, currency] = JSON.parse(key) as [string, string | null];
      return {
        symbol,
        currency,
        longLots: lotsOf(sum.longUnits),
        shortLots: lotsOf(sum.shortUnits),
        netLots: lotsOf(sum.longUnits - sum.shortUnits),
        accounts: sum.accounts.size,
        profit: sum.profit,
      };
    });
    const inOrder = items.sort((a, b) => compare(a.symbol, b.symbol) || compare(a.currency ?? '', b.currency ?? ''));
    return { items: inOrder, readAt: rfc3339(readAtMs), readAtMs };
  }

  async #ofMask(mask: string, sums: Map<string, Sum>, context: Context): Promise<void> {
    const groups = await groupsOfMask(this.#broker, mask, context);
    const masks = groups ? masksByCurrency(groups) : [{ currency: null, mask }];
    for (const { currency, mask: part } of masks)
      for await (const [all = []] of this.#many.ofMask([POSITIONS], part, [], context))
        for await (const positions of this.#many.inParts(all))
          for (const position of positions) add(sums, position, currency);
  }

  async #ofLogins(logins: readonly number[], sums: Map<string, Sum>, context: Context): Promise<void> {
    const asked = new Set(logins);
    const currencies = new Map<string, string | null>();
    for await (const [users = [], positions = []] of this.#many.ofLogins([USERS, POSITIONS], logins, [], context)) {
      const groupOf = new Map(
        users.map((user) => {
          const fields = new Fields(user);
          return [fields.integer('Login'), fields.text('Group') ?? ''] as const;
        }),
      );
      for (const position of positions) {
        const login = new Fields(position).integer('Login');
        if (login === undefined || !asked.has(login)) continue;
        const group = groupOf.get(login) ?? '';
        if (!currencies.has(group)) currencies.set(group, await this.#currencyOf(group, context));
        add(sums, position, currencies.get(group) ?? null);
      }
    }
  }

  async #currencyOf(group: string, context: Context): Promise<string | null> {
    const [found] = (await groupsOfMask(this.#broker, group, context)) ?? [];
    return (found && new Fields(found).text('Currency')) ?? null;
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Groups of one currency are asked for together. */
function masksByCurrency(groups: readonly WireObject[]): { currency: string | null; mask: string }[] {
  const byCurrency = new Map<string | null, string[]>();
  for (const group of groups) {
    const fields = new Fields(group);
    const name = fields.text('Group');
    const currency = fields.text('Currency') ?? null;
    if (name !== undefined) byCurrency.set(currency, [...(byCurrency.get(currency) ?? []), name]);
  }
  return [...byCurrency].flatMap(([currency, names]) =>
    commaLists(names).map((list) => ({ currency, mask: list.join(',') })),
  );
}

/** @throws BridgeError `broker_malformed` for a position that cannot be summed: a sum without it would look like one of all */
function add(sums: Map<string, Sum>, position: WireObject, currency: string | null): void {
  const fields = new Fields(position);
  const [symbol, login, action] = [fields.text('Symbol'), fields.integer('Login'), fields.integer('Action')];
  const units = volumeUnits(fields.text('Volume'), fields.text('VolumeExt'));
  const profit = plainDecimal(fields.text('Profit')?.trim() ?? '');
  const isLegible = (action === BUYS || action === SELLS) && units !== undefined && profit !== undefined;
  if (symbol === undefined || login === undefined || !isLegible) {
    const ticket = fields.text('Position') ?? 'without a ticket';
    throw new BridgeError('broker_malformed', `The broker sent position ${ticket} in a form that cannot be summed.`);
  }
  const key = JSON.stringify([symbol, currency]);
  let sum = sums.get(key);
  if (!sum) sums.set(key, (sum = { accounts: new Set(), longUnits: 0n, shortUnits: 0n, profit: '0' }));
  if (action === BUYS) sum.longUnits += units;
  else sum.shortUnits += units;
  sum.accounts.add(login);
  sum.profit = addDecimals(sum.profit, profit);
}
