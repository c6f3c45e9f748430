/** The books as plain JSON, for comparing before and after: money as decimals, everything by login. */
import type { Accounts } from './account.ts';
import type { Books } from './books.ts';
import { decimal } from './money.ts';
import type { Deal, Order, Position } from './records.ts';

const lots = (volume: number): string => decimal(volume, 8);

function orderJson(order: Order): object {
  return {
    order: order.ticket,
    login: order.login,
    symbol: order.symbol,
    type: order.type,
    state: order.state,
    price: decimal(order.price, order.digits),
    sl: decimal(order.sl, order.digits),
    tp: decimal(order.tp, order.digits),
    lots: lots(order.volumeInitial),
    lotsCurrent: lots(order.volumeCurrent),
    position: order.positionId,
    comment: order.comment,
  };
}

function positionJson(position: Position): object {
  return {
    position: position.ticket,
    login: position.login,
    symbol: position.symbol,
    action: position.action,
    priceOpen: decimal(position.priceOpen, position.digits),
    sl: decimal(position.sl, position.digits),
    tp: decimal(position.tp, position.digits),
    lots: lots(position.volume),
    storage: decimal(position.storage, position.currencyDigits),
    comment: position.comment,
  };
}

function dealJson(deal: Deal): object {
  const money = (value: number): string => decimal(value, deal.currencyDigits);
  return {
    deal: deal.ticket,
    login: deal.login,
    order: deal.order,
    position: deal.positionId,
    symbol: deal.symbol,
    action: deal.action,
    entry: deal.entry,
    timeMsc: deal.timeMsc,
    price: decimal(deal.price, deal.digits),
    lots: lots(deal.volume),
    profit: money(deal.profit),
    storage: money(deal.storage),
    commission: money(deal.commission),
    comment: deal.comment,
  };
}

export function booksJson(books: Books, accounts: Accounts): object {
  return {
    users: [...books.users.values()].map((user) => {
      const { currencyDigits, currency } = books.groupOf(user);
      const state = accounts.state(user);
      const money = (value: number): string => decimal(value, currencyDigits);
      return {
        login: user.login,
        group: user.group,
        currency,
        balance: money(user.balance),
        credit: money(user.credit),
        equity: money(state.equity),
        margin: money(state.margin),
        marginFree: money(state.marginFree),
        profit: money(state.profit),
        storage: money(state.storage),
        positions: books.positions.of(user.login).map(positionJson),
        orders: books.orders.of(user.login).map(orderJson),
        history: books.history.of(user.login).length,
        deals: books.deals.of(user.login).map(dealJson),
      };
    }),
  };
}
