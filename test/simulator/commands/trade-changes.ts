/** Changes of single records by an administrator: update, delete, cancel, reopen, positions against deals. */
import type { Ledger } from '../broker/books.ts';
import { rolledFrom } from '../broker/charges.ts';
import { parseDecimal } from '../broker/money.ts';
import { ORDER_STATE, type Deal, type Order, type Position } from '../broker/records.ts';
import { replayPositions, type ReplayedPosition } from '../broker/replay.ts';
import type { World } from '../broker/world.ts';
import { done, refused, type Command, type CommandReply, type CommandRequest } from '../command.ts';
import { flatRecord } from './records-in.ts';
import { forgetText, renderPosition } from './render-trades.ts';
import { isRefusal, numbersOf, RETCODE, userOf } from './scope.ts';
import type { Row } from './trade-reads.ts';

/** Order.EnTradeModifyFlags: changed over the API by a manager. */
const API_MANAGER = 0x20;
const COMMENT_CHARACTERS = 31;

type Scale = 'price' | 'money' | 'integer' | 'text';

interface Changeable<R extends Row> {
  readonly ledger: (world: World) => Ledger<R>;
  /** Name of the ticket in a body. */
  readonly ticket: string;
  /** Wire name → member of the record and how it is written. */
  readonly fields: Readonly<Record<string, readonly [member: keyof R & string, scale: Scale]>>;
}

const ORDER_FIELDS = {
  ExternalID: ['externalId', 'text'],
  Comment: ['comment', 'text'],
  PriceOrder: ['price', 'price'],
  PriceTrigger: ['priceTrigger', 'price'],
  PriceSL: ['sl', 'price'],
  PriceTP: ['tp', 'price'],
  TypeTime: ['typeTime', 'integer'],
  TimeExpiration: ['timeExpiration', 'integer'],
  Reason: ['reason', 'integer'],
  Dealer: ['dealer', 'integer'],
  ExpertID: ['expertId', 'integer'],
} satisfies Changeable<Order>['fields'];

const CHANGEABLE = {
  order: { ledger: (world) => world.books.orders, ticket: 'Order', fields: ORDER_FIELDS } satisfies Changeable<Order>,
  history: {
    ledger: (world) => world.books.history,
    ticket: 'Order',
    fields: ORDER_FIELDS,
  } satisfies Changeable<Order>,
  deal: {
    ledger: (world) => world.books.deals,
    ticket: 'Deal',
    fields: {
      ExternalID: ['externalId', 'text'],
      Comment: ['comment', 'text'],
      Price: ['price', 'price'],
      PriceSL: ['sl', 'price'],
      PriceTP: ['tp', 'price'],
      Profit: ['profit', 'money'],
      Storage: ['storage', 'money'],
      Commission: ['commission', 'money'],
      Reason: ['reason', 'integer'],
      Dealer: ['dealer', 'integer'],
      ExpertID: ['expertId', 'integer'],
    },
  } satisfies Changeable<Deal>,
  position: {
    ledger: (world) => world.books.positions,
    ticket: 'Position',
    fields: {
      ExternalID: ['externalId', 'text'],
      Comment: ['comment', 'text'],
      PriceOpen: ['priceOpen', 'price'],
      PriceSL: ['sl', 'price'],
      PriceTP: ['tp', 'price'],
      Storage: ['storage', 'money'],
      Reason: ['reason', 'integer'],
      Dealer: ['dealer', 'integer'],
      ExpertID: ['expertId', 'integer'],
    },
  } satisfies Changeable<Position>,
} as const;

type Digits = { readonly digits: number; readonly currencyDigits: number };

/** The value of a field in the books' units; undefined where it cannot be read. */
function valueOf(text: string, scale: Scale, row: Digits): string | number | undefined {
  switch (scale) {
    case 'text':
      return text.length > COMMENT_CHARACTERS ? undefined : text;
    case 'integer':
      return /^\d{1,16}$/u.test(text) ? Number(text) : undefined;
    case 'price': {
      const price = parseDecimal(text, row.digits);
      return price === undefined || price < 0 ? undefined : price;
    }
    case 'money':
      return parseDecimal(text, row.currencyDigits);
    default:
      return undefined;
  }
}

function update<R extends Row & Digits & { modifyFlags: number }>(kind: Changeable<R>): Command['run'] {
  return (request) => {
    const { body, broker } = request;
    const bodies: readonly unknown[] = Array.isArray(body) ? body : [body];
    const changes: { readonly row: R; readonly values: Record<string, string | number> }[] = [];
    for (const one of bodies) {
      const fields = flatRecord(one);
      const ticket = Number(fields?.[kind.ticket] ?? fields?.['Ticket'] ?? Number.NaN);
      if (fields === undefined || !Number.isSafeInteger(ticket)) return refused(RETCODE.params);
      const row = kind.ledger(broker.world).get(ticket);
      if (row === undefined) return refused(RETCODE.notFound);
      const user = userOf(request, row.login);
      if (isRefusal(user)) return user;
      const values: Record<string, string | number> = {};
      for (const [name, [member, scale]] of Object.entries(kind.fields)) {
        const text = fields[name];
        if (text === undefined) continue;
        const value = valueOf(text, scale, row);
        if (value === undefined) return refused(RETCODE.params);
        values[member] = value;
      }
      changes.push({ row, values });
    }
    if (changes.length === 0) return refused(RETCODE.params);
    for (const { row, values } of changes) {
      Object.assign(row, values, { modifyFlags: row.modifyFlags | API_MANAGER });
      forgetText(row);
      broker.world.books.touch(row.login);
    }
    broker.mutations += changes.length;
    return done();
  };
}

/** Tickets in `ticket=a,b` or in a list in the body, all visible and existing. */
function rowsAsked<R extends Row>(request: CommandRequest, ledger: Ledger<R>): R[] | CommandReply {
  const body: unknown = request.body;
  const list = Array.isArray(body)
    ? (body as readonly unknown[]).map(String).join(',')
    : request.parameters.text('ticket');
  const tickets = list === undefined || list === '' ? undefined : numbersOf(list);
  if (tickets === undefined) return refused(RETCODE.params);
  const rows: R[] = [];
  for (const ticket of new Set(tickets)) {
    const row = ledger.get(ticket);
    if (row === undefined) return refused(RETCODE.notFound);
    const user = userOf(request, row.login);
    if (isRefusal(user)) return user;
    rows.push(row);
  }
  return rows;
}

function onRows<R extends Row>(kind: Changeable<R>, act: (request: CommandRequest, row: R) => number): Command['run'] {
  return (request) => {
    const { broker } = request;
    const rows = rowsAsked(request, kind.ledger(broker.world));
    if (isRefusal(rows)) return rows;
    for (const row of rows) {
      const retcode = act(request, row);
      if (retcode !== 0) return refused(retcode);
      broker.world.books.touch(row.login);
      broker.mutations += 1;
    }
    return done();
  };
}

const removeFrom = <R extends Row>(kind: Changeable<R>): Command['run'] =>
  onRows(kind, ({ broker }, row) => {
    kind.ledger(broker.world).remove(row);
    return 0;
  });

const cancel = onRows(CHANGEABLE.order, ({ broker }, order: Order) => {
  broker.world.execution.archive(order, ORDER_STATE.canceled, broker.time.serverMs());
  return 0;
});

/** Only orders that were withdrawn or ran out come back. */
const reopen = onRows(CHANGEABLE.history, ({ broker }, order: Order) => {
  if (order.state !== ORDER_STATE.canceled && order.state !== ORDER_STATE.expired) return RETCODE.params;
  const { books } = broker.world;
  books.history.remove(order);
  Object.assign(order, { state: ORDER_STATE.placed, timeDoneMsc: 0, typeTime: 0, timeExpiration: 0 });
  books.orders.add(order);
  forgetText(order);
  return 0;
});

interface Comparison {
  readonly current: readonly Position[];
  readonly invalid: readonly Position[];
  readonly missed: readonly ReplayedPosition[];
  readonly nonexist: readonly Position[];
}

/** Positions of a login against what its deals leave. */
function compare(world: World, login: number): Comparison {
  const replayed = replayPositions(world.books.deals.of(login));
  const current = [...world.books.positions.of(login)];
  const differs = (position: Position): boolean => {
    const expected = replayed.get(position.ticket);
    return expected !== undefined && (expected.volume !== position.volume || expected.action !== position.action);
  };
  return {
    current,
    invalid: current.filter(differs),
    missed: [...replayed.values()].filter(({ ticket }) => world.books.positions.get(ticket) === undefined),
    nonexist: current.filter(({ ticket }) => !replayed.has(ticket)),
  };
}

function restored(replay: ReplayedPosition, nowMs: number): Position {
  const { opened } = replay;
  return {
    ticket: replay.ticket,
    externalId: '',
    login: opened.login,
    dealer: opened.dealer,
    symbol: replay.symbol,
    action: replay.action,
    digits: opened.digits,
    currencyDigits: opened.currencyDigits,
    reason: opened.reason,
    contractSize: opened.contractSize,
    timeCreateMsc: opened.timeMsc,
    timeUpdateMsc: nowMs,
    modifyFlags: API_MANAGER,
    priceOpen: replay.priceOpen,
    sl: 0,
    tp: 0,
    volume: replay.volume,
    storage: 0,
    rolledUntilMs: rolledFrom(nowMs),
    rateMargin: replay.rateMargin,
    expertId: opened.expertId,
    comment: opened.comment,
    activationMode: 0,
    activationTime: 0,
    activationPrice: 0,
    activationFlags: 0,
  };
}

function checkPositions(fix: boolean): Command['run'] {
  return (request): CommandReply => {
    const user = userOf(request, request.parameters.integer('login'));
    if (isRefusal(user)) return user;
    const { broker, switches } = request;
    const { world } = broker;
    const nowMs = broker.time.serverMs();
    const found = compare(world, user.login);
    const render = (position: Position): object => renderPosition(position, world, switches);
    const answer = {
      current: found.current.map(render),
      invalid: found.invalid.map(render),
      missed: found.missed.map((replay) => render(restored(replay, nowMs))),
      nonexist: found.nonexist.map(render),
    };
    if (!fix || found.invalid.length + found.missed.length + found.nonexist.length === 0) return done(answer);
    for (const position of [...found.invalid, ...found.nonexist]) world.books.positions.remove(position);
    for (const replay of compare(world, user.login).missed) world.books.positions.add(restored(replay, nowMs));
    world.books.touch(user.login);
    broker.mutations += 1;
    return done(answer);
  };
}

const MANAGE = ['RIGHT_TRADES_MANAGER'] as const;
const DELETE = ['RIGHT_TRADES_DELETE'] as const;

export const tradeChangeCommands: readonly Command[] = [
  { path: 'order/update', rights: MANAGE, run: update<Order>(CHANGEABLE.order), mutates: true },
  { path: 'history/update', rights: MANAGE, run: update<Order>(CHANGEABLE.history), mutates: true },
  { path: 'deal/update', rights: MANAGE, run: update<Deal>(CHANGEABLE.deal), mutates: true },
  { path: 'position/update', rights: MANAGE, run: update<Position>(CHANGEABLE.position), mutates: true },
  { path: 'order/delete', rights: DELETE, run: removeFrom<Order>(CHANGEABLE.order), mutates: true },
  { path: 'history/delete', rights: DELETE, run: removeFrom<Order>(CHANGEABLE.history), mutates: true },
  { path: 'deal/delete', rights: DELETE, run: removeFrom<Deal>(CHANGEABLE.deal), mutates: true },
  { path: 'position/delete', rights: DELETE, run: removeFrom<Position>(CHANGEABLE.position), mutates: true },
  { path: 'order/cancel', rights: MANAGE, run: cancel, mutates: true },
  { path: 'order/reopen', rights: MANAGE, run: reopen, mutates: true },
  { path: 'position/check', rights: ['RIGHT_TRADES_READ'], run: checkPositions(false) },
  { path: 'position/fix', rights: MANAGE, run: checkPositions(true), mutates: true },
];
