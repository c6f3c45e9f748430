import { done, refused, type Command } from '../command.ts';

const paths = (what: readonly string[], verbs: readonly string[]): string[] =>
  what.flatMap((name) => verbs.map((verb) => `${name}/${verb}`));

/** Administration, CRM and archives (§3.1, §3.3, §3.4, §3.6): these commands exist, and every manager here lacks the right to them. */
const ADMINISTRATION = [
  'server/restart',
  'logger/server_request',
  ...paths(['setting'], ['get', 'set', 'delete']),
  ...paths(
    'server manager plugin gateway feeder report route firewall holiday spread leverage email messenger tls_certificate history_sync'.split(
      ' ',
    ),
    ['add', 'delete', 'shift', 'total', 'next', 'get'],
  ),
  ...paths(['plugin/module', 'gateway/module', 'feeder/module', 'report/module'], ['total', 'next', 'get']),
  ...paths(['client', 'document', 'comment', 'attachment'], ['add', 'update', 'delete', 'get']),
  ...paths(['user/archive', 'user/backup', 'user/certificate', 'user/otp_secret'], ['add', 'get', 'set', 'restore']),
  ...paths(['order/backup', 'deal/backup', 'position/backup'], ['list', 'get', 'restore']),
  'user/restore',
  'user/sync_external',
  ...paths(['client'], ['history/get', 'get_ids', 'user/add', 'user/delete', 'user/get_logins']),
];

/** Paid services of a login (§3.8): nobody here has any. */
const SUBSCRIPTIONS = paths(['subscription'], ['join', 'cancel', 'add', 'update', 'delete', 'get', 'exist']);

export const serviceCommands: readonly Command[] = [
  { path: 'test/access', rights: [], run: () => done() },
  { path: 'test/trade', rights: [], run: () => done() },
  ...ADMINISTRATION.map((path): Command => ({ path, rights: [], run: () => refused(8) })),
  ...SUBSCRIPTIONS.map((path): Command => ({ path, rights: ['RIGHT_ACC_READ'], run: () => refused(15_000) })),
];
