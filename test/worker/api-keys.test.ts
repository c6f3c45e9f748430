import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject, SELF } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, it, vi } from 'vitest';
import { eraseEvents } from '../../container/outbox/audit/erase.ts';
import { type AuditVerdict, AuditVerifier } from '../../container/outbox/audit/verify.ts';
import { WEB_DIGESTS } from '../../container/outbox/digests.ts';
import { ObjectBucket } from '../../worker/outbox/object-bucket.ts';
import { placeBroker, placeOutbox } from '../../worker/placement.ts';
import { TEST_KEYS } from '../support/test-keys.ts';
import { FakeContainer } from './fake-container.ts';
import type { BridgeContainer } from './worker.ts';

/** Keys behind the door: kept in the Durable Object, known to every door within five seconds; nothing is woken. */

const id = env.BRIDGE.idFromName(placeBroker('main', 1));
const stub = env.BRIDGE.get(id) as DurableObjectStub<BridgeContainer>;
afterEach(() => {
  vi.useRealTimers();
  expect(FakeContainer.of(id.toString()).starts).toHaveLength(0);
});

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function call(key: string, method: string, path: string, body?: unknown, address?: string): Promise<Answer> {
  const answer = await SELF.fetch(`https://bridge.example${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(address === undefined ? {} : { 'cf-connecting-ip': address }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

/** What a door knows is five seconds old at most. */
const later = (): unknown => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5_001 });
const self = (key: string, address?: string) => call(key, 'GET', '/v1/keys/self', undefined, address);

it('a key that is made opens, is narrowed, and is nobody once it is revoked', async () => {
  const made = await call(TEST_KEYS.admin, 'POST', '/admin/keys', { id: 'edge', scopes: ['manage', 'operate'] });
  expect(made).toMatchObject({ status: 201, body: { apiKey: { id: 'edge', source: 'admin' } } });
  const key = String(made.body['key']);
  later();
  expect(await self(key)).toMatchObject({ status: 200, body: { id: 'edge', scopes: ['manage', 'operate'] } });
  expect((await call(key, 'GET', '/admin/journal')).status).toBe(200);
  expect((await call(key, 'GET', '/admin/keys')).status).toBe(403);
  await call(TEST_KEYS.admin, 'PATCH', '/admin/keys/edge', { scopes: ['read'], logins: '1001' });
  later();
  expect((await call(key, 'GET', '/admin/journal')).status).toBe(403);
  const { body } = await call(TEST_KEYS.admin, 'GET', '/admin/keys');
  const entry = (body['items'] as readonly Record<string, unknown>[]).find((item) => item['id'] === 'edge');
  expect(entry).toMatchObject({ logins: '1001', lastUsedAt: expect.any(String) });
  expect((await call(TEST_KEYS.admin, 'DELETE', '/admin/keys/edge')).body).toEqual({ revoked: true });
  later();
  expect((await self(key)).status).toBe(401);
});

it('a key bound to networks and to a time is refused elsewhere and afterwards', async () => {
  const made = await call(TEST_KEYS.admin, 'POST', '/admin/keys', {
    id: 'bound',
    scopes: ['read'],
    ips: ['203.0.113.0/24', '2001:db8::/32'],
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
  });
  const key = String(made.body['key']);
  later();
  expect((await self(key, '203.0.113.9')).status).toBe(200);
  expect((await self(key, '2001:db8::5')).status).toBe(200);
  expect((await self(key, '198.51.100.1')).body).toMatchObject({ status: 403, code: 'address_not_allowed' });
  expect((await self(key)).body).toMatchObject({ code: 'address_not_allowed' });
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
  expect((await self(key, '203.0.113.9')).status).toBe(401);
});

it('an address without a key is told to wait, a key from it is served', async () => {
  const address = '203.0.113.77';
  const statuses = [];
  for (let n = 0; n < 140; n++) statuses.push((await self(`mt5k_wrong_${n}`, address)).status);
  expect(statuses[0]).toBe(401);
  expect(statuses.at(-1)).toBe(429);
  expect((await self(TEST_KEYS.read, address)).status).toBe(200);
  expect((await self('mt5k_wrong', '203.0.113.78')).status).toBe(401);
});

it('the keys of the variable are there, and answers over https say so for a year', async () => {
  const keys = await runInDurableObject(stub, (bridge) => JSON.parse(bridge.apiKeys([])) as readonly unknown[]);
  expect(keys.length).toBeGreaterThanOrEqual(Object.keys(TEST_KEYS).length);
  const answer = await SELF.fetch('https://bridge.example/healthz');
  expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000');
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  await answer.body?.cancel();
});

it('what was done to a key stands in the audit, told through the abort of every object on its way', async () => {
  const made = await call(TEST_KEYS.admin, 'POST', '/admin/keys', { id: 'audited', scopes: ['read'] }, '203.0.113.5');
  expect(made.status).toBe(201);
  await abortAllDurableObjects();
  await call(TEST_KEYS.admin, 'PATCH', '/admin/keys/audited', { scopes: ['trade'] });
  await abortAllDurableObjects();
  await call(TEST_KEYS.admin, 'DELETE', '/admin/keys/audited');
  const told = async (): Promise<unknown[]> => {
    const { body } = await call(TEST_KEYS.admin, 'GET', '/v1/audit?type=key.*&limit=1000');
    return (body['items'] as readonly { event: Record<string, unknown> }[])
      .map(({ event }) => event)
      .filter(({ data }) => (data as { id?: unknown }).id === 'audited');
  };
  await vi.waitFor(async () => expect(await told()).toHaveLength(3), 10_000);
  expect(await told()).toMatchObject([
    { type: 'key.created', caller: 'admin', address: '203.0.113.5', requestId: expect.any(String), broker: 'main' },
    { type: 'key.changed', data: { before: { scopes: ['read'] }, after: { scopes: ['trade'] } } },
    { type: 'key.revoked', caller: 'admin' },
  ]);
  expect((await call(TEST_KEYS.admin, 'GET', '/v1/audit/head')).body).toMatchObject({ fault: null, pending: 0 });
  const table = await SELF.fetch('https://bridge.example/v1/audit', {
    headers: { authorization: `Bearer ${TEST_KEYS.admin}`, accept: 'text/csv' },
  });
  expect(await table.text()).toContain('key.revoked');
  expect((await call(TEST_KEYS.read, 'GET', '/v1/audit')).body).toMatchObject({ code: 'scope_missing' });
});

it('in the bucket an object is made once and never replaced; what is erased by hand leaves the chain whole', async () => {
  const { AUDIT } = env as unknown as { AUDIT: R2Bucket };
  const bucket = new ObjectBucket(AUDIT);
  const verify = async (): Promise<AuditVerdict> => {
    const verifier = new AuditVerifier({}, WEB_DIGESTS);
    for (const key of await bucket.list('main/', '')) await verifier.add(key, (await bucket.read(key)) ?? '');
    return verifier.end();
  };
  const [key = ''] = await bucket.list('main/', '');
  const text = (await bucket.read(key)) ?? '';
  expect(await bucket.create(key, text.replaceAll('created', 'revoked'))).toBe('exists');
  expect(await bucket.read(key)).toBe(text);
  expect(await verify()).toMatchObject({ faults: [], erased: [] });
  for (const one of await bucket.list('main/', '')) {
    const { text: left } = eraseEvents((await bucket.read(one)) ?? '', ({ caller }) => caller === 'admin');
    await AUDIT.put(one, left);
  }
  const { faults, erased } = await verify();
  expect([faults, erased.length > 0]).toEqual([[], true]);
  const { body } = await call(TEST_KEYS.admin, 'GET', '/v1/audit?caller=admin&type=key.*');
  expect(body['items']).toEqual([]);
});

it('a receiver that fails is asked ever more seldom, and disabled after a day, with an event', async () => {
  const outbox = env.OUTBOX.getByName(placeOutbox('main'));
  const calls: number[] = [];
  vi.stubGlobal('fetch', async () => {
    calls.push(Date.now());
    return new Response(null, { status: 503 });
  });
  try {
    const made = await call(TEST_KEYS.admin, 'POST', '/v1/webhooks', {
      url: 'https://hooks.broker.com/mt5',
      events: ['admin.*'],
    });
    expect(made.status).toBe(201);
    const { id: webhook } = made.body['webhook'] as { id: string };
    const state = async (): Promise<Record<string, unknown> | undefined> => {
      const { body } = await call(TEST_KEYS.admin, 'GET', '/v1/webhooks');
      return (body['items'] as Record<string, unknown>[]).find((item) => item['id'] === webhook);
    };
    const startedMs = Date.now();
    for (let nowMs = startedMs; (await state())?.['disabledAt'] === null; nowMs += 1_200_000) {
      expect(nowMs - startedMs).toBeLessThan(25 * 3_600_000);
      vi.useFakeTimers({ toFake: ['Date'], now: nowMs });
      await runDurableObjectAlarm(outbox);
    }
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(86_400_000);
    expect(calls.length).toBeLessThan(40);
    expect(await state()).toMatchObject({ pending: 0, disabledReason: expect.stringContaining('it answered 503') });
    const { body } = await call(TEST_KEYS.admin, 'GET', '/v1/audit?type=admin.webhook_disabled');
    expect(body['items']).toMatchObject([{ event: { data: { id: webhook } } }]);
  } finally {
    vi.unstubAllGlobals();
  }
});
