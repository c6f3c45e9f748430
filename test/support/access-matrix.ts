import { createHash } from 'node:crypto';
import type { AnyRoute } from '../../container/contract/route.ts';
import { ROUTES } from '../../container/contract/routes.ts';

/**
 * Every operation of the document × every kind of caller: what must come back, worked out here from the route's own words
 * and not by the code that decides it.
 */

const secretOf = (name: string): string => `mt5k_matrix_${name}`;
const hash = (key: string): string => `sha256:${createHash('sha256').update(key).digest('hex')}`;

const RIGHTS: Readonly<Record<string, object>> = {
  admin: { scopes: ['admin'] },
  read: { scopes: ['read'] },
  trade: { scopes: ['trade'] },
  manage: { scopes: ['manage'] },
  operate: { scopes: ['operate'] },
  limited: { scopes: ['trade'], limits: { symbols: ['GBPUSD'], maxVolumeLots: '0.01' } },
  reduceOnly: { scopes: ['trade'], limits: { reduceOnly: true } },
  maskedRead: { scopes: ['read'], logins: '1001' },
  maskedTrade: { scopes: ['trade'], logins: '1001' },
  maskedAdmin: { scopes: ['admin'], logins: '1001' },
  expired: { scopes: ['admin'], expiresAt: '2020-01-01T00:00:00Z' },
  elsewhere: { scopes: ['admin'], ips: ['203.0.113.0/24'] },
  revoked: { scopes: ['admin'] },
};

export const MATRIX_KEYS = JSON.stringify(
  Object.entries(RIGHTS).map(([id, rights]) => ({ id, hash: hash(secretOf(id)), ...rights })),
);

interface Kind {
  readonly name: string;
  readonly token: string | undefined;
  readonly scopes: readonly string[];
  readonly isMasked?: boolean;
  readonly isTrader?: boolean;
  readonly always?: 'unauthenticated' | 'address_not_allowed';
}

const INCLUDED: Readonly<Record<string, readonly string[]>> = {
  read: ['read'],
  trade: ['read', 'trade'],
  manage: ['read', 'manage'],
  operate: ['read', 'operate'],
  admin: ['read', 'trade', 'manage', 'operate', 'admin'],
};

type Send = (path: string, init: RequestInit) => Promise<Response>;

/** Revokes what is to be revoked, signs the trader in, and names everybody who asks. */
async function everybody(send: Send): Promise<readonly Kind[]> {
  const as = (name: string, method: string, path: string, body?: unknown) =>
    send(path, {
      method,
      headers: { authorization: `Bearer ${secretOf(name)}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  await as('admin', 'DELETE', '/admin/keys/revoked');
  // A door may believe a key for five seconds more.
  const untilMs = Date.now() + 8_000;
  while ((await as('revoked', 'GET', '/v1/keys/self')).status !== 401)
    if (Date.now() > untilMs) throw new Error('the revoked key still opens');
  const tokenOf = async (password: string): Promise<string> =>
    ((await (await as('trade', 'POST', '/v1/sessions', { login: 1001, password })).json()) as { token: string }).token;
  const key = (name: string, scopes: readonly string[], more: Partial<Kind> = {}): Kind => ({
    name,
    token: secretOf(name),
    scopes,
    ...more,
  });
  return [
    { name: 'no key', token: undefined, scopes: [], always: 'unauthenticated' },
    { name: 'wrong key', token: 'mt5k_wrong', scopes: [], always: 'unauthenticated' },
    key('expired', [], { always: 'unauthenticated' }),
    key('revoked', [], { always: 'unauthenticated' }),
    key('elsewhere', [], { always: 'address_not_allowed' }),
    key('read', ['read']),
    key('trade', ['trade']),
    key('limited', ['trade']),
    key('reduceOnly', ['trade']),
    key('maskedRead', ['read'], { isMasked: true }),
    key('maskedTrade', ['trade'], { isMasked: true }),
    key('maskedAdmin', ['admin'], { isMasked: true }),
    key('manage', ['manage']),
    key('operate', ['operate']),
    { name: 'trader, main', token: await tokenOf('Client1001!'), scopes: ['trade'], isMasked: true, isTrader: true },
    { name: 'trader, investor', token: await tokenOf('Invest1001!'), scopes: ['read'], isMasked: true, isTrader: true },
  ];
}

/** The code of the refusal; `undefined` = let through. */
function refusalOf(route: AnyRoute, { always, scopes, isMasked, isTrader }: Kind): string | undefined {
  if (route.scope === null) return undefined;
  if (always) return always;
  const body: unknown = route.example.body;
  const needed = [route.scope, ...(route.scopes?.({ params: {}, query: {}, body }) ?? [])];
  const has = (scope: string): boolean => scopes.some((held) => INCLUDED[held]?.includes(scope));
  if (!needed.every((scope) => has(scope))) return 'scope_missing';
  // An account that is yet to be made has no login that a mask could name.
  const { query = {}, params = {} }: AnyRoute['example'] = route.example;
  const named = [...(query['logins']?.split(',') ?? []), params['login'] ?? '1001'];
  const isForeign = named.some((login) => login !== '1001');
  if (isMasked && (route.wide === true || route.id === 'createAccount' || isForeign)) return 'login_not_allowed';
  return isTrader && route.id === 'openSession' ? 'scope_missing' : undefined;
}

/** Let through, these would change what the others meet: the walk of the document sees them work. */
const NOT_TO_BE_DONE = new Set([
  'adminWarm',
  'adminSleep',
  'adminSignInReset',
  'haltTrading',
  'resumeTrading',
  'createKey',
  'changeKey',
  'rotateKey',
  'finishKeyRotation',
  'revokeKey',
  'changePassword',
  'endCurrentSession',
  'takeProfile',
  'createWebhook',
]);

function requestOf(route: AnyRoute, { name, token }: Kind): { path: string; init: RequestInit } {
  const example: AnyRoute['example'] = route.example;
  const params = example.params ?? {};
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, part: string) => encodeURIComponent(params[part] ?? ''));
  const query = new URLSearchParams(example.query);
  if (route.write && 'dryRun' in ((route.query as { shape?: object }).shape ?? {})) query.set('dryRun', 'true');
  return {
    path: query.size > 0 ? `${path}?${query.toString()}` : path,
    init: {
      method: route.method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        // The limit of an address without a key is another test's.
        'cf-connecting-ip': `198.51.100.${ROUTES.findIndex(({ id }) => id === route.id) + 1}`,
        ...(route.write ? { 'idempotency-key': `matrix-${route.id}-${name.replaceAll(/\W/g, '')}` } : {}),
        ...(example.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(example.body === undefined ? {} : { body: JSON.stringify(example.body) }),
    },
  };
}

const SCOPE_CODES = ['scope_missing', 'login_not_allowed', 'address_not_allowed', 'unauthenticated'];

/** What is wrong in each cell; `isServed` = this road has the operation. */
export async function accessFaults(send: Send, isServed: (route: AnyRoute) => boolean): Promise<string[]> {
  const faults: string[] = [];
  const kinds = await everybody(send);
  for (const route of ROUTES as readonly AnyRoute[]) {
    if (!isServed(route)) continue;
    await Promise.all(
      kinds.map(async (kind) => {
        const wanted = refusalOf(route, kind);
        if (wanted === undefined && NOT_TO_BE_DONE.has(route.id)) return;
        const { path, init } = requestOf(route, kind);
        const answer = await send(path, init);
        const text = await answer.text();
        const code = answer.status >= 400 ? (JSON.parse(text) as { code?: string }).code : undefined;
        // Tickets of the examples may be another login's.
        const isForeign = code === 'login_not_allowed' && kind.isMasked === true && path.includes('/1000');
        const isRight =
          wanted === undefined
            ? answer.status < 500 && (isForeign || !SCOPE_CODES.includes(code ?? ''))
            : code === wanted && answer.status === (wanted === 'unauthenticated' ? 401 : 403);
        if (!isRight)
          faults.push(`${route.id} × ${kind.name}: ${answer.status} ${code ?? ''}, wanted ${wanted ?? 'through'}`);
      }),
    );
  }
  return faults;
}
