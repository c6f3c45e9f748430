/**
 * Clients as persons and companies, with their documents, comments and attachments (mt5-webapi §3.4). The answer of
 * `add` carries the number that the server gave; fields are kept as they were sent.
 */
import { PAPER_KINDS, type PaperKind } from '../broker/record-room.ts';
import { textOf, type WireRecord } from '../broker/symbols.ts';
import {
  done,
  refused,
  type Command,
  type CommandHandler,
  type CommandReply,
  type CommandRequest,
} from '../command.ts';
import { recordsOf } from './records-in.ts';
import { isRefusal, numbersOf, RETCODE, userOf } from './scope.ts';

const KEY = 'RecordID';

const listOf = (request: CommandRequest, kind: PaperKind): Map<string, WireRecord> =>
  request.broker.world.records.papers.get(kind) ?? new Map<string, WireRecord>();

const idsOf = (request: CommandRequest, ...names: readonly string[]): string[] | undefined => {
  for (const name of names) {
    const text = request.parameters.text(name) ?? request.parameters.text(name, name === 'id' ? KEY : undefined);
    if (text !== undefined && text !== '') return numbersOf(text)?.map(String);
  }
  return undefined;
};

/** What belongs to a client that is not there is refused. */
const hasClient = (request: CommandRequest, record: WireRecord): boolean =>
  listOf(request, 'client').has(textOf(record, 'RelatedClient') || textOf(record, 'ClientID'));

function put(request: CommandRequest, kind: PaperKind, isNew: boolean): CommandReply {
  const given = recordsOf(request.body);
  if (given === undefined) return refused(RETCODE.params);
  const list = listOf(request, kind);
  const { records } = request.broker.world;
  if (!isNew && given.some((record) => !list.has(textOf(record, KEY)))) return refused(RETCODE.notFound);
  if (isNew && kind !== 'client' && given.some((record) => !hasClient(request, record)))
    return refused(RETCODE.notFound);
  const kept: WireRecord[] = [];
  for (const record of given) {
    const id = isNew ? String(records.nextId()) : textOf(record, KEY);
    const whole = { ...list.get(id), ...record, [KEY]: id };
    if (!records.keep(list, id, whole)) return refused(RETCODE.error);
    kept.push(whole);
    if (kind !== 'client') continue;
    const at = String(request.broker.time.serverSeconds());
    records.clientHistory.push({ ...whole, HistoryTime: at, HistoryManager: String(request.manager.login) });
    if (records.clientHistory.length > 1000) records.clientHistory.shift();
  }
  return done(Array.isArray(request.body) ? kept : kept[0]);
}

function get(request: CommandRequest, kind: PaperKind): CommandReply {
  const ids = idsOf(request, 'id', 'client', kind);
  const related = request.parameters.text('related_client') ?? request.parameters.text('client_id');
  const list = [...listOf(request, kind).values()];
  if (kind !== 'client' && related !== undefined)
    return done(list.filter((record) => [record['RelatedClient'], record['ClientID']].includes(related)));
  if (ids === undefined) return refused(RETCODE.params);
  const found = list.filter((record) => ids.includes(textOf(record, KEY)));
  return found.length === 0 ? refused(RETCODE.notFound) : done(found);
}

function remove(request: CommandRequest, kind: PaperKind): CommandReply {
  const ids = idsOf(request, 'id', 'client', kind);
  const list = listOf(request, kind);
  if (ids === undefined) return refused(RETCODE.params);
  if (ids.some((id) => !list.has(id))) return refused(RETCODE.notFound);
  for (const id of ids) {
    list.delete(id);
    if (kind === 'client') request.broker.world.records.accountsOf.delete(id);
  }
  return done();
}

/** Links an account to a client, or unlinks it. */
function link(request: CommandRequest, isLinked: boolean): CommandReply {
  const [client] = idsOf(request, 'client', 'id') ?? [];
  if (client === undefined) return refused(RETCODE.params);
  if (!listOf(request, 'client').has(client)) return refused(RETCODE.notFound);
  const login = request.parameters.integer('login') ?? request.parameters.integer('user');
  const user = userOf(request, login);
  if (isRefusal(user)) return user;
  const { accountsOf } = request.broker.world.records;
  const accounts = accountsOf.get(client) ?? new Set();
  if (isLinked) accounts.add(user.login);
  else if (!accounts.delete(user.login)) return refused(RETCODE.notFound);
  accountsOf.set(client, accounts);
  user.fields['ClientID'] = isLinked ? client : '';
  return done();
}

function loginsOf(request: CommandRequest): CommandReply {
  const [client] = idsOf(request, 'client', 'id') ?? [];
  if (client === undefined) return refused(RETCODE.params);
  if (!listOf(request, 'client').has(client)) return refused(RETCODE.notFound);
  return done([...(request.broker.world.records.accountsOf.get(client) ?? [])].map(String));
}

function history(request: CommandRequest): CommandReply {
  const ids = idsOf(request, 'client', 'id');
  if (ids === undefined) return refused(RETCODE.params);
  return done(request.broker.world.records.clientHistory.filter((record) => ids.includes(textOf(record, KEY))));
}

const READ = ['RIGHT_CLIENTS_ACCESS'] as const;
const EDIT = ['RIGHT_CLIENTS_EDIT'] as const;

const papers = (kind: PaperKind): Command[] => [
  { path: `${kind}/add`, rights: EDIT, run: (request) => put(request, kind, true) },
  { path: `${kind}/update`, rights: EDIT, run: (request) => put(request, kind, false) },
  { path: `${kind}/delete`, rights: EDIT, run: (request) => remove(request, kind) },
  { path: `${kind}/get`, rights: READ, run: (request) => get(request, kind) },
];

const others: Readonly<Record<string, [typeof READ | typeof EDIT, CommandHandler]>> = {
  'client/get_ids': [READ, (request) => done([...listOf(request, 'client').keys()])],
  'client/history/get': [READ, history],
  'client/user/add': [EDIT, (request) => link(request, true)],
  'client/user/delete': [EDIT, (request) => link(request, false)],
  'client/user/get_logins': [READ, loginsOf],
};

export const clientPaperCommands: readonly Command[] = [
  ...PAPER_KINDS.flatMap(papers),
  ...Object.entries(others).map(([path, [rights, run]]): Command => ({ path, rights, run })),
];
