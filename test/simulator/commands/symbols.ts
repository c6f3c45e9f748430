/** Symbols: reads and configuration. */
import { compileMask } from '../broker/masks.ts';
import { overridesOf } from '../broker/groups.ts';
import { withNestedRates } from '../broker/symbol-record.ts';
import { symbolFromRecord, textOf, type SymbolSpec, type WireRecord } from '../broker/symbols.ts';
import { done, Json, refused, type Command, type CommandReply, type CommandRequest } from '../command.ts';
import { nextOf, reorder, shifted } from './ordered-list.ts';
import { namesOf, recordsOf, wireRecord } from './records-in.ts';
import { RETCODE, seesGroup } from './scope.ts';

/** The record as the switches `optionsMode` and `marginRates` want it. */
function answerOf(symbol: SymbolSpec, { switches }: CommandRequest): Json {
  if (switches.optionsMode === 'OptionMode' && switches.marginRates === 'flat') return new Json(symbol.json);
  const { OptionMode: mode = '0', ...rest } = symbol.record;
  const record = { ...rest, [switches.optionsMode]: mode };
  return new Json(JSON.stringify(switches.marginRates === 'flat' ? record : withNestedRates(record)));
}

const all = (request: CommandRequest): SymbolSpec[] => [...request.broker.world.books.symbols.values()];

function get(request: CommandRequest): CommandReply {
  const name = request.parameters.text('symbol');
  if (name !== undefined && name !== '') {
    const symbol = request.broker.world.books.symbols.get(name);
    return symbol === undefined ? refused(RETCODE.notFound) : done(answerOf(symbol, request));
  }
  const mask = request.parameters.text('mask');
  if (mask === undefined || mask === '') return refused(RETCODE.params);
  const matches = compileMask(mask);
  const found = all(request).filter((symbol) => matches(symbol.name, symbol.path));
  if (found.length === 0) return refused(RETCODE.notFound);
  const answer = found.slice(0, request.switches.mostObjects).map((symbol) => answerOf(symbol, request));
  return { retcode: found.length > request.switches.mostObjects ? RETCODE.partial : 0, answer };
}

function getGroup(request: CommandRequest): CommandReply {
  const name = request.parameters.text('symbol');
  const groupName = request.parameters.text('group');
  if (name === undefined || name === '' || groupName === undefined || groupName === '') return refused(RETCODE.params);
  const { symbols, groups } = request.broker.world.books;
  const symbol = symbols.get(name);
  const group = groups.get(groupName);
  if (group === undefined || !seesGroup(request.manager, groupName)) return refused(RETCODE.permissions);
  if (symbol === undefined) return refused(RETCODE.notFound);
  const { Path: _path, ...overrides } = overridesOf(group, symbol) ?? {};
  return done(answerOf(symbolFromRecord({ ...symbol.record, ...overrides }), request));
}

function shift(request: CommandRequest): CommandReply {
  const { symbols } = request.broker.world.books;
  const ordered = shifted(request, symbols);
  if (!(ordered instanceof Map)) return ordered;
  reorder(symbols, ordered);
  request.broker.symbolsChanged();
  request.broker.mutations += 1;
  return done();
}

/** Adds or replaces one symbol; the retcode. */
function put(request: CommandRequest, given: WireRecord): number {
  const name = textOf(given, 'Symbol');
  if (name === '' || name.length > 31 || /[\\,*!]/u.test(name)) return RETCODE.params;
  const retcode = request.broker.configureSymbol(given);
  if (retcode === 0) request.broker.mutations += 1;
  return retcode;
}

function add(request: CommandRequest): CommandReply {
  const record = wireRecord(request.body);
  if (record === undefined) return refused(RETCODE.params);
  const retcode = put(request, record);
  if (retcode !== 0) return refused(retcode);
  const symbol = request.broker.world.books.symbols.get(textOf(record, 'Symbol'));
  return symbol === undefined ? refused(RETCODE.error) : done(answerOf(symbol, request));
}

function addBatch(request: CommandRequest): CommandReply {
  const records = recordsOf(request.body);
  if (records === undefined) return refused(RETCODE.params);
  for (const record of records) {
    const retcode = put(request, record);
    if (retcode !== 0) return refused(retcode);
  }
  return done();
}

function remove(request: CommandRequest): CommandReply {
  const names = namesOf(request, 'symbol');
  if (names === undefined) return refused(RETCODE.params);
  const { books } = request.broker.world;
  if (names.some((name) => !books.symbols.has(name))) return refused(RETCODE.notFound);
  // A symbol that accounts still trade stays.
  if (names.some((name) => books.positions.inSymbol(name).size > 0 || books.orders.inSymbol(name).size > 0)) {
    return refused(2003);
  }
  for (const name of names) books.symbols.delete(name);
  request.broker.symbolsChanged();
  request.broker.mutations += 1;
  return done();
}

/** The place of a symbol in the configuration. */
function indexGet(request: CommandRequest): CommandReply {
  const name = request.parameters.text('symbol');
  if (name === undefined || name === '') return refused(RETCODE.params);
  const index = all(request).findIndex((symbol) => symbol.name === name);
  return index === -1 ? refused(RETCODE.notFound) : { retcode: 0, scalars: { Index: index } };
}

const CFG = ['RIGHT_CFG_SYMBOLS'] as const;

export const symbolCommands: readonly Command[] = [
  { path: 'symbol/total', rights: [], run: (request) => ({ retcode: 0, scalars: { Total: all(request).length } }) },
  { path: 'symbol/list', rights: [], run: (request) => done(all(request).map(({ name }) => name)) },
  {
    path: 'symbol/next',
    rights: CFG,
    run: (request) => nextOf(request, all(request), (symbol) => answerOf(symbol, request)),
  },
  { path: 'symbol/index_get', rights: CFG, run: indexGet },
  { path: 'symbol/get', rights: [], run: get },
  { path: 'symbol/get_group', rights: [], run: getGroup },
  { path: 'symbol/add', rights: ['RIGHT_ADMIN', 'RIGHT_CFG_SYMBOLS'], run: add, mutates: true },
  { path: 'symbol/add_batch', rights: ['RIGHT_ADMIN', 'RIGHT_CFG_SYMBOLS'], run: addBatch, mutates: true },
  { path: 'symbol/shift', rights: ['RIGHT_ADMIN', 'RIGHT_CFG_SYMBOLS'], run: shift, mutates: true },
  { path: 'symbol/delete', rights: ['RIGHT_ADMIN', 'RIGHT_CFG_SYMBOLS'], run: remove, mutates: true },
  { path: 'symbol/delete_batch', rights: ['RIGHT_ADMIN', 'RIGHT_CFG_SYMBOLS'], run: remove, mutates: true },
];
