/** Whether the books balance: every figure again, from the deals alone. */
import type { Accounts } from './account.ts';
import type { Books } from './books.ts';
import { commissionOf } from './charges.ts';
import { decimal } from './money.ts';
import { DEAL_ACTION, type Deal, type Position } from './records.ts';
import { replayPositions, type ReplayedPosition } from './replay.ts';
import { convert, profitRaw } from './valuation.ts';

/** What history says about a login: money, and the volume left of every position. */
export function totalsOf(deals: readonly Deal[]): { balance: number; credit: number } {
  let balance = 0;
  let credit = 0;
  for (const deal of deals) {
    if (deal.action === DEAL_ACTION.credit) credit += deal.profit;
    else balance += deal.profit + deal.storage + deal.commission;
  }
  return { balance, credit };
}

/** Profit and commission of a deal by the rules, from the rates that the deal shows. */
function wrongDeal(deal: Deal): string | undefined {
  if (deal.terms === undefined || deal.modifyFlags !== 0) return undefined;
  const { group, symbol } = deal.terms;
  if (deal.volumeClosed > 0) {
    // A selling deal closes a bought position.
    const raw = profitRaw(symbol, deal.action === 1 ? 0 : 1, deal.volumeClosed, deal.pricePosition, deal.price);
    const profit = convert(raw, deal.profitDigits, deal.currencyDigits, deal.rateProfit);
    if (profit !== deal.profit) return `deal ${deal.ticket}: profit ${deal.profit}, by its prices ${profit}`;
  } else if (deal.profit !== 0) {
    return `deal ${deal.ticket}: opens and has a profit`;
  }
  const commission = commissionOf(group, symbol, deal);
  return commission === deal.commission
    ? undefined
    : `deal ${deal.ticket}: commission ${deal.commission}, by the rules ${commission}`;
}

function differences(position: Position, expected: ReplayedPosition): string[] {
  const names = ['action', 'volume', 'priceOpen', 'rateMargin'] as const;
  return names
    .filter((name) => position[name] !== expected[name])
    .map((name) => `position ${position.ticket}: ${name} ${position[name]}, by deals ${expected[name]}`);
}

export function verifyBooks(books: Books, accounts: Accounts): string[] {
  const wrong: string[] = [];
  for (const user of books.users.values()) {
    const deals = books.deals.of(user.login);
    const { currencyDigits } = books.groupOf(user);
    const money = (value: number): string => decimal(value, currencyDigits);
    const totals = totalsOf(deals);
    if (totals.balance !== user.balance) {
      wrong.push(`login ${user.login}: balance ${money(user.balance)}, by deals ${money(totals.balance)}`);
    }
    if (totals.credit !== user.credit) {
      wrong.push(`login ${user.login}: credit ${money(user.credit)}, by deals ${money(totals.credit)}`);
    }
    const replayed = replayPositions(deals);
    for (const position of books.positions.of(user.login)) {
      const expected = replayed.get(position.ticket);
      replayed.delete(position.ticket);
      if (expected === undefined) wrong.push(`position ${position.ticket}: no deals of it`);
      else if (position.modifyFlags === 0) wrong.push(...differences(position, expected));
    }
    for (const { ticket, volume } of replayed.values()) {
      wrong.push(`position ${ticket}: closed, by deals ${volume} is open`);
    }
    for (const deal of deals) {
      const sentence = wrongDeal(deal);
      if (sentence !== undefined) wrong.push(sentence);
    }
    for (const order of books.orders.of(user.login)) {
      if (order.volumeCurrent <= 0 || order.volumeCurrent > order.volumeInitial)
        wrong.push(`order ${order.ticket}: volume ${order.volumeCurrent}`);
    }
    const state = accounts.state(user);
    if (state.equity !== state.balance + state.credit + state.profit + state.storage) {
      wrong.push(`login ${user.login}: equity ${money(state.equity)} is not the sum of its parts`);
    }
  }
  return wrong;
}
