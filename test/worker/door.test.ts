import { runInDurableObject, SELF } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it } from 'vitest';
import { ROUTES } from '../../container/contract/routes.ts';
import { placeBroker } from '../../worker/placement.ts';
import { expectRefused, REFUSALS, requestOf, type Refusal } from '../support/refusals.ts';
import { TEST_KEYS } from '../support/test-keys.ts';
import { FakeBridge } from './fake-bridge.ts';
import { FakeContainer } from './fake-container.ts';
import type { BridgeContainer } from './worker.ts';

const id = env.BRIDGE.idFromName(placeBroker('main', 1));
const stub = env.BRIDGE.get(id) as DurableObjectStub<BridgeContainer>;
const container = FakeContainer.of(id.toString());

type Sent = Pick<Refusal, 'path' | 'method' | 'key' | 'headers' | 'body'>;

function send({ path, ...rest }: Sent): Promise<Response> {
  return SELF.fetch(`https://bridge.example${path}`, requestOf(rest));
}

describe('refusals wake nothing', () => {
  afterEach(() => expect(container.starts).toHaveLength(0));

  it.each(REFUSALS)('$name: $status $code', async (refusal) => expectRefused(await send(refusal), refusal));

  it('every route of the contract that needs a key refuses without one, and its scope without it', async () => {
    for (const route of ROUTES.filter(({ scope }) => scope !== null)) {
      const path = route.path.replaceAll(/\{\w+\}/g, '1001');
      const nobody = await send({ path, method: route.method, key: null });
      expect([route.id, nobody.status]).toEqual([route.id, 401]);
      await nobody.body?.cancel();
      if (route.scope === 'read') continue;
      const reader = await send({ path, method: route.method });
      expect([route.id, reader.status]).toEqual([route.id, 403]);
      await reader.body?.cancel();
    }
  });

  it('health, readiness and status', async () => {
    for (const path of ['/healthz', '/readyz', '/v1/status']) {
      const answer = await send({ path });
      expect([path, answer.status]).toEqual([path, 200]);
      await answer.body?.cancel();
    }
  });

  it('CORS is closed: an unknown origin gets no header, its preflight no leave', async () => {
    const answer = await send({ path: '/healthz', headers: { origin: 'https://evil.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    const preflight = await send({
      path: '/v1/accounts/1001',
      method: 'OPTIONS',
      key: null,
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
    expect(preflight.status).toBe(405);
    await preflight.body?.cancel();
  });
});

describe('what is let through', () => {
  const programs: FakeBridge[] = [];
  container.program = (start) => {
    const program = new FakeBridge(start, {
      answer: async (request) =>
        Response.json({ headers: Object.fromEntries(request.headers), body: await request.text() }),
    });
    programs.push(program);
    return program;
  };
  afterEach(() => runInDurableObject(stub, (bridge) => bridge.fake.running && bridge.fake.exit(0)));
  const forwarded = (answer: Response) => answer.json<{ headers: Record<string, string>; body: string }>();

  it('carries the caller, the deadline and the trace, and nothing that a caller made up or should keep', async () => {
    const answer = await send({
      path: '/api/user/get?login=1001',
      key: TEST_KEYS.masked,
      headers: {
        'x-request-id': 'my-request',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        'x-bridge-caller': '{"id":"root","scopes":["admin"]}',
        'x-bridge-start-secret': 'guess',
        'x-bridge-deadline': '1',
        cookie: 'a=b',
        'x-forwarded-for': '10.0.0.1',
        'cf-container-target-port': '22',
        connection: 'upgrade',
      },
    });
    const { headers } = await forwarded(answer);
    expect(JSON.parse(headers['x-bridge-caller'] ?? '')).toEqual({
      id: 'masked',
      scopes: ['trade'],
      logins: [
        [1001, 1001],
        [1005, 1010],
      ],
    });
    expect(headers).toMatchObject({
      'x-request-id': 'my-request',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'x-bridge-start-secret': container.starts.at(-1)?.env['BRIDGE_START_SECRET'],
    });
    expect(Number(headers['x-bridge-deadline'])).toBeGreaterThan(Date.now());
    for (const name of [
      'authorization',
      'x-api-key',
      'cookie',
      'x-forwarded-for',
      'cf-container-target-port',
      'x-bridge-replay',
    ])
      expect(headers).not.toHaveProperty(name);
    expect(answer.headers.get('x-request-id')).toBe('my-request');
    expect(answer.headers.get('ratelimit-policy')).toBe('"key";q=2000;w=4');
    expect(answer.headers.get('server-timing')).toMatch(/start;dur=\d+, holder;dur=\d+, place;dur=\d+, door;dur=\d+$/);
  });

  it('carries a body byte for byte', async () => {
    const body = '{"Login":  1001,"Comment":"ä\\u00e4"}';
    const answer = await send({ path: '/api/user/get', method: 'POST', body });
    expect((await forwarded(answer)).body).toBe(body);
  });

  it('a request id that could break a log line is replaced', async () => {
    const answer = await send({ path: '/healthz', headers: { 'x-request-id': 'a b;c' } });
    expect(answer.status).toBe(200);
    const other = await send({ path: '/v1/status', headers: { 'x-request-id': 'a b;c' } });
    expect(other.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
