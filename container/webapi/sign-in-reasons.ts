import { retcodeOf } from './retcodes.ts';

/** Why a sign-in is refused, in words that say what to do. */
const REASONS: Readonly<Record<number, string>> = {
  8: 'the manager account may not use the Web API: in MetaTrader 5 Administrator give it the right to connect with MetaTrader 5 Manager',
  1000: 'the server does not accept this kind of client: check that the address is an access server with the Web API allowed',
  1001: 'the account is not valid: MT5_LOGIN must be a manager account (not a trading account), and MT5_PASSWORD its API password, not the main one',
  1002: 'the manager account is disabled: enable it in MetaTrader 5 Administrator',
  1003: 'the manager account uses advanced authorisation (certificates), which the Web API cannot do: switch it off for this account',
  1004: 'the manager account needs a certificate, which the Web API cannot show: switch that off for this account',
  1007: 'the address is not an access server: point MT5_SERVER at one',
  1009: 'the server only gives out updates now: try again later',
  1010: 'the server wants a newer client version',
  1011: 'the account has no manager configuration: create one for MT5_LOGIN in MetaTrader 5 Administrator',
  1012: "this machine's IP address is not on the manager's allow-list: add it in MetaTrader 5 Administrator, or send through a fixed address with MT5_PROXY",
  1013: 'the group of the manager is not initialised: the server needs a restart',
  1016: "the server does not allow this machine's address: have it allowed, or send through a fixed address with MT5_PROXY",
  1018: 'the server is busy: it will be tried again',
  1020: 'the server does not know the account: check MT5_LOGIN and MT5_SERVER',
  1024: 'the manager may not connect this way: allow the Web API (connection type) in its manager configuration',
  1026: 'the main password of the manager must be changed first',
  1027: 'the manager needs a one-time password, which the Web API cannot give: switch that off for this account',
  1028: 'the manager needs a one-time password, which the Web API cannot give: switch that off for this account',
  1034: 'the Web API is disabled for this account: set an API password and allow the Web API in MetaTrader 5 Administrator',
  3006: 'the password is not valid: MT5_PASSWORD must be the API password, not the main one',
};

export function signInReason(code: number, text: string): string {
  const { name, text: known } = retcodeOf(code);
  const words = REASONS[code] ?? `the server refused the manager account`;
  const said = text || known || name;
  return `The broker refused the sign-in (${code}${said ? ` ${said}` : ''}): ${words}.`;
}

/** A 403 without a retcode says nothing of its cause: these are the ones that happen, the likeliest first. */
export const BARE_FORBIDDEN_REASON =
  'The broker refused the sign-in (403 without a reason). Possible causes: MT5_PASSWORD is not the API password (the main ' +
  'password does not work); MT5_LOGIN is not a manager account, or lacks the right to connect with MetaTrader 5 Manager; ' +
  "the Web API is not allowed on this access server or for this account; this machine's IP address is not on the " +
  "manager's allow-list (add it, or use a fixed address with MT5_PROXY).";

/** The server has trouble of its own: worth another address and another try, unlike a refused account. */
const SERVER_SIDE = new Set([2, 5, 6, 7, 9, 10, 11, 12, 15, 1013, 1018, 1019, 1021, 1022]);

export const isServerSide = (code: number): boolean => SERVER_SIDE.has(code);
