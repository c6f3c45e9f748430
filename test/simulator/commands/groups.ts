/** Groups: reads and configuration, inside the manager's masks. */
import { groupDefaults } from '../broker/group-catalog.ts';
import { groupFromRecord, type Group } from '../broker/groups.ts';
import { compileMask, singleSeparators } from '../broker/masks.ts';
import { textOf, type WireRecord } from '../broker/symbols.ts';
import { done, Json, refused, type Command, type CommandReply, type CommandRequest } from '../command.ts';
import { namesOf, recordsOf, wireRecord } from './records-in.ts';
import { RETCODE, seesGroup } from './scope.ts';
import { nextOf, reorder, shifted } from './ordered-list.ts';

const visible = (request: CommandRequest): Group[] =>
  [...request.broker.world.books.groups.values()].filter(({ name }) => seesGroup(request.manager, name));

const answerOf = (group: Group): Json => new Json(group.json);

function get(request: CommandRequest): CommandReply {
  const name = request.parameters.text('group');
  if (name !== undefined && name !== '') {
    const group = request.broker.world.books.groups.get(singleSeparators(name));
    if (group === undefined) return refused(RETCODE.notFound);
    return seesGroup(request.manager, group.name) ? done(answerOf(group)) : refused(RETCODE.permissions);
  }
  const mask = request.parameters.text('mask');
  if (mask === undefined || mask === '') return refused(RETCODE.params);
  const matches = compileMask(mask);
  const found = visible(request).filter((group) => matches(group.name));
  if (found.length === 0) return refused(RETCODE.notFound);
  return {
    retcode: found.length > request.switches.mostObjects ? RETCODE.partial : 0,
    answer: found.slice(0, request.switches.mostObjects).map(answerOf),
  };
}

/** Adds or replaces one group; the retcode. */
function put(request: CommandRequest, given: WireRecord): number {
  const { books } = request.broker.world;
  const name = textOf(given, 'Group');
  if (name === '' || name.length > 63 || /[,*!]/u.test(name) || name.startsWith('\\') || name.endsWith('\\'))
    return RETCODE.params;
  if (!seesGroup(request.manager, name)) return RETCODE.permissions;
  const before = books.groups.get(name);
  const group = groupFromRecord({ ...(before?.record ?? groupDefaults()), ...given });
  const populated = [...books.users.values()].some((user) => user.group === name);
  // Money of the accounts is counted in the group's currency, their positions kept in its way.
  if (
    before !== undefined &&
    populated &&
    (before.currency !== group.currency ||
      before.currencyDigits !== group.currencyDigits ||
      before.hedging !== group.hedging)
  )
    return 2003;
  if (group.currency === '' || group.currencyDigits < 0 || group.currencyDigits > 8) return RETCODE.params;
  books.groups.set(name, group);
  books.configVersion += 1;
  books.version += 1;
  request.broker.mutations += 1;
  return 0;
}

function add(request: CommandRequest): CommandReply {
  const record = wireRecord(request.body);
  if (record === undefined) return refused(RETCODE.params);
  const retcode = put(request, record);
  const group = request.broker.world.books.groups.get(textOf(record, 'Group'));
  return retcode !== 0 || group === undefined ? refused(retcode) : done(answerOf(group));
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
  const names = namesOf(request, 'group')?.map(singleSeparators);
  if (names === undefined) return refused(RETCODE.params);
  const { books } = request.broker.world;
  for (const name of names) {
    if (!books.groups.has(name)) return refused(RETCODE.notFound);
    if (!seesGroup(request.manager, name)) return refused(RETCODE.permissions);
    // Groups with accounts stay.
    if ([...books.users.values()].some(({ group }) => group === name)) return refused(2003);
  }
  for (const name of names) books.groups.delete(name);
  books.configVersion += 1;
  request.broker.mutations += 1;
  return done();
}

function shift(request: CommandRequest): CommandReply {
  const { books } = request.broker.world;
  const ordered = shifted(request, books.groups);
  if (!(ordered instanceof Map)) return ordered;
  reorder(books.groups, ordered);
  books.configVersion += 1;
  request.broker.mutations += 1;
  return done();
}

const CFG = ['RIGHT_CFG_GROUPS'] as const;
const ADMIN = ['RIGHT_ADMIN', 'RIGHT_CFG_GROUPS'] as const;

export const groupCommands: readonly Command[] = [
  { path: 'group/total', rights: CFG, run: (request) => ({ retcode: 0, scalars: { Total: visible(request).length } }) },
  { path: 'group/next', rights: CFG, run: (request) => nextOf(request, visible(request), answerOf) },
  { path: 'group/get', rights: CFG, run: get },
  { path: 'group/add', rights: ADMIN, run: add, mutates: true },
  { path: 'group/add_batch', rights: ADMIN, run: addBatch, mutates: true },
  { path: 'group/shift', rights: ADMIN, run: shift, mutates: true },
  { path: 'group/delete', rights: ADMIN, run: remove, mutates: true },
  { path: 'group/delete_batch', rights: ADMIN, run: remove, mutates: true },
];
