import { done, refused, type Command } from '../command.ts';

const paths = (what: readonly string[], verbs: readonly string[]): string[] =>
  what.flatMap((name) => verbs.map((verb) => `${name}/${verb}`));

/** Administration and CRM (§3.1, §3.4): these commands exist, and every manager here lacks the right to them. */
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
  ...paths(['client'], ['history/get', 'get_ids', 'user/add', 'user/delete', 'user/get_logins']),
];

export const serviceCommands: readonly Command[] = [
  { path: 'test/access', rights: [], run: () => done() },
  { path: 'test/trade', rights: [], run: () => done() },
  ...ADMINISTRATION.map((path): Command => ({ path, rights: [], run: () => refused(8) })),
];
