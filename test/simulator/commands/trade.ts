/** Balance operations and the calculator. */
import { balanceRetcode } from '../broker/balance.ts';
import type { Group } from '../broker/groups.ts';
import { decimal, EXT_PER_VOLUME, parseDecimal } from '../broker/money.ts';
import type { RateSide } from '../broker/rates.ts';
import type { SymbolSpec } from '../broker/symbols.ts';
import { COMMENT_CHARACTERS } from '../broker/trade-request.ts';
import { exposuresAfter } from '../broker/trade-rules.ts';
import { profitRaw } from '../broker/valuation.ts';
import { done, refused, type Command, type CommandReply, type CommandRequest } from '../command.ts';
import { renderAccount } from './render-users.ts';
import { isRefusal, RETCODE, seesGroup, userOf } from './scope.ts';

function balance(request: CommandRequest): CommandReply {
  const { parameters, broker } = request;
  const user = userOf(request, parameters.integer('login'));
  if (isRefusal(user)) return user;
  const { world } = broker;
  const action = parameters.integer('type');
  const comment = parameters.text('comment') ?? '';
  const check = parameters.text('check_margin') ?? '1';
  const amount = parseDecimal(parameters.text('balance') ?? '', world.books.groupOf(user).currencyDigits);
  if (action === undefined || Number.isNaN(action) || (check !== '0' && check !== '1')) return refused(RETCODE.params);
  if (amount === undefined) {
    // Numbers too large to hold are beyond the money limit, everything else is no number.
    return refused(/^-?\d+(?:\.\d*)?$/u.test(parameters.text('balance') ?? '') ? 4005 : RETCODE.params);
  }
  if (comment.length > COMMENT_CHARACTERS) return refused(RETCODE.params);
  const operation = { user, action, amount, comment, dealer: request.manager.login, timeMsc: broker.time.serverMs() };
  const retcode = balanceRetcode(world, operation, check === '1');
  if (retcode !== 0) return refused(retcode);
  const deal = world.execution.balance(operation);
  broker.mutations += 1;
  return { retcode: 0, scalars: { Ticket: deal.ticket } };
}

function symbolAsked(request: CommandRequest): SymbolSpec | CommandReply {
  const name = request.parameters.text('symbol');
  if (name === undefined || name === '') return refused(RETCODE.params);
  return request.broker.world.books.symbols.get(name) ?? refused(RETCODE.notFound);
}

function groupAsked(request: CommandRequest): Group | CommandReply {
  const name = request.parameters.text('group');
  if (name === undefined || name === '') return refused(RETCODE.params);
  const group = request.broker.world.books.groups.get(name);
  return group === undefined || !seesGroup(request.manager, name) ? refused(RETCODE.permissions) : group;
}

/** `volume` in 1/10,000 lot and a side; undefined where either cannot be read. */
function sideAndVolume(request: CommandRequest): { readonly side: 0 | 1; readonly volume: number } | undefined {
  const type = request.parameters.integer('type');
  const volume = request.parameters.integer('volume');
  const ext = request.parameters.integer('volume_ext');
  const value = ext !== undefined && ext > 0 ? ext : (volume ?? 0) * EXT_PER_VOLUME;
  if ((type !== 0 && type !== 1) || !Number.isSafeInteger(value) || value <= 0) return undefined;
  return { side: type, volume: value };
}

/** The account as it is and as it would be with one more deal. */
function checkMargin(request: CommandRequest): CommandReply {
  const user = userOf(request, request.parameters.integer('login'));
  if (isRefusal(user)) return user;
  const symbol = symbolAsked(request);
  if (isRefusal(symbol)) return symbol;
  const { world } = request.broker;
  const group = world.books.groupOf(user);
  const trade = sideAndVolume(request);
  const market = world.accounts.price(group, symbol);
  const asked = parseDecimal(request.parameters.text('price') ?? '0', symbol.digits);
  if (trade === undefined || asked === undefined || asked < 0 || market === undefined) return refused(RETCODE.params);
  const price = asked === 0 ? (trade.side === 0 ? market.ask : market.bid) : asked;
  const positions = world.books.positions.of(user.login).filter((position) => position.symbol === symbol.name);
  const exposures = exposuresAfter(positions, group.hedging, {
    ...trade,
    price,
    rateMargin: world.accounts.rateMargin(group, symbol, trade.side),
    position: 0,
  });
  return done({
    new: renderAccount(user, world, world.accounts.state(user, { symbol: symbol.name, exposures })),
    current: renderAccount(user, world),
  });
}

function calcProfit(request: CommandRequest): CommandReply {
  const group = groupAsked(request);
  if (isRefusal(group)) return group;
  const symbol = symbolAsked(request);
  if (isRefusal(symbol)) return symbol;
  const trade = sideAndVolume(request);
  const open = parseDecimal(request.parameters.text('price_open') ?? '', symbol.digits);
  const close = parseDecimal(request.parameters.text('price_close') ?? '', symbol.digits);
  if (trade === undefined || open === undefined || close === undefined) return refused(RETCODE.params);
  const { accounts } = request.broker.world;
  const rate = accounts.rateProfit(group, symbol, trade.side);
  // Six decimals, as the documentation shows: the product before it is rounded to the currency.
  const raw = profitRaw(symbol, trade.side, trade.volume, open, close);
  const millionths = (BigInt(raw) * BigInt(rate)) / 10n ** BigInt(symbol.profitDigits + 2);
  return done({ Profit: decimal(Number(millionths), 6), Profit_rate: decimal(Math.round(rate / 100), 6) });
}

function calcRate(side: RateSide): Command['run'] {
  return (request) => {
    const base = request.parameters.text('base');
    const currency = request.parameters.text('currency');
    if (base === undefined || base === '' || currency === undefined || currency === '') return refused(RETCODE.params);
    const rate = request.broker.world.rates.rate(base, currency, side);
    return rate === undefined ? refused(RETCODE.notFound) : done({ Rate: decimal(rate, 8) });
  };
}

const READ = ['RIGHT_TRADES_READ'] as const;

export const tradeCommands: readonly Command[] = [
  { path: 'trade/balance', rights: ['RIGHT_ACCOUNTANT'], run: balance, mutates: true },
  { path: 'trade/check_margin', rights: READ, run: checkMargin },
  { path: 'trade/calc_profit', rights: READ, run: calcProfit },
  { path: 'trade/calc_rate_buy', rights: READ, run: calcRate('buy') },
  { path: 'trade/calc_rate_sell', rights: READ, run: calcRate('sell') },
];
