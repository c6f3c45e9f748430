import { BridgeError } from '../../contract/errors.ts';
import type { Caller } from '../../contract/keys.ts';
import type { Statement } from '../../contract/schemas/account.ts';
import type { Deal } from '../../contract/schemas/trade.ts';
import { addDecimals } from '../../webapi/decimal.ts';
import { rfc3339 } from '../../webapi/time.ts';
import type { ReadContext } from '../broker/broker.ts';
import type { Accounts } from './accounts.ts';
import type { TradeData } from './trade-data.ts';

type Context = ReadContext & { readonly caller: Caller };

const USUAL_MS = 31 * 86_400_000;
const DEALS_AT_ONCE = 1000;
const MOST_DEALS = 20_000;

/** Statements of accounts: put together from what the broker keeps, nothing is stored. */
export class Statements {
  readonly #accounts: Accounts;
  readonly #tradeData: TradeData;
  readonly #now: () => number;

  constructor(parts: { accounts: Accounts; tradeData: TradeData; now: () => number }) {
    this.#accounts = parts.accounts;
    this.#tradeData = parts.tradeData;
    this.#now = parts.now;
  }

  async of(
    login: number,
    query: { readonly from?: number | undefined; readonly to?: number | undefined },
    context: Context,
  ): Promise<Statement> {
    const toMs = query.to ?? this.#now();
    const fromMs = query.from ?? toMs - USUAL_MS;
    const [account, deals, positions, orders] = await Promise.all([
      this.#accounts.account(login, context),
      this.#dealsSince(login, fromMs, context),
      this.#tradeData.positions(login, { limit: DEALS_AT_ONCE }, context),
      this.#tradeData.orders(login, { limit: DEALS_AT_ONCE }, context),
    ]);
    const items = deals.filter(({ executedAtMs }) => (executedAtMs ?? 0) < toMs);
    const balance = account.money?.balance ?? account.balance;
    const before = (since: readonly Deal[]): string | null =>
      balance === null ? null : since.reduce((sum, deal) => addDecimals(sum, negated(balanceOf(deal))), balance);
    const { name, group, currency, currencyDigits, leverage, money } = account;
    return {
      login,
      name,
      group,
      currency,
      currencyDigits,
      leverage,
      from: rfc3339(fromMs),
      fromMs,
      to: rfc3339(toMs),
      toMs,
      openingBalance: before(deals),
      closingBalance: before(deals.slice(items.length)),
      totals: totalsOf(items, zero(currencyDigits)),
      items,
      positions: [...positions.items],
      orders: [...orders.items],
      money,
    };
  }

  /** By time. @throws BridgeError `invalid_field` for more than a statement holds */
  async #dealsSince(login: number, from: number, context: Context): Promise<readonly Deal[]> {
    const deals: Deal[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#tradeData.deals(login, { from, cursor, limit: DEALS_AT_ONCE }, context);
      deals.push(...page.items);
      if (deals.length > MOST_DEALS) throw tooMany();
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return deals;
  }
}

const zero = (digits: number | null): string => (digits ? `0.${'0'.repeat(digits)}` : '0');
const negated = (text: string): string => (text.startsWith('-') ? text.slice(1) : `-${text}`);
const sumOf = (texts: readonly (string | null)[], start: string): string =>
  texts.reduce<string>((sum, text) => addDecimals(sum, text ?? '0'), start);

/** What a deal makes of the balance: credit is kept beside it. */
const balanceOf = (deal: Deal): string =>
  deal.action === 'credit' ? '0' : sumOf([deal.profit, deal.storage, deal.commission, deal.fee], '0');

const TRADES: ReadonlySet<Deal['action']> = new Set(['buy', 'sell']);
const COMMISSIONS: ReadonlySet<Deal['action']> = new Set(['commission', 'commission_daily', 'commission_monthly']);
const OWN_LINE: ReadonlySet<Deal['action']> = new Set([...TRADES, ...COMMISSIONS, 'balance', 'credit']);

function totalsOf(deals: readonly Deal[], start: string): Statement['totals'] {
  const profitOf = (wanted: (deal: Deal) => boolean): string =>
    sumOf(
      deals.filter((deal) => wanted(deal)).map(({ profit }) => profit),
      start,
    );
  const isTrade = ({ action }: Deal): boolean => TRADES.has(action);
  const commissions = profitOf(({ action }) => COMMISSIONS.has(action));
  return {
    trades: deals.filter((deal) => isTrade(deal) && deal.entry !== 'in').length,
    profit: profitOf(isTrade),
    storage: sumOf(
      deals.map(({ storage }) => storage),
      start,
    ),
    commission: sumOf(
      deals.map(({ commission }) => commission),
      commissions,
    ),
    fee: sumOf(
      deals.map(({ fee }) => fee),
      start,
    ),
    deposits: profitOf(({ action, profit }) => action === 'balance' && !profit?.startsWith('-')),
    withdrawals: profitOf(({ action, profit }) => action === 'balance' && profit?.startsWith('-') === true),
    credit: profitOf(({ action }) => action === 'credit'),
    other: profitOf(({ action }) => !OWN_LINE.has(action)),
  };
}

const tooMany = (): BridgeError =>
  new BridgeError('invalid_field', {
    detail: `query.from: the account has more than ${MOST_DEALS} deals since then.`,
    field: 'query.from',
    expected: 'a later time',
  });
