/** Reads of open orders, history orders, deals and positions: one shape for all four. */
import type { World } from '../broker/world.ts';
import type { Ledger } from '../broker/books.ts';
import { compileMask } from '../broker/masks.ts';
import type { Deal, Order, Position, User } from '../broker/records.ts';
import {
  done,
  refused,
  type Command,
  type CommandHandler,
  type CommandReply,
  type CommandRequest,
} from '../command.ts';
import type { Switches } from '../switches.ts';
import { flatInTurns, listOf } from './long-list.ts';
import { dealText, historyText, renderOrder, renderPosition } from './render-trades.ts';
import { isRefusal, numbersOf, RETCODE, seesGroup, userOf, usersAsked } from './scope.ts';

/** Users whose rows are looked through before other connections have their turn. */
const USERS_A_TURN = 1_000;

export interface Row {
  readonly ticket: number;
  readonly login: number;
  readonly symbol: string;
}

/** One of the four kinds: where its rows are, when they happened, what they look like. */
export interface Kind<R extends Row> {
  readonly name: 'order' | 'history' | 'deal' | 'position';
  readonly ledger: (world: World) => Ledger<R>;
  /** Server time in ms that `from` and `to` are compared with; kinds without ask for no period. */
  readonly timeMs?: (row: R) => number;
  readonly render: (row: R, world: World, switches: Readonly<Switches>) => object;
}

export const KINDS = {
  order: { name: 'order', ledger: (world) => world.books.orders, render: renderOrder } satisfies Kind<Order>,
  history: {
    name: 'history',
    ledger: (world) => world.books.history,
    timeMs: (order) => order.timeDoneMsc,
    render: historyText,
  } satisfies Kind<Order>,
  deal: {
    name: 'deal',
    ledger: (world) => world.books.deals,
    timeMs: (deal) => deal.timeMsc,
    render: dealText,
  } satisfies Kind<Deal>,
  position: {
    name: 'position',
    ledger: (world) => world.books.positions,
    render: renderPosition,
  } satisfies Kind<Position>,
} as const;

interface Period {
  readonly fromMs: number;
  /** Exclusive: the end of the last second asked for. */
  readonly toMs: number;
}

/** `from` and `to` in Unix seconds of server time, both inclusive; 0 or nothing as `to` is no end. */
function periodOf(request: CommandRequest): Period | undefined {
  const from = request.parameters.integer('from') ?? 0;
  const to = request.parameters.integer('to') ?? 0;
  if (Number.isNaN(from) || Number.isNaN(to)) return undefined;
  return { fromMs: from * 1000, toMs: to === 0 ? Number.POSITIVE_INFINITY : (to + 1) * 1000 };
}

function within<R extends Row>(kind: Kind<R>, rows: readonly R[], period: Period): readonly R[] {
  const { timeMs } = kind;
  if (timeMs === undefined || (period.fromMs === 0 && period.toMs === Number.POSITIVE_INFINITY)) return rows;
  return rows.filter((row) => {
    const at = timeMs(row);
    return at >= period.fromMs && at < period.toMs;
  });
}

/** Rows of a login in the period asked for; a period is required of kinds that have times. */
function rowsOfLogin<R extends Row>(kind: Kind<R>, request: CommandRequest): readonly R[] | CommandReply {
  const user = userOf(request, request.parameters.integer('login'));
  if (isRefusal(user)) return user;
  const period = periodOf(request);
  if (period === undefined) return refused(RETCODE.params);
  return within(kind, kind.ledger(request.broker.world).of(user.login), period);
}

function get<R extends Row>(kind: Kind<R>): Command['run'] {
  return (request) => {
    const ticket = request.parameters.integer('ticket');
    const { world } = request.broker;
    if (kind.name === 'position' && ticket === undefined) return getPosition(request);
    if (ticket === undefined || Number.isNaN(ticket) || ticket === 0) return refused(RETCODE.params);
    const row = kind.ledger(world).get(ticket);
    if (row === undefined) return refused(RETCODE.notFound);
    const user = userOf(request, row.login);
    return isRefusal(user) ? user : done(kind.render(row, world, request.switches));
  };
}

/** `login` and `symbol`: the first position of that symbol. */
function getPosition(request: CommandRequest): CommandReply {
  const user = userOf(request, request.parameters.integer('login'));
  if (isRefusal(user)) return user;
  const symbol = request.parameters.text('symbol');
  if (symbol === undefined || symbol === '') return refused(RETCODE.params);
  const { world } = request.broker;
  const position = world.books.positions.of(user.login).find((candidate) => candidate.symbol === symbol);
  return position === undefined ? refused(RETCODE.notFound) : done(renderPosition(position, world, request.switches));
}

function getTotal<R extends Row>(kind: Kind<R>): Command['run'] {
  return (request) => {
    const rows = rowsOfLogin(kind, request);
    return isRefusal(rows) ? rows : { retcode: 0, scalars: { Total: rows.length } };
  };
}

function list<R extends Row>(kind: Kind<R>, rows: readonly R[], request: CommandRequest): ReturnType<CommandHandler> {
  if (rows.length === 0 && request.switches.emptyResult === '13') return refused(RETCODE.notFound);
  return listOf(rows, (row) => kind.render(row, request.broker.world, request.switches), request.switches.mostObjects);
}

function getPage<R extends Row>(kind: Kind<R>): Command['run'] {
  return (request) => {
    const rows = rowsOfLogin(kind, request);
    if (isRefusal(rows)) return rows;
    const offset = request.parameters.integer('offset') ?? 0;
    const total = request.parameters.integer('total') ?? request.switches.pageLimit;
    if (Number.isNaN(offset) || Number.isNaN(total)) return refused(RETCODE.params);
    const { pageLimit, totalZero } = request.switches;
    if (total === 0 && totalZero === 'all') return list(kind, rows.slice(offset), request);
    return list(kind, rows.slice(offset, offset + Math.min(total, pageLimit)), request);
  };
}

/** By `ticket` list, or by `login` list or `group` mask; `symbol` masks narrow either. */
function getBatch<R extends Row>(kind: Kind<R>): Command['run'] {
  return (request) => {
    const period = periodOf(request);
    if (period === undefined) return refused(RETCODE.params);
    const { world } = request.broker;
    const ledger = kind.ledger(world);
    const answer = (rows: readonly R[]): ReturnType<CommandHandler> => list(kind, ofSymbols(rows, request), request);
    const tickets = request.parameters.text('ticket');
    if (tickets !== undefined && tickets !== '') {
      const numbers = numbersOf(tickets);
      if (numbers === undefined) return refused(RETCODE.params);
      const rows = [...new Set(numbers)].flatMap((ticket) => {
        const row = ledger.get(ticket);
        const user = row === undefined ? undefined : world.books.users.get(row.login);
        return row !== undefined && user !== undefined && seesGroup(request.manager, user.group) ? [row] : [];
      });
      return answer(rows);
    }
    const users = usersAsked(request);
    if (isRefusal(users)) return users;
    const rowsOf = ({ login }: User): readonly R[] => within(kind, ledger.of(login), period);
    if (users.length <= USERS_A_TURN) return answer(users.flatMap(rowsOf));
    return flatInTurns(users, rowsOf, USERS_A_TURN).then(answer);
  };
}

function ofSymbols<R extends Row>(rows: readonly R[], { parameters, broker }: CommandRequest): readonly R[] {
  const symbols = parameters.text('symbol');
  if (symbols === undefined || symbols === '') return rows;
  const matches = compileMask(symbols);
  return rows.filter(({ symbol }) => matches(symbol, broker.world.books.symbols.get(symbol)?.path ?? symbol));
}

function commandsOf<R extends Row>(kind: Kind<R>): readonly Command[] {
  const rights = ['RIGHT_TRADES_READ'] as const;
  return [
    { path: `${kind.name}/get`, rights, run: get(kind) },
    { path: `${kind.name}/get_total`, rights, run: getTotal(kind) },
    { path: `${kind.name}/get_page`, rights, run: getPage(kind) },
    { path: `${kind.name}/get_batch`, rights, run: getBatch(kind) },
  ];
}

export const tradeReadCommands: readonly Command[] = [
  ...commandsOf<Order>(KINDS.order),
  ...commandsOf<Order>(KINDS.history),
  ...commandsOf<Deal>(KINDS.deal),
  ...commandsOf<Position>(KINDS.position),
];
