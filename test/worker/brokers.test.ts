import { SELF } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answer } from '../../worker/door/router.ts';
import { placeBroker } from '../../worker/placement.ts';
import { TEST_KEYS } from '../support/test-keys.ts';
import { FakeBridge } from './fake-bridge.ts';
import { FakeContainer } from './fake-container.ts';

/** Two brokers behind one door: each has its own objects and container, the keys are those of both. */

const BROKERS = JSON.stringify([
  { id: 'main', server: 'main.invalid:443', login: '1000', passwordSecret: 'MAIN_PASSWORD' },
  { id: 'second', server: 'second.invalid:443', login: '2000', passwordSecret: 'SECOND_PASSWORD', pool: 2 },
]);
/** Of the door and, since they run in one isolate, of its objects: the pool gives every test the same `env`. */
const two = { BROKERS, MAIN_PASSWORD: 'planted-main', SECOND_PASSWORD: 'planted-second' };

const containerOf = (broker: string): FakeContainer =>
  FakeContainer.of(env.BRIDGE.idFromName(placeBroker(broker, 1)).toString());

const ask = async (path: string, init: RequestInit = {}, changes: Record<string, unknown> = two) => {
  const headers = new Headers(init.headers);
  if (!headers.has('x-api-key')) headers.set('x-api-key', TEST_KEYS.admin);
  const request = new Request(`https://bridge.example${path}`, { ...init, headers });
  const response = await answer(request, { ...env, ...changes });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: JSON.parse(text) as Record<string, unknown>,
  };
};

beforeEach(() => {
  for (const id of ['main', 'second'])
    containerOf(id).program = (start) =>
      new FakeBridge(start, {
        answer: (request) =>
          Response.json(
            { broker: id, path: new URL(request.url).pathname },
            { headers: { location: '/v1/operations/k' } },
          ),
      });
});
afterEach(() => vi.useRealTimers());

it('each broker is asked at its own path, bare paths are the first’s, and one container starts for each', async () => {
  expect((await ask('/v1/accounts/1001')).body).toEqual({ broker: 'main', path: '/v1/accounts/1001' });
  const second = await ask('/brokers/second/v1/accounts/1001');
  expect(second.body).toEqual({ broker: 'second', path: '/v1/accounts/1001' });
  expect(second.headers.get('location')).toBe('/brokers/second/v1/operations/k');
  expect((await ask('/brokers/second/api/user/get?login=1001')).body).toMatchObject({ path: '/api/user/get' });
  expect((await ask('/brokers/main/v1/accounts/1001')).body).toMatchObject({ broker: 'main' });
  expect([containerOf('main').starts.length, containerOf('second').starts.length]).toEqual([1, 1]);
  expect((await ask('/brokers/third/v1/accounts/1001')).body).toMatchObject({ status: 404, code: 'broker_not_found' });
});

it('one halted and asleep leaves the other as it is', async () => {
  await ask('/brokers/second/v1/accounts/1001');
  const halted = await ask('/brokers/second/admin/trading/halt', {
    method: 'POST',
    body: '{"reason":"drill"}',
    headers: { 'content-type': 'application/json' },
  });
  expect(halted.body).toMatchObject({ halted: true });
  expect((await ask('/admin/trading')).body).toMatchObject({ halted: false });
  await ask('/v1/accounts/1001');
  await ask('/brokers/second/admin/sleep', { method: 'POST' });
  await expect.poll(() => containerOf('second').running).toBe(false);
  expect((await ask('/v1/accounts/1001')).body).toMatchObject({ broker: 'main' });
  const { body } = await ask('/v1/brokers');
  expect(body['items']).toMatchObject([
    { id: 'main', path: '/brokers/main', session: 'ready', container: 'running' },
    { id: 'second', path: '/brokers/second', ready: true, container: 'stopped' },
  ]);
  expect(containerOf('main').starts).toHaveLength(1);
});

describe('keys', () => {
  const made = async (record: Record<string, unknown>): Promise<string> => {
    const { body } = await ask('/brokers/second/admin/keys', {
      method: 'POST',
      body: JSON.stringify(record),
      headers: { 'content-type': 'application/json' },
    });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5_001 });
    return String(body['key']);
  };

  it('are kept in one place for all brokers, and may be bound to some', async () => {
    const key = await made({ id: 'second-only', scopes: ['admin'], brokers: ['second'] });
    const as = (path: string) => ask(path, { headers: { 'x-api-key': key } });
    expect((await as('/brokers/second/v1/keys/self')).body).toMatchObject({ id: 'second-only', brokers: ['second'] });
    expect((await as('/v1/keys/self')).body).toMatchObject({ status: 403, code: 'broker_not_allowed' });
    expect((await as('/brokers/second/admin/keys')).body).toMatchObject({ status: 403, code: 'broker_not_allowed' });
    expect((await as('/brokers/second/v1/brokers')).body['items']).toMatchObject([{ id: 'second' }]);
    expect((await ask('/admin/keys')).text).toContain('second-only');
  });

  it('limits are counted per broker', async () => {
    const slow = { ...two, RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '2' };
    const statuses = async (path: string): Promise<number[]> => {
      const all = [];
      for (let n = 0; n < 3; n++)
        all.push((await ask(path, { headers: { 'x-api-key': TEST_KEYS.trade } }, slow)).status);
      return all;
    };
    expect(await statuses('/v1/keys/self')).toEqual([200, 200, 429]);
    expect(await statuses('/brokers/second/v1/keys/self')).toEqual([200, 200, 429]);
  });
});

it.each([
  ['no list', { BROKERS: '{' }, 'BROKERS: expected a JSON list'],
  ['a login that is a number', { BROKERS: BROKERS.replace('"1000"', '1000') }, 'BROKERS.0.login: expected the number'],
  ['one id twice', { BROKERS: BROKERS.replace('"second"', '"main"') }, 'BROKERS: expected each id once'],
  ['a secret that is not there', { SECOND_PASSWORD: '' }, 'SECOND_PASSWORD: is missing (the password of second)'],
])('%s: nobody is let in, the fault is named, and no secret is told', async (_, changes, fault) => {
  const { status, body, text } = await ask('/v1/accounts/1001', {}, { ...two, ...changes });
  expect([status, body['code']]).toEqual([503, 'misconfigured']);
  expect(body['detail']).toContain(fault);
  expect(text).not.toContain('planted');
});

it('without BROKERS the only broker has its path too', async () => {
  const answered = await SELF.fetch('https://bridge.example/brokers/main/v1/keys/self', {
    headers: { 'x-api-key': TEST_KEYS.read },
  });
  expect(await answered.json()).toMatchObject({ brokers: null });
});
