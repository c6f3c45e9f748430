import { RETCODE, retcodeOf } from './retcodes.ts';

/** Why a sign-in is refused, in words that say what to do. */
const REASONS: Readonly<Record<number, string>> = {
  [RETCODE.ERR_PERMISSIONS]:
    'the manager account may not use the Web API: in MetaTrader 5 Administrator give it the right to connect with MetaTrader 5 Manager',
  [RETCODE.AUTH_CLIENT_INVALID]:
    'the server does not accept this kind of client: check that the address is an access server with the Web API allowed',
  [RETCODE.AUTH_ACCOUNT_INVALID]:
    'the account is not valid: MT5_LOGIN must be a manager account (not a trading account), and MT5_PASSWORD its API password, not the main one',
  [RETCODE.AUTH_ACCOUNT_DISABLED]: 'the manager account is disabled: enable it in MetaTrader 5 Administrator',
  [RETCODE.AUTH_ADVANCED]:
    'the manager account uses advanced authorisation (certificates), which the Web API cannot do: switch it off for this account',
  [RETCODE.AUTH_CERTIFICATE]:
    'the manager account needs a certificate, which the Web API cannot show: switch that off for this account',
  [RETCODE.AUTH_SERVER_INTERNAL]: 'the address is not an access server: point MT5_SERVER at one',
  [RETCODE.AUTH_UPDATE_ONLY]: 'the server only gives out updates now: try again later',
  [RETCODE.AUTH_CLIENT_OLD]: 'the server wants a newer client version',
  [RETCODE.AUTH_MANAGER_NOCONFIG]:
    'the account has no manager configuration: create one for MT5_LOGIN in MetaTrader 5 Administrator',
  [RETCODE.AUTH_MANAGER_IPBLOCK]:
    "this machine's IP address is not on the manager's allow-list: add it in MetaTrader 5 Administrator, or send through a fixed address with MT5_PROXY",
  [RETCODE.AUTH_GROUP_INVALID]: 'the group of the manager is not initialised: the server needs a restart',
  [RETCODE.AUTH_INVALID_IP]:
    "the server does not allow this machine's address: have it allowed, or send through a fixed address with MT5_PROXY",
  [RETCODE.AUTH_SERVER_BUSY]: 'the server is busy: it will be tried again',
  [RETCODE.AUTH_ACCOUNT_UNKNOWN]: 'the server does not know the account: check MT5_LOGIN and MT5_SERVER',
  [RETCODE.AUTH_MANAGER_TYPE]:
    'the manager may not connect this way: allow the Web API (connection type) in its manager configuration',
  [RETCODE.AUTH_RESET_PASSWORD]: 'the main password of the manager must be changed first',
  [RETCODE.AUTH_OTP_INVALID]:
    'the manager needs a one-time password, which the Web API cannot give: switch that off for this account',
  [RETCODE.AUTH_OTP_NEED_SECRET]:
    'the manager needs a one-time password, which the Web API cannot give: switch that off for this account',
  [RETCODE.AUTH_API_DISABLED]:
    'the Web API is disabled for this account: set an API password and allow the Web API in MetaTrader 5 Administrator',
  [RETCODE.USR_INVALID_PASSWORD]: 'the password is not valid: MT5_PASSWORD must be the API password, not the main one',
};

export function signInReason(code: number, text: string): string {
  const { name, text: known } = retcodeOf(code);
  const said = text || known || name;
  if (isServerSide(code))
    return `The broker could not sign the manager in now (${code}${said ? ` ${said}` : ''}): ${REASONS[code] ?? 'the server has trouble of its own: it will be tried again'}.`;
  const words = REASONS[code] ?? `the server refused the manager account`;
  return `The broker refused the sign-in (${code}${said ? ` ${said}` : ''}): ${words}.`;
}

/** A 403 without a retcode says nothing of its cause: these are the ones that happen, the likeliest first. */
export const BARE_FORBIDDEN_REASON =
  'The broker refused the sign-in (403 without a reason). Possible causes: MT5_PASSWORD is not the API password (the main ' +
  'password does not work); MT5_LOGIN is not a manager account, or lacks the right to connect with MetaTrader 5 Manager; ' +
  "the Web API is not allowed on this access server or for this account; this machine's IP address is not on the " +
  "manager's allow-list (add it, or use a fixed address with MT5_PROXY).";

/** The server has trouble of its own: worth another address and another try, unlike a refused account. */
const SERVER_SIDE = new Set<number>([
  RETCODE.ERROR,
  RETCODE.ERR_DISK,
  RETCODE.ERR_MEM,
  RETCODE.ERR_NETWORK,
  RETCODE.ERR_TIMEOUT,
  RETCODE.ERR_CONNECTION,
  RETCODE.ERR_NOSERVICE,
  RETCODE.ERR_FREQUENT,
  RETCODE.ERR_SHUTDOWN,
  RETCODE.AUTH_GROUP_INVALID,
  RETCODE.AUTH_SERVER_BUSY,
  RETCODE.AUTH_SERVER_CERT,
  RETCODE.AUTH_SERVER_OLD,
  RETCODE.AUTH_SERVER_LIMIT,
]);

export const isServerSide = (code: number): boolean => SERVER_SIDE.has(code);
