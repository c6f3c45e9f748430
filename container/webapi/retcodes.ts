/**
 * MT5 return codes: names and numbers from the SDK (`MT5APIConstants.h`), texts from its `MT5APIFormat.h`; codes without
 * a text there have an empty one. On the wire: `"<number> <text>"`, of which only the number counts.
 */

/**
 * What a code means for whoever sent the command.
 * - `ok` · `not_ready` ask again · `accepted` not final · `partial` some of it
 * - `sign_in` the manager account itself is refused · `timeout` for a write the outcome is unknown
 */
export type RetcodeClass =
  | 'ok'
  | 'not_ready'
  | 'accepted'
  | 'partial'
  | 'invalid'
  | 'rejected'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'limit'
  | 'rate_limit'
  | 'unavailable'
  | 'timeout'
  | 'unsupported'
  | 'internal'
  | 'sign_in';

export interface Retcode {
  readonly code: number;
  /** SDK name: `MT_RET_ERR_NOTFOUND`. */
  readonly name: string;
  readonly text: string;
  readonly class: RetcodeClass;
}

/** Code, name without `MT_RET_`, text, class. */
const TABLE = [
  [0, 'OK', 'Done', 'ok'],
  [1, 'OK_NONE', 'OK/None', 'not_ready'],
  [2, 'ERROR', 'Common error', 'internal'],
  [3, 'ERR_PARAMS', 'Invalid parameters', 'invalid'],
  [4, 'ERR_DATA', 'Invalid data', 'invalid'],
  [5, 'ERR_DISK', 'Disk error', 'internal'],
  [6, 'ERR_MEM', 'Memory error', 'internal'],
  [7, 'ERR_NETWORK', 'Network error', 'unavailable'],
  [8, 'ERR_PERMISSIONS', 'Not enough permissions', 'forbidden'],
  [9, 'ERR_TIMEOUT', 'Operation timeout', 'timeout'],
  [10, 'ERR_CONNECTION', 'No connection', 'unavailable'],
  [11, 'ERR_NOSERVICE', 'Service is not available', 'unavailable'],
  [12, 'ERR_FREQUENT', 'Too frequent requests', 'rate_limit'],
  [13, 'ERR_NOTFOUND', 'Not found', 'not_found'],
  [14, 'ERR_PARTIAL', '', 'partial'],
  [15, 'ERR_SHUTDOWN', 'Server shutdown in progress', 'unavailable'],
  [16, 'ERR_CANCEL', 'Operation was canceled', 'conflict'],
  [17, 'ERR_DUPLICATE', 'Duplicate attempt', 'conflict'],
  [1000, 'AUTH_CLIENT_INVALID', 'Invalid terminal type', 'sign_in'],
  [1001, 'AUTH_ACCOUNT_INVALID', 'Invalid account', 'sign_in'],
  [1002, 'AUTH_ACCOUNT_DISABLED', 'Account disabled', 'sign_in'],
  [1003, 'AUTH_ADVANCED', 'Advanced authorization', 'sign_in'],
  [1004, 'AUTH_CERTIFICATE', 'Certificate required', 'sign_in'],
  [1005, 'AUTH_CERTIFICATE_BAD', 'Invalid certificate', 'sign_in'],
  [1006, 'AUTH_NOTCONFIRMED', 'Certificate is not confirmed', 'sign_in'],
  [1007, 'AUTH_SERVER_INTERNAL', 'Attempt to connect to non-access server', 'sign_in'],
  [1008, 'AUTH_SERVER_BAD', 'Invalid or fake server', 'sign_in'],
  [1009, 'AUTH_UPDATE_ONLY', 'Only updates available', 'sign_in'],
  [1010, 'AUTH_CLIENT_OLD', 'Old version', 'sign_in'],
  [1011, 'AUTH_MANAGER_NOCONFIG', "Account doesn't have manager config", 'sign_in'],
  [1012, 'AUTH_MANAGER_IPBLOCK', 'IP address unallowed for manager', 'sign_in'],
  [1013, 'AUTH_GROUP_INVALID', 'Group is not initialized, server restart needed', 'sign_in'],
  [1014, 'AUTH_CA_DISABLED', 'Certificate generation disabled', 'sign_in'],
  [1015, 'AUTH_INVALID_ID', 'Invalid or disabled server id [check server id]', 'sign_in'],
  [1016, 'AUTH_INVALID_IP', 'Unallowed address [check server ip address]', 'sign_in'],
  [1017, 'AUTH_INVALID_TYPE', 'Invalid server type [check server id and type]', 'sign_in'],
  [1018, 'AUTH_SERVER_BUSY', 'Server is busy', 'unavailable'],
  [1019, 'AUTH_SERVER_CERT', 'Invalid server certificate or invalid local time', 'sign_in'],
  [1020, 'AUTH_ACCOUNT_UNKNOWN', 'Unknown account', 'sign_in'],
  [1021, 'AUTH_SERVER_OLD', 'Old server version', 'sign_in'],
  [1022, 'AUTH_SERVER_LIMIT', 'Server cannot be connected due to license limitation', 'sign_in'],
  [1023, 'AUTH_MOBILE_DISABLED', "Mobile terminal isn't allowed in license", 'sign_in'],
  [1024, 'AUTH_MANAGER_TYPE', 'Connection type is not permitted for manager', 'sign_in'],
  [1025, 'AUTH_DEMO_DISABLED', 'Demo allocation disabled', 'sign_in'],
  [1026, 'AUTH_RESET_PASSWORD', 'Master password must be changed', 'sign_in'],
  [1027, 'AUTH_OTP_INVALID', '', 'sign_in'],
  [1028, 'AUTH_OTP_NEED_SECRET', '', 'sign_in'],
  [1029, 'AUTH_MIGRATION_MT4', '', 'sign_in'],
  [1030, 'AUTH_MIGRATION_MT5', '', 'sign_in'],
  [1031, 'AUTH_INVALID_VERIFY', '', 'sign_in'],
  [1032, 'AUTH_VERIFY_BAD_EMAIL', '', 'sign_in'],
  [1033, 'AUTH_VERIFY_BAD_PHONE', '', 'sign_in'],
  [1034, 'AUTH_API_DISABLED', '', 'sign_in'],
  [2000, 'CFG_LAST_ADMIN', 'Last admin config cannot be deleted', 'conflict'],
  [2001, 'CFG_LAST_ADMIN_GROUP', 'Last admin group cannot be deleted', 'conflict'],
  [2003, 'CFG_NOT_EMPTY', 'Accounts or trades in group/symbol', 'conflict'],
  [2004, 'CFG_INVALID_RANGE', 'Invalid account or trade ranges', 'internal'],
  [2005, 'CFG_NOT_MANAGER_LOGIN', "Account doesn't belong to manager group", 'conflict'],
  [2006, 'CFG_BUILTIN', 'Built-in protected config', 'conflict'],
  [2007, 'CFG_DUPLICATE', 'Configuration duplicate', 'conflict'],
  [2008, 'CFG_LIMIT_REACHED', 'Configuration limit reached', 'limit'],
  [2009, 'CFG_NO_ACCESS_TO_MAIN', 'Invalid network configuration', 'internal'],
  [2010, 'CFG_DEALER_ID_EXIST', 'Dealer with same ID already exists', 'conflict'],
  [2011, 'CFG_BIND_ADDR_EXIST', 'Binding address already exists', 'conflict'],
  [2012, 'CFG_WORKING_TRADE', 'Attempt to delete working trade server', 'conflict'],
  [2013, 'CFG_GATEWAY_NAME_EXIST', 'Gateway with same name already exists', 'conflict'],
  [2014, 'CFG_SWITCH_TO_BACKUP', 'Server must be switched to backup mode', 'conflict'],
  [2015, 'CFG_NO_BACKUP_MODULE', 'Backup server module is absent', 'internal'],
  [2016, 'CFG_NO_TRADE_MODULE', 'Trade server module is absent', 'internal'],
  [2017, 'CFG_NO_HISTORY_MODULE', 'History server module is absent', 'internal'],
  [2018, 'CFG_ANOTHER_SWITCH', 'Another switching process in progress', 'conflict'],
  [2019, 'CFG_NO_LICENSE_FILE', 'License file is absent', 'internal'],
  [2020, 'CFG_GATEWAY_LOGIN_EXIST', 'Gateway with same login already exist', 'conflict'],
  [3001, 'USR_LAST_ADMIN', 'Last admin account cannot be deleted', 'conflict'],
  [3002, 'USR_LOGIN_EXHAUSTED', 'Login range exhausted', 'limit'],
  [3003, 'USR_LOGIN_PROHIBITED', 'Login reserved at another server', 'forbidden'],
  [3004, 'USR_LOGIN_EXIST', 'Account already exists', 'conflict'],
  [3005, 'USR_SUICIDE', 'Attempt of self-deletion', 'conflict'],
  [3006, 'USR_INVALID_PASSWORD', 'Invalid account password', 'rejected'],
  [3007, 'USR_LIMIT_REACHED', 'User limit reached', 'limit'],
  [3008, 'USR_HAS_TRADES', 'Account has open trades', 'conflict'],
  [3009, 'USR_DIFFERENT_SERVERS', 'Attempt to move account to different server', 'conflict'],
  [3010, 'USR_DIFFERENT_CURRENCY', 'Attempt to move account to group with different currency', 'conflict'],
  [3011, 'USR_IMPORT_BALANCE', 'Account balance import error', 'internal'],
  [3012, 'USR_IMPORT_GROUP', 'Imported account has invalid group', 'internal'],
  [3013, 'USR_ACCOUNT_EXIST', 'Account already exist', 'conflict'],
  [3014, 'USR_IMPORT_ACCOUNT', '', 'internal'],
  [3015, 'USR_IMPORT_POSITIONS', '', 'internal'],
  [3016, 'USR_IMPORT_ORDERS', '', 'internal'],
  [3017, 'USR_IMPORT_DEALS', '', 'internal'],
  [3018, 'USR_IMPORT_HISTORY', '', 'internal'],
  [3019, 'USR_API_LIMIT_REACHED', '', 'limit'],
  [4001, 'TRADE_LIMIT_REACHED', 'Order or deal limit reached', 'limit'],
  [4002, 'TRADE_ORDER_EXIST', 'Order already exists', 'conflict'],
  [4003, 'TRADE_ORDER_EXHAUSTED', 'Order range exhausted', 'limit'],
  [4004, 'TRADE_DEAL_EXHAUSTED', 'Deal range exhausted', 'limit'],
  [4005, 'TRADE_MAX_MONEY', 'Money limit reached', 'rejected'],
  [4006, 'TRADE_DEAL_EXIST', 'Deal already exists', 'conflict'],
  [4007, 'TRADE_ORDER_PROHIBITED', 'Order ticket reserved at another server', 'forbidden'],
  [4008, 'TRADE_DEAL_PROHIBITED', 'Deal ticket reserved at another server', 'forbidden'],
  [4009, 'TRADE_SPLIT_VOLUME', 'Volume of the new position is less than the minimum allowed', 'rejected'],
  [5001, 'REPORT_SNAPSHOT', 'Base snapshot error', 'internal'],
  [5002, 'REPORT_NOTSUPPORTED', 'Method is not supported by this report', 'unsupported'],
  [5003, 'REPORT_NODATA', 'No data for report', 'not_found'],
  [5004, 'REPORT_TEMPLATE_BAD', 'Bad template', 'internal'],
  [5005, 'REPORT_TEMPLATE_END', 'End of template', 'internal'],
  [5006, 'REPORT_INVALID_ROW', 'Invalid row size', 'internal'],
  [5007, 'REPORT_LIMIT_REPEAT', 'Tag repeat limit reached', 'internal'],
  [5008, 'REPORT_LIMIT_REPORT', 'Report size limit reached', 'internal'],
  [6001, 'HST_SYMBOL_NOTFOUND', 'Symbol not found, try to restart history server', 'not_found'],
  [10001, 'REQUEST_INWAY', 'Request on the way', 'accepted'],
  [10002, 'REQUEST_ACCEPTED', 'Request accepted', 'accepted'],
  [10003, 'REQUEST_PROCESS', 'Request processed', 'accepted'],
  [10004, 'REQUEST_REQUOTE', 'Requote', 'rejected'],
  [10005, 'REQUEST_PRICES', 'Prices', 'rejected'],
  [10006, 'REQUEST_REJECT', 'Request rejected', 'rejected'],
  [10007, 'REQUEST_CANCEL', 'Request canceled', 'rejected'],
  [10008, 'REQUEST_PLACED', 'Order placed', 'ok'],
  [10009, 'REQUEST_DONE', 'Request executed', 'ok'],
  [10010, 'REQUEST_DONE_PARTIAL', 'Request executed partially', 'partial'],
  [10011, 'REQUEST_ERROR', 'Request error', 'internal'],
  [10012, 'REQUEST_TIMEOUT', 'Request timeout', 'timeout'],
  [10013, 'REQUEST_INVALID', 'Invalid request', 'invalid'],
  [10014, 'REQUEST_INVALID_VOLUME', 'Invalid volume', 'rejected'],
  [10015, 'REQUEST_INVALID_PRICE', 'Invalid price', 'rejected'],
  [10016, 'REQUEST_INVALID_STOPS', 'Invalid stops', 'rejected'],
  [10017, 'REQUEST_TRADE_DISABLED', 'Trade disabled', 'rejected'],
  [10018, 'REQUEST_MARKET_CLOSED', 'Market closed', 'rejected'],
  [10019, 'REQUEST_NO_MONEY', 'No money', 'rejected'],
  [10020, 'REQUEST_PRICE_CHANGED', 'Price changed', 'rejected'],
  [10021, 'REQUEST_PRICE_OFF', 'No prices', 'rejected'],
  [10022, 'REQUEST_INVALID_EXP', 'Invalid expiration', 'rejected'],
  [10023, 'REQUEST_ORDER_CHANGED', 'Order has been changed already', 'conflict'],
  [10024, 'REQUEST_TOO_MANY', 'Too many trade requests', 'rate_limit'],
  [10025, 'REQUEST_NO_CHANGES', '', 'conflict'],
  [10026, 'REQUEST_AT_DISABLED_SERVER', 'AutoTrading disabled by server', 'rejected'],
  [10027, 'REQUEST_AT_DISABLED_CLIENT', 'AutoTrading disabled by client', 'rejected'],
  [10028, 'REQUEST_LOCKED', 'Order locked by dealer', 'conflict'],
  [10029, 'REQUEST_FROZEN', 'Modification failed due to order or position being close to market', 'conflict'],
  [10030, 'REQUEST_INVALID_FILL', 'Unsupported filling mode', 'rejected'],
  [10031, 'REQUEST_CONNECTION', '', 'unavailable'],
  [10032, 'REQUEST_ONLY_REAL', 'Allowed for real accounts only', 'rejected'],
  [10033, 'REQUEST_LIMIT_ORDERS', 'Order limit reached', 'rejected'],
  [10034, 'REQUEST_LIMIT_VOLUME', 'Volume limit reached', 'rejected'],
  [10035, 'REQUEST_INVALID_ORDER', '', 'rejected'],
  [10036, 'REQUEST_POSITION_CLOSED', 'Position already closed', 'conflict'],
  [10037, 'REQUEST_EXECUTION_SKIPPED', "Execution doesn't belong to this server", 'rejected'],
  [10038, 'REQUEST_INVALID_CLOSE_VOLUME', 'Volume to be closed exceeds the position volume', 'rejected'],
  [10039, 'REQUEST_CLOSE_ORDER_EXIST', 'Order to close this position already exists', 'conflict'],
  [10040, 'REQUEST_LIMIT_POSITIONS', 'Position limit reached', 'rejected'],
  [10041, 'REQUEST_REJECT_CANCEL', 'Request rejected, order will be canceled', 'rejected'],
  [10042, 'REQUEST_LONG_ONLY', 'Only long positions are allowed', 'rejected'],
  [10043, 'REQUEST_SHORT_ONLY', 'Only short positions are allowed', 'rejected'],
  [10044, 'REQUEST_CLOSE_ONLY', 'Only position closing is allowed', 'rejected'],
  [10045, 'REQUEST_PROHIBITED_BY_FIFO', '', 'rejected'],
  [10046, 'REQUEST_HEDGE_PROHIBITED', '', 'rejected'],
  [11000, 'REQUEST_RETURN', 'Request returned in queue', 'rejected'],
  [11001, 'REQUEST_DONE_CANCEL', 'Request executed partially', 'partial'],
  [11002, 'REQUEST_REQUOTE_RETURN', 'Requote', 'rejected'],
  [12000, 'ERR_NOTIMPLEMENT', 'Not implemented', 'unsupported'],
  [12001, 'ERR_NOTMAIN', 'Operation must be performed on main server', 'forbidden'],
  [12002, 'ERR_NOTSUPPORTED', "Command doesn't supported", 'unsupported'],
  [12003, 'ERR_DEADLOCK', 'Operation canceled due possible deadlock', 'unavailable'],
  [12004, 'ERR_LOCKED', 'Operation on locked entity', 'conflict'],
  [14000, 'MESSENGER_INVALID_PHONE', 'Invalid phone number', 'invalid'],
  [14001, 'MESSENGER_NOT_MOBILE', "Phone number isn't mobile", 'invalid'],
  [15000, 'SUBS_NOT_FOUND', 'Subscription is not found', 'not_found'],
  [15001, 'SUBS_NOT_FOUND_CFG', 'Subscription config is not found', 'not_found'],
  [15002, 'SUBS_NOT_FOUND_USER', 'User for subscription is not found', 'not_found'],
  [15003, 'SUBS_DISABLED', 'Subscription is disabled', 'forbidden'],
  [15004, 'SUBS_PERMISSION_USER', 'Subscription is not allowed for user', 'forbidden'],
  [15005, 'SUBS_PERMISSION_SUBSCRIBE', 'Subscribe is not allowed', 'forbidden'],
  [15006, 'SUBS_PERMISSION_UNSUBSCRIBE', 'Unsubscribe is not allowed', 'forbidden'],
  [15007, 'SUBS_REAL_ONLY', 'Subscriptions are available for real users only', 'forbidden'],
] as const satisfies readonly (readonly [number, string, string, RetcodeClass])[];

type Row = (typeof TABLE)[number];

/** Numbers by their SDK names: `RETCODE.ERR_NOTFOUND` is 13. */
export const RETCODE = Object.fromEntries(TABLE.map(([code, name]) => [name, code])) as {
  readonly [R in Row as R[1]]: R[0];
};

export const RETCODES: ReadonlyMap<number, Retcode> = new Map(
  TABLE.map<[number, Retcode]>(([code, name, text, retcodeClass]) => [
    code,
    { code, name: `MT_RET_${name}`, text, class: retcodeClass },
  ]),
);

/** The entry of a code. Plug-ins answer numbers of their own: those are `internal`, with no name. */
export function retcodeOf(code: number): Retcode {
  return RETCODES.get(code) ?? { code, name: '', text: '', class: 'internal' };
}
