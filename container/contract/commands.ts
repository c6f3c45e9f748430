import { BridgeError } from './errors.ts';
import { type Caller, DEALER_PRICE_SCOPE, requireScope, type Scope } from './keys.ts';

/**
 * The commands of the MT5 Web API that `/api/*` passes through (mt5-webapi §3.1–3.8). A command that is not in this
 * table does not reach the broker, whatever way its path is written.
 */
export interface PassedCommand {
  /** Without `/api/`. */
  readonly path: string;
  readonly scope: Scope;
  /** Changes the books: sent at most once, through the operations ledger. */
  readonly mutation: boolean;
  /** Goes over the one dealer connection. */
  readonly dealer: boolean;
  /**
   * The parameters a key with a login mask may use, `login` among them: each names either logins or nothing that
   * belongs to one. `any` = whoever configured the command says so of all. Absent = not for such keys.
   */
  readonly masked: readonly string[] | 'any' | undefined;
  /** The parameter that names logins, where it is not `login`. */
  readonly loginParameter?: string;
  /** Path at the broker, where it is not `/api/` and `path`. */
  readonly target?: string;
}

const PAGE = ['offset', 'total', 'from', 'to'];
const READ: Readonly<Record<string, readonly string[] | null>> = {
  'test/access': null,
  'common/get': null,
  'time/server': null,
  'time/get': null,
  'group/total': null,
  'group/next': null,
  'group/get': null,
  'symbol/total': null,
  'symbol/list': null,
  'symbol/next': null,
  'symbol/get': null,
  'symbol/get_group': null,
  'symbol/index_get': null,
  'user/total': null,
  'user/logins': null,
  'user/group': ['login'],
  'user/get': ['login'],
  'user/get_batch': ['login'],
  'user/get_external': null,
  'user/account/get': ['login'],
  'user/account/get_batch': ['login'],
  'tick/last': null,
  'tick/last_group': null,
  'tick/stat': null,
  'tick/history': null,
  'chart/get': null,
  'book/get': null,
  'book/subscribe': null,
  'book/unsubscribe': null,
  'order/get': null,
  'order/get_total': ['login'],
  'order/get_page': ['login', ...PAGE],
  'order/get_batch': ['login', 'symbol'],
  'history/get': null,
  'history/get_total': ['login', 'from', 'to'],
  'history/get_page': ['login', ...PAGE],
  'history/get_batch': ['login', 'symbol', 'from', 'to'],
  'deal/get': null,
  'deal/get_total': ['login', 'from', 'to'],
  'deal/get_page': ['login', ...PAGE],
  'deal/get_batch': ['login', 'symbol', 'from', 'to'],
  'position/get': ['login', 'symbol'],
  'position/get_total': ['login'],
  'position/get_page': ['login', ...PAGE],
  'position/get_batch': ['login', 'symbol'],
  'position/check': ['login'],
  'trade/calc_rate_buy': null,
  'trade/calc_rate_sell': null,
  'trade/check_margin': ['login', 'symbol', 'type', 'volume', 'price'],
  'trade/calc_profit': null,
  'daily/get': ['login', 'from', 'to'],
  'daily/get_light': ['login', 'from', 'to'],
  'daily/get_batch': ['login', 'from', 'to'],
  'news/total': null,
  'news/get': null,
  'news/get_body': null,
  'subscription/get': ['login'],
  'subscription/exist': ['login'],
  'subscription/history/get': ['login'],
  'subscription/config/total': null,
  'subscription/config/next': null,
  'subscription/config/get': null,
  'holiday/total': null,
  'holiday/next': null,
  'holiday/get': null,
  'spread/total': null,
  'spread/next': null,
  'spread/get': null,
  'leverage/total': null,
  'leverage/next': null,
  'leverage/get': null,
};

/** Reads of what the broker keeps about its people, and of passwords. */
const MANAGE_READ: Readonly<Record<string, readonly string[] | null>> = {
  'user/check_password': ['login', 'type', 'password'],
  'user/archive/get': ['login'],
  'user/archive/get_batch': ['login'],
  'user/backup/list': null,
  'user/backup/get': null,
  'user/backup/get_batch': null,
  'user/certificate/get': ['login'],
  'user/otp_secret/get': ['login'],
  'order/backup/list': null,
  'order/backup/get': null,
  'deal/backup/list': null,
  'deal/backup/get': null,
  'position/backup/list': null,
  'position/backup/get': null,
  'client/get': null,
  'client/get_ids': null,
  'client/history/get': null,
  'client/user/get_logins': null,
  'document/get': null,
  'comment/get': null,
  'attachment/get': null,
  'mail/total': null,
  'mail/get': null,
  'mail/get_body': null,
};

/** Kinds of the server's own configuration. */
const CONFIGURATION =
  'manager server plugin gateway feeder report route firewall email messenger tls_certificate history_sync'.split(' ');

const ofEach = (kinds: readonly string[], verbs: readonly string[]): Record<string, null> =>
  Object.fromEntries(kinds.flatMap((kind) => verbs.map((verb) => [`${kind}/${verb}`, null])));

/** Reads of the server's own configuration. A restart is not passed on: it ends every session of everybody. */
const OPERATE_READ: Readonly<Record<string, readonly string[] | null>> = {
  ...ofEach(CONFIGURATION, ['total', 'next', 'get']),
  ...ofEach(['plugin/module', 'gateway/module', 'feeder/module', 'report/module'], ['total', 'next', 'get']),
  'setting/get': null,
  'logger/server_request': null,
};

const OPERATE_WRITE: Readonly<Record<string, readonly string[] | null>> = {
  ...ofEach([...CONFIGURATION, 'holiday', 'spread', 'leverage'], ['add', 'delete', 'shift']),
  'setting/set': null,
  'setting/delete': null,
};

const MANAGE_WRITE: Readonly<Record<string, readonly string[] | null>> = {
  'trade/balance': ['login', 'type', 'balance', 'comment', 'check_margin'],
  'user/add': null,
  'user/update': null,
  'user/delete': ['login'],
  'user/change_password': ['login', 'type', 'password'],
  'user/archive/add': ['login'],
  'user/restore': null,
  'user/sync_external': null,
  'user/certificate/update': null,
  'user/certificate/confirm': ['login'],
  'user/certificate/delete': ['login'],
  'user/otp_secret/set': null,
  'order/backup/restore': null,
  'deal/backup/restore': null,
  'position/backup/restore': null,
  // With `fixflag=1` it corrects the balance.
  'user/check_balance': ['login', 'fixflag'],
  'position/fix': ['login'],
  'order/update': null,
  'order/delete': null,
  'order/cancel': null,
  'order/reopen': null,
  'history/update': null,
  'history/delete': null,
  'deal/update': null,
  'deal/delete': null,
  'position/update': null,
  'position/delete': null,
  'group/add': null,
  'group/add_batch': null,
  'group/delete': null,
  'group/delete_batch': null,
  'group/shift': null,
  'symbol/add': null,
  'symbol/add_batch': null,
  'symbol/delete': null,
  'symbol/delete_batch': null,
  'symbol/shift': null,
  'client/add': null,
  'client/update': null,
  'client/delete': null,
  'client/user/add': null,
  'client/user/delete': null,
  'document/add': null,
  'document/update': null,
  'document/delete': null,
  'comment/add': null,
  'comment/update': null,
  'comment/delete': null,
  'attachment/add': null,
  'attachment/update': null,
  'attachment/delete': null,
  'mail/send': null,
  'news/send': null,
  'notification/send': ['login', 'text'],
  'subscription/join': ['login', 'subscription'],
  'subscription/cancel': ['login', 'subscription'],
  'subscription/add': null,
  'subscription/update': null,
  'subscription/delete': null,
  'subscription/config/add': null,
  'subscription/config/delete': null,
};

const entries = (
  table: Readonly<Record<string, readonly string[] | null>>,
  scope: Scope,
  mutation: boolean,
): [string, PassedCommand][] =>
  Object.entries(table).map(([path, masked]) => [
    path,
    { path, scope, mutation, dealer: false, masked: masked ?? undefined },
  ]);

/** The dealer's queue: request bodies hold tickets of any login, so keys with a mask use `/v1/orders` instead. */
const DEALER: readonly PassedCommand[] = [
  // The server executes at the price that a request names.
  { path: 'dealer/send_request', scope: DEALER_PRICE_SCOPE, mutation: true, dealer: true, masked: undefined },
  // A final result is given out once: whoever may ask for any id could take another's.
  { path: 'dealer/get_request_result', scope: 'manage', mutation: false, dealer: true, masked: undefined },
];

export const COMMANDS: ReadonlyMap<string, PassedCommand> = new Map([
  ...entries(READ, 'read', false),
  ...entries(MANAGE_READ, 'manage', false),
  ...entries(OPERATE_READ, 'operate', false),
  ...entries(MANAGE_WRITE, 'manage', true),
  ...entries(OPERATE_WRITE, 'operate', true),
  ...DEALER.map((command): [string, PassedCommand] => [command.path, command]),
]);

/** Whether a caller may use a command, before its parameters are looked at. @throws BridgeError */
export function requireCommand(command: PassedCommand, caller: Caller): void {
  requireScope(caller, command.scope);
  // Symbols and volumes of a raw command are not looked at, so that limits could not be kept.
  if (command.mutation && caller.limits)
    throw new BridgeError(
      'limit_exceeded',
      'A key with limits may not send commands that change the books; use the typed routes under /v1.',
    );
}

export const PASSTHROUGH_PREFIX = '/api/';

/**
 * The command that a request path names, exactly as it came over the wire: nothing is decoded or normalised, so no way
 * of writing a path reaches another command or host. `custom`: those of plug-ins (`MT5_CUSTOM_COMMANDS`).
 * @throws BridgeError `command_not_passed`
 */
export function findCommand(pathname: string, custom?: ReadonlyMap<string, PassedCommand>): PassedCommand {
  const path = pathname.startsWith(PASSTHROUGH_PREFIX) ? pathname.slice(PASSTHROUGH_PREFIX.length) : '';
  const command = COMMANDS.get(path) ?? custom?.get(path);
  if (command) return command;
  throw new BridgeError('command_not_passed', {
    detail:
      path.startsWith('auth/') || path === 'quit'
        ? 'The bridge signs in and out itself: a session belongs to a connection, and callers share it.'
        : 'This command is not passed through to the broker; paths are lower case and exact, like /api/user/get.',
  });
}
