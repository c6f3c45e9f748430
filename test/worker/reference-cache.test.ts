import { abortAllDurableObjects, runInDurableObject, SELF } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answer } from '../../worker/door/router.ts';
import { placeBroker } from '../../worker/placement.ts';
import { TEST_KEYS } from '../support/test-keys.ts';
import { FakeBridge } from './fake-bridge.ts';
import { FakeContainer } from './fake-container.ts';
import type { BridgeContainer } from './worker.ts';

const id = env.BRIDGE.idFromName(placeBroker('main', 1));
const holder = (): DurableObjectStub<BridgeContainer> => env.BRIDGE.get(id) as DurableObjectStub<BridgeContainer>;
const container = FakeContainer.of(id.toString());

/** What the broker has: raised, it is another. */
let version = 1;
/** Paths that came to the container. */
let asked: string[] = [];
/** What the container answers in place of it. */
let instead: ((path: string) => Response | undefined | Promise<Response | undefined>) | undefined;

container.program = (start) =>
  new FakeBridge(start, {
    answer: async (request) => {
      const { pathname, search } = new URL(request.url);
      const path = pathname + search;
      asked.push(path);
      const other = await instead?.(path);
      if (other) return other;
      if (!path.startsWith('/v1/')) return Response.json({ retcode: '0 Done' });
      const { logins = null } = JSON.parse(request.headers.get('x-bridge-caller') ?? '{}') as { logins?: unknown };
      return Response.json(
        { path, version, bound: logins !== null, cacheControl: request.headers.get('cache-control') },
        { headers: { etag: `"${path}${version}"`, 'cache-control': 'private, max-age=60', age: '0' } },
      );
    },
  });

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly status9211: string;
  readonly age: number;
  readonly body: { readonly version?: number; readonly [name: string]: unknown } | null;
}

async function ask(path: string, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Answer> {
  const answer = await SELF.fetch(`https://bridge.example${path}`, {
    ...init,
    headers: { 'x-api-key': TEST_KEYS.read, ...headers },
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    status9211: answer.headers.get('cache-status') ?? '',
    age: Number(answer.headers.get('age')),
    body: text === '' ? null : (JSON.parse(text) as Answer['body']),
  };
}

const raw = (command: string): Promise<Answer> =>
  ask(
    `/api/${command}`,
    { 'x-api-key': TEST_KEYS.admin, 'idempotency-key': crypto.randomUUID(), 'content-type': 'application/json' },
    { method: 'POST', body: '{}' },
  );

const later = (ms: number): void => void vi.setSystemTime(Date.now() + ms);
const stop = (): Promise<void> =>
  runInDurableObject(holder(), async () => {
    container.exit(0);
    await expect.poll(() => container.running).toBe(false);
  });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  asked = [];
  instead = undefined;
});
afterEach(() => vi.useRealTimers());

describe('a reference read', () => {
  it('asks the container once; then the isolate answers, and says from where and how old', async () => {
    const first = await ask('/v1/symbols/EURUSD');
    expect([first.status, first.age]).toEqual([200, 0]);
    expect(first.status9211).toBe('durable-object; fwd=uri-miss; stored, isolate; fwd=uri-miss; stored');
    later(2_000);
    const second = await ask('/v1/symbols/EURUSD');
    expect(second.body).toEqual(first.body);
    expect(second.status9211).toBe('isolate; hit; ttl=58');
    expect(second.age).toBe(2);
    for (const name of ['etag', 'vary', 'cache-control', 'content-type', 'x-bridge-version', 'ratelimit-policy'])
      expect([name, second.headers.get(name)]).toEqual([name, first.headers.get(name)]);
    expect(second.headers.get('cache-control')).toBe('private, max-age=60');
    expect(second.headers.get('x-bridge-reference')).toBeNull();
    // Another way to write it is the same question to the Durable Object.
    await ask('/v1/symbols?mask=*');
    expect((await ask('/v1/symbols?limit=100')).status9211).toMatch(/^durable-object; hit; ttl=/);
    expect(asked).toEqual(['/v1/symbols/EURUSD', '/v1/symbols?mask=*']);
  });

  it('has a line in the log where the container was asked, and with LOG_LEVEL=debug where the isolate answered', async () => {
    const written = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const routes = async (LOG_LEVEL: 'debug' | 'info'): Promise<unknown[]> => {
      const of = { ...env, LOG_LEVEL };
      const headers = { 'x-api-key': TEST_KEYS.read };
      written.mockClear();
      for (const path of ['/v1/symbols/NZDCAD', '/v1/symbols/NZDCAD', '/v1/keys/self'])
        await (await answer(new Request(`https://bridge.example${path}`, { headers }), of)).body?.cancel();
      const lines = written.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>);
      return lines.map(({ level, route }) => `${String(level)} ${String(route)}`);
    };
    try {
      expect(await routes('info')).toEqual(['info /v1/symbols/{symbol}', 'info /v1/keys/self']);
      const kept = 'debug /v1/symbols/{symbol}';
      expect(await routes('debug')).toEqual([kept, kept, 'info /v1/keys/self']);
    } finally {
      written.mockRestore();
    }
  });

  it('is compared by ETag, answers HEAD, and is JSON: other forms go through', async () => {
    const { headers } = await ask('/v1/symbols/GBPUSD');
    const same = await ask('/v1/symbols/GBPUSD', { 'if-none-match': headers.get('etag') ?? '' });
    expect([same.status, same.body]).toEqual([304, null]);
    const head = await ask('/v1/symbols/GBPUSD', {}, { method: 'HEAD' });
    expect([head.status, head.body, head.status9211.startsWith('isolate; hit')]).toEqual([200, null, true]);
    expect(asked).toHaveLength(1);
    await ask('/v1/symbols/GBPUSD', { accept: 'text/csv' });
    expect(asked).toHaveLength(2);
  });

  it('with no-cache goes through to the broker, with max-age as far as it must; what comes is kept', async () => {
    await ask('/v1/symbols/USDJPY');
    version++;
    later(10_000);
    expect((await ask('/v1/symbols/USDJPY', { 'cache-control': 'max-age=11' })).body?.version).toBe(version - 1);
    const fresh = await ask('/v1/symbols/USDJPY', { 'cache-control': 'no-cache' });
    expect(fresh.body).toMatchObject({ version, cacheControl: 'no-cache' });
    expect(fresh.status9211).toBe('durable-object; fwd=request; stored, isolate; fwd=request; stored');
    expect((await ask('/v1/symbols/USDJPY')).body?.version).toBe(version);
    expect(asked).toHaveLength(2);
  });

  it('that the broker refuses is passed on, and not kept', async () => {
    instead = () => Response.json({ code: 'object_not_found' }, { status: 404 });
    const none = await ask('/v1/symbols/NONE');
    expect([none.status, none.status9211]).toEqual([
      404,
      'durable-object; fwd=uri-miss; fwd-status=404, isolate; fwd=uri-miss; fwd-status=404',
    ]);
    await ask('/v1/symbols/NONE');
    expect(asked).toHaveLength(2);
  });
});

describe('what is old', () => {
  it('is given at once and said to be old, while the container is asked behind it', async () => {
    await ask('/v1/groups/old');
    version++;
    later(61_000);
    const old = await ask('/v1/groups/old');
    expect([old.body?.version, old.age]).toEqual([version - 1, 61]);
    expect(old.status9211).toMatch(/^durable-object; hit; ttl=-1; detail="being renewed", isolate; fwd=stale; stored$/);
    await expect.poll(() => asked.length).toBe(2);
    later(6_000);
    await expect.poll(async () => (await ask('/v1/groups/old')).body?.version).toBe(version);
  });

  it('stays when the container cannot renew it, and says why', async () => {
    await ask('/v1/groups/kept');
    instead = () => Response.json({ code: 'broker_unreachable' }, { status: 503 });
    later(61_000);
    await ask('/v1/groups/kept');
    await expect.poll(() => asked.length).toBe(2);
    later(6_000);
    const kept = await ask('/v1/groups/kept');
    expect(kept).toMatchObject({ status: 200, age: 67 });
    expect(kept.status9211).toContain('ttl=-7; detail="not renewed: status 503"');
    const insists = await ask('/v1/groups/kept', { 'cache-control': 'no-cache' });
    expect(insists.status).toBe(503);
  });

  it('is answered while the container sleeps, and it goes on sleeping; what was never read wakes it', async () => {
    await ask('/v1/symbols/AUDUSD');
    await stop();
    const starts = container.starts.length;
    later(3 * 86_400_000);
    const old = await ask('/v1/symbols/AUDUSD');
    expect([old.status, old.age]).toEqual([200, 3 * 86_400]);
    expect(old.status9211).toContain('detail="the container sleeps"');
    // Under load, too, the memory answers.
    expect((await ask('/v1/symbols/AUDUSD')).status9211).toBe(
      `isolate; hit; ttl=${60 - 3 * 86_400}; detail="the container sleeps"`,
    );
    expect(container.starts).toHaveLength(starts);
    expect((await ask('/v1/symbols/NZDUSD')).status).toBe(200);
    expect(container.starts).toHaveLength(starts + 1);
  });

  it('is known after a restart of the Durable Object, and its generation is', async () => {
    await ask('/v1/symbols/USDCAD');
    await raw('group/add');
    await ask('/v1/symbols/USDCAD');
    const before = (await holder().referenceState(none)).generations;
    await stop();
    await abortAllDurableObjects();
    expect((await holder().referenceState(none)).generations).toEqual(before);
    asked = [];
    later(6_000);
    // Another spelling: not in the isolate's memory.
    const kept = await ask('/v1/symbols/USDCAD?decimals=string');
    expect([kept.age, kept.status9211.startsWith('durable-object; hit; ttl=54')]).toEqual([6, true]);
    expect(asked).toEqual([]);
  });
});

const none = Object.fromEntries(
  ['server', 'groups', 'symbols'].map((one) => [one, { memoryHits: 0, storeHits: 0, staleHits: 0, misses: 0 }]),
) as Parameters<BridgeContainer['referenceState']>[0];

describe('a write through the bridge', () => {
  const paths = ['/v1/symbols/EURCHF', '/v1/groups/EURCHF', '/v1/server'];
  const versions = async (): Promise<unknown[]> =>
    Promise.all(paths.map(async (path) => (await ask(path)).body?.version));

  it.each([
    ['symbol/add', [true, false, false]],
    ['group/add', [true, true, false]],
    ['setting/set', [false, false, true]],
    ['user/update', [false, false, false]],
  ])('%s: what it may have changed is read anew at once', async (command, changed) => {
    const before = version;
    await Promise.all(paths.map((path) => ask(path, { 'cache-control': 'no-cache' })));
    expect(await versions()).toEqual([before, before, before]);
    version++;
    await raw(command);
    expect(await versions()).toEqual(changed.map((isNew) => (isNew ? version : before)));
  });

  it('that failed may have been executed; and an answer that was on its way before is not kept after', async () => {
    const slow = { isAnswered: false };
    instead = async (path) => {
      if (path !== '/v1/symbols/SLOW') return undefined;
      // Promises and bodies are of the object that made them.
      while (!slow.isAnswered) await scheduler.wait(1);
      return Response.json({ version: 'before' }, { headers: { etag: '"before"' } });
    };
    const reading = ask('/v1/symbols/SLOW');
    await expect.poll(() => asked).toContain('/v1/symbols/SLOW');
    instead = (path) => (path.startsWith('/api') ? Response.json({ code: 'x' }, { status: 502 }) : undefined);
    await raw('symbol/add');
    slow.isAnswered = true;
    expect((await reading).body?.version).toBe('before');
    expect((await ask('/v1/symbols/SLOW')).body?.version).toBe(version);
  });

  it('through another isolate is seen within five seconds', async () => {
    await ask('/v1/symbols/EURNOK');
    await ask('/v1/symbols/EURNOK');
    version++;
    const headers = { 'x-bridge-caller': '{"id":"t","scopes":["admin"]}', 'x-bridge-changes': 'symbols' };
    await (await holder().fetch('http://bridge/api/symbol/add', { method: 'POST', headers })).text();
    later(5_000);
    expect((await ask('/v1/symbols/EURNOK')).body?.version).toBe(version);
  });
});

describe('keys', () => {
  const admin = { 'x-api-key': TEST_KEYS.admin, 'content-type': 'application/json' };

  it('hold as without the cache: scope, logins, brokers, revocation and rate', async () => {
    for (let i = 0; i < 2; i++) await ask('/v1/groups/keys');
    for (let i = 0; i < 2; i++) await ask('/v1/server');
    expect((await ask('/v1/groups/keys', { 'x-api-key': 'mt5k_none' })).body).toMatchObject({
      code: 'unauthenticated',
    });
    const masked = { 'x-api-key': TEST_KEYS.masked };
    expect((await ask('/v1/groups/keys', masked)).body).toMatchObject({ code: 'login_not_allowed' });
    // The server's totals are not for who is bound to logins: its own answer, and kept for those alike.
    expect((await ask('/v1/server', masked)).body).toMatchObject({ bound: true });
    expect((await ask('/v1/server', masked)).status9211).toMatch(/^isolate; hit/);
    expect((await ask('/v1/server')).body).toMatchObject({ bound: false });

    const made = await ask('/admin/keys', admin, {
      method: 'POST',
      body: JSON.stringify({ id: 'brief', scopes: ['read'], brokers: ['elsewhere'] }),
    });
    const brief = { 'x-api-key': String(made.body?.['key']) };
    later(6_000);
    expect((await ask('/v1/groups/keys', brief)).body).toMatchObject({ code: 'broker_not_allowed' });
    await ask('/admin/keys/brief', admin, { method: 'PATCH', body: JSON.stringify({ brokers: null }) });
    later(6_000);
    expect((await ask('/v1/groups/keys', brief)).status).toBe(200);
    await ask('/admin/keys/brief', admin, { method: 'DELETE' });
    later(6_000);
    expect((await ask('/v1/groups/keys', brief)).status).toBe(401);
  });

  it('count every read against their limit', async () => {
    const left = async (): Promise<number> =>
      Number(/r=(\d+)/.exec((await ask('/v1/groups/counted')).headers.get('ratelimit') ?? '')?.[1]);
    const first = await left();
    expect([await left(), await left()]).toEqual([first - 1, first - 2]);
  });
});

it('the hit rate is told by class', async () => {
  const cache = async (): Promise<Record<string, number>> => {
    instead = (path) => (path === '/performance/cache' ? Response.json({ reads: 1, door: null }) : undefined);
    const { body } = await ask('/performance/cache');
    expect(body?.['reads']).toBe(1);
    return (body as unknown as { door: { byClass: { symbols: Record<string, number> } } }).door.byClass.symbols;
  };
  const before = await cache();
  for (let i = 0; i < 4; i++) await ask('/v1/symbols/RATE');
  const { memoryHits = 0, misses = 0, hitRate } = await cache();
  expect([memoryHits - (before['memoryHits'] ?? 0), misses - (before['misses'] ?? 0)]).toEqual([3, 1]);
  expect(hitRate).toBeGreaterThan(0);
});
