import { z } from 'zod';
import { BridgeError } from './errors.ts';

export const SCOPES = ['read', 'trade', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** `admin` includes `trade`, `trade` includes `read`. */
const IMPLIES: Record<Scope, readonly Scope[]> = {
  read: ['read'],
  trade: ['read', 'trade'],
  admin: ['read', 'trade', 'admin'],
};

/** Naming the price of a trade, as a dealer does, whatever the market: corrections. */
export const DEALER_PRICE_SCOPE: Scope = 'admin';

/** Inclusive login ranges, sorted; `undefined` = every login. */
export type LoginMask = readonly (readonly [from: number, to: number])[];

/**
 * Who calls: an API key or a consumer session. Made at the door (Worker, or the container alone on a VPS) and carried
 * to the container in the header `x-bridge-caller`.
 */
export interface Caller {
  /** Id of the key; `session:<id>` for a consumer session. Also the owner of operations. */
  readonly id: string;
  readonly scopes: readonly Scope[];
  readonly logins?: LoginMask;
  /** Pre-trade limits of the key. */
  readonly limits?: KeyLimits;
  /** Set for a consumer session: its public id. */
  readonly sessionId?: string;
}

/** Pre-trade limits that an administrator gives a key. */
export interface KeyLimits {
  readonly maxVolumeLots?: string;
  readonly symbols?: readonly string[];
  readonly ordersPerMinute?: number;
}

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

export const loginAllowed = (mask: LoginMask | undefined, login: number): boolean =>
  mask === undefined || mask.some(([from, to]) => login >= from && login <= to);

/** The same for a key that is absent, malformed or wrong: the answer tells nothing about keys. */
export const unauthenticated = (): BridgeError =>
  new BridgeError('unauthenticated', 'Send a valid key as "Authorization: Bearer …" or "X-API-Key: …".');

/** @throws BridgeError `scope_missing` */
export function requireScope(caller: Caller, scope: Scope): void {
  if (caller.scopes.some((held) => IMPLIES[held].includes(scope))) return;
  throw new BridgeError('scope_missing', {
    detail: `This needs the scope "${scope}"; the key has ${caller.scopes.map((held) => `"${held}"`).join(', ') || 'none'}.`,
  });
}

/** @throws BridgeError `login_not_allowed` */
export function requireLogin(caller: Caller, login: number): void {
  if (loginAllowed(caller.logins, login)) return;
  throw new BridgeError('login_not_allowed', { detail: `The key may not touch login ${login}.`, field: 'login' });
}

const keyRecordSchema = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'expected 1–64 of A–Z a–z 0–9 _ . -'),
  hash: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected "sha256:" and 64 hex digits (npm run key makes one)'),
  scopes: z.array(z.enum(SCOPES)).min(1, 'expected at least one of read, trade, admin'),
  logins: z
    .string()
    .transform((text, context): LoginMask => {
      try {
        return parseLoginMask(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    })
    .optional(),
  limits: z
    .strictObject({
      maxVolumeLots: z
        .string()
        .regex(/^\d{1,9}(\.\d{1,8})?$/, 'expected lots as a decimal string like "5.00"')
        .optional(),
      symbols: z.array(z.string().min(1).max(32)).min(1).optional(),
      ordersPerMinute: z.int().min(1).max(100_000).optional(),
    })
    .optional(),
});

/** The value of `BRIDGE_API_KEYS`: JSON list of keys, by hash. Ids are unique. */
export const apiKeysSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'expected a JSON list of {"id","hash","scopes","logins"?}' });
      return z.NEVER;
    }
  })
  .pipe(z.array(keyRecordSchema).min(1, 'expected at least one key'))
  .refine((keys) => new Set(keys.map((key) => key.id)).size === keys.length, 'expected unique ids');

export type ApiKey = z.infer<typeof keyRecordSchema>;

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
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key));
  return `sha256:${Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Equal-time comparison of two hashes: the time depends on the length only. */
function equalHash(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % Math.max(1, b.length));
  return difference === 0;
}

/** Looks at every key, whatever matches, so that the time tells nothing. */
export function findCaller(keys: readonly ApiKey[], hash: string): Caller | undefined {
  let found: ApiKey | undefined;
  for (const key of keys) if (equalHash(hash, key.hash)) found = key;
  if (!found) return undefined;
  return {
    id: found.id,
    scopes: found.scopes,
    ...(found.logins ? { logins: found.logins } : {}),
    ...(found.limits ? { limits: found.limits as KeyLimits } : {}),
  };
}

/** `GET /v1/keys/self`: what a caller may do, as its route shows it. */
export const keySelf = ({
  id,
  scopes,
  logins,
  limits,
}: Caller): Pick<Caller, 'id' | 'scopes'> & { logins: string | null; limits: KeyLimits | null } => ({
  id,
  scopes,
  logins: logins?.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',') ?? null,
  limits: limits ?? null,
});
