import { BridgeError } from './errors.ts';
import { toHex } from './hex.ts';

export const SCOPES = ['read', 'trade', 'manage', 'operate', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** `trade`, `manage` (accounts, money, groups) and `operate` (the bridge itself) each include `read`; `admin` is all. */
const IMPLIES: Record<Scope, readonly Scope[]> = {
  read: ['read'],
  trade: ['read', 'trade'],
  manage: ['read', 'manage'],
  operate: ['read', 'operate'],
  admin: SCOPES,
};

/** Naming the price of a trade, as a dealer does, whatever the market: corrections. */
export const DEALER_PRICE_SCOPE: Scope = 'manage';

/** Inclusive login ranges, sorted; `undefined` = every login. */
export type LoginMask = readonly (readonly [from: number, to: number])[];

/**
 * Who calls: an API key or a consumer session. Made at the door (Worker, or the container alone on a VPS) and carried
 * to the container in the header `x-bridge-caller`.
 */
export interface Caller {
  /** Id of the key; `<key>/<login>` for a trader's session. The owner of operations, whichever session asks. */
  readonly id: string;
  readonly scopes: readonly Scope[];
  readonly logins?: LoginMask;
  /** Ids of the brokers it may be used at; absent = every one. */
  readonly brokers?: readonly string[];
  /** Limits of the key; a trader's session has those of the key that opened it. */
  readonly limits?: KeyLimits;
  /** From here on the caller is nobody, epoch ms. */
  readonly expiresAtMs?: number;
  /** Set for a trader's session: its public id, and the key that opened it. */
  readonly sessionId?: string;
  readonly openedBy?: string;
}

/** Limits that an administrator gives a key. Lots and amounts are decimals; amounts are in the account's currency. */
export interface KeyLimits {
  readonly symbols?: readonly string[];
  /** Of one order. */
  readonly maxVolumeLots?: string;
  readonly ordersPerMinute?: number;
  /** Open positions and pending orders of an account, those on their way included. */
  readonly maxPositions?: number;
  /** Lots of an account in one symbol and direction, pending orders and those on their way included. */
  readonly maxExposureLots?: string;
  /** Trades may make positions smaller, and nothing else. */
  readonly reduceOnly?: boolean;
  /** Of one money operation. */
  readonly maxAmount?: string;
  /** Of all money operations of 24 hours. */
  readonly maxAmountPerDay?: string;
}

/** How the end of a key or session is told to whoever holds streams. */
export const endedKey = (id: string): string => `key:${id}`;
export const endedSession = (id: string): string => `session:${id}`;
export const isEnded = ({ id, sessionId }: Caller, ended: readonly string[]): boolean =>
  ended.includes(sessionId === undefined ? endedKey(id) : endedSession(sessionId));

/** The key whose limits count, and against whose budget: traders' sessions of one key share it. */
export const budgetOf = (caller: Caller): string => caller.openedBy ?? caller.id;

/** `"1001,1005-1010"` → ranges. Throws `Error` naming what was expected. */
export function parseLoginMask(text: string): LoginMask {
  const ranges = text.split(',').map((part): readonly [number, number] => {
    const match = /^\s*([1-9]\d{0,15})(?:\s*-\s*([1-9]\d{0,15}))?\s*$/.exec(part);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (!match || !Number.isSafeInteger(from) || !Number.isSafeInteger(to) || to < from)
      throw new Error(`logins: expected numbers and ranges like "1001,1005-1010", got "${part.slice(0, 40)}"`);
    return [from, to];
  });
  return ranges.sort((a, b) => a[0] - b[0]);
}

export const loginMaskText = (mask: LoginMask): string =>
  mask.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');

export const loginAllowed = (mask: LoginMask | undefined, login: number): boolean =>
  mask === undefined || mask.some(([from, to]) => login >= from && login <= to);

/** The same for a key that is absent, malformed or wrong: the answer tells nothing about keys. */
export const unauthenticated = (): BridgeError =>
  new BridgeError('unauthenticated', 'Send a valid key as "Authorization: Bearer …" or "X-API-Key: …".');

export const hasScope = ({ scopes }: Pick<Caller, 'scopes'>, scope: Scope): boolean =>
  scopes.some((held) => IMPLIES[held].includes(scope));

/** @throws BridgeError `scope_missing` */
export function requireScope(caller: Caller, scope: Scope): void {
  if (hasScope(caller, scope)) return;
  throw new BridgeError('scope_missing', {
    detail: `This needs the scope "${scope}"; the key has ${caller.scopes.map((held) => `"${held}"`).join(', ') || 'none'}.`,
  });
}

/** @throws BridgeError `login_not_allowed` */
export function requireLogin(caller: Caller, login: number): void {
  if (loginAllowed(caller.logins, login)) return;
  throw new BridgeError('login_not_allowed', { detail: `The key may not touch login ${login}.`, field: 'login' });
}

/** @throws BridgeError `broker_not_allowed` */
export function requireBroker({ brokers }: Caller, broker: string): void {
  if (!brokers || brokers.includes(broker)) return;
  throw new BridgeError('broker_not_allowed', `The key may not be used at the broker ${broker}.`);
}

/** What concerns every broker is not for a key that is bound to some. @throws BridgeError `broker_not_allowed` */
export function requireEveryBroker({ brokers }: Caller): void {
  if (!brokers) return;
  throw new BridgeError('broker_not_allowed', 'This is about every broker, and the key is bound to some.');
}

/** What concerns every login is not for a key or session that is bound to some. @throws BridgeError `login_not_allowed` */
export function requireEveryLogin(caller: Caller): void {
  if (!caller.logins) return;
  throw new BridgeError('login_not_allowed', 'This is about every login, and the key is bound to some.');
}

/** Consumer-session tokens begin so; API keys must not. Lets the door tell the two apart without a look-up. */
export const SESSION_TOKEN_PREFIX = 'mt5s_';
export const API_KEY_PREFIX = 'mt5k_';

/** `Authorization: Bearer <key>` or `X-API-Key: <key>`; `undefined` when neither is there or both differ. */
export function presentedKey(
  authorization: string | null | undefined,
  apiKey: string | null | undefined,
): string | undefined {
  const bearer = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(authorization ?? '')?.[1];
  const header = apiKey && /^[\x21-\x7e]{1,512}$/.test(apiKey) ? apiKey : undefined;
  if (bearer !== undefined && header !== undefined && bearer !== header) return undefined;
  return bearer ?? header;
}

/** `sha256:<hex>` of a key or token. WebCrypto: the same in workerd and Node. */
export async function hashKey(key: string): Promise<string> {
  return `sha256:${toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(key))))}`;
}

const encoder = new TextEncoder();

/** `GET /v1/keys/self`: what a caller may do, as its route shows it. */
export const keySelf = (caller: Caller) => ({
  id: caller.id,
  scopes: caller.scopes,
  logins: caller.logins ? loginMaskText(caller.logins) : null,
  brokers: caller.brokers ?? null,
  expiresAt: caller.expiresAtMs === undefined ? null : new Date(caller.expiresAtMs).toISOString(),
  limits: caller.limits ?? null,
});
