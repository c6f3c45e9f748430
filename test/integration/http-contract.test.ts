import { afterAll, beforeAll, expect, test } from 'vitest';
import { BRIDGE_VERSION } from '../../container/contract/version.ts';
import { startBridge, type BridgeUnderTest } from '../support/bridge.ts';
import { rawHttp } from '../support/raw-http.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';

/** What every answer of the container carries, whatever it is about. */
let simulator: Simulator;
let bridge: BridgeUnderTest;

beforeAll(async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

test('a sane request id and trace are taken over, others are replaced or left out', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const kept = await bridge.fetch('/api/time/server', { headers: { 'x-request-id': 'crm:42.a-b_c', traceparent } });
  expect(kept.headers.get('x-request-id')).toBe('crm:42.a-b_c');
  expect(kept.headers.get('traceparent')).toBe(traceparent);
  const made = await bridge.fetch('/api/time/server', { headers: { 'x-request-id': 'a b"c', traceparent: 'x' } });
  expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(made.headers.get('traceparent')).toBeNull();
});

test('answers say version, epoch and where the time went', async () => {
  const { headers } = await bridge.fetch('/api/time/server');
  expect(headers.get('x-bridge-version')).toBe(BRIDGE_VERSION);
  expect(headers.get('x-session-epoch')).toBe('1');
  expect(headers.get('server-timing')).toMatch(/^bridge;dur=[\d.]+, queue;dur=[\d.]+, broker;dur=[\d.]+$/);
});

test('problems are complete, and their id is the one in the log', async () => {
  const answer = await bridge.fetch('/v1/nothing/here');
  expect(answer.status).toBe(404);
  const problem = (await answer.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({
    type: 'urn:mt5-edge-bridge:problem:route_not_found',
    status: 404,
    code: 'route_not_found',
    retry: 'no',
    outcome: 'not_sent',
    requestId: answer.headers.get('x-request-id'),
  });
  await expect
    .poll(() => bridge.log.find(({ requestId }) => requestId === problem['requestId']))
    .toMatchObject({ event: 'request', caller: 'admin', status: 404, route: 'unmatched' });
});

test('a group may stand in a query with its backslash as it is', async () => {
  const [encoded, plain] = await Promise.all(
    ['real%5C*', String.raw`real\*`].map(async (group) =>
      (await bridge.fetch(`/v1/logins?limit=3&group=${group}`)).json(),
    ),
  );
  expect(plain).toEqual(encoded);
  expect(plain).toMatchObject({ items: [1001, 1002, 1004] });
});

test('refusals tell what to send', async () => {
  const nobody = await fetch(`${bridge.url}/api/user/get?login=1001`);
  expect(nobody.headers.get('www-authenticate')).toContain('Bearer');
  const twice = await fetch(`${bridge.url}/api/user/get?login=1001`, {
    headers: { authorization: `Bearer ${bridge.readKey}`, 'x-api-key': bridge.adminKey },
  });
  expect(twice.status).toBe(401);
  const inUrl = await fetch(`${bridge.url}/api/user/get?login=1001&api_key=${bridge.adminKey}`);
  expect(inUrl.status).toBe(401);
  const put = await bridge.fetch('/api/user/get', { method: 'PUT' });
  expect(put.status).toBe(405);
  expect(put.headers.get('allow')).toBe('GET, POST');
});

test('the log has one line a request, without the query', async () => {
  await bridge.fetch('/api/user/get?login=1077', { headers: { 'x-request-id': 'one-line' } });
  await expect.poll(() => bridge.log.filter(({ requestId }) => requestId === 'one-line').length).toBe(1);
  const line = bridge.log.find(({ requestId }) => requestId === 'one-line');
  expect(line).toMatchObject({ route: '/api/user/get', method: 'GET', status: 200 });
  expect(line?.['phasesMs']).toMatchObject({ queue: expect.any(Number), broker: expect.any(Number) });
  expect(JSON.stringify(line)).not.toContain('1077');
});

test('fifty callers who send nothing more do not keep others out', async () => {
  const idle = Array.from({ length: 50 }, () => rawHttp(bridge.port, 'GET /api/user/get HTTP/1.1\r\nHost: x\r\n', 600));
  expect((await bridge.fetch('/api/user/get?login=1001')).status).toBe(200);
  await Promise.all(idle);
});

test('the page for people is served without a key, under a policy that allows nothing inline or from elsewhere', async () => {
  const page = await fetch(`${bridge.url}/`);
  expect(page.headers.get('content-type')).toContain('text/html');
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(policy).not.toContain('unsafe');
  const loaded = [...(await page.text()).matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path);
  expect(loaded).toContain('/console.js');
  for (const path of loaded) {
    const { status, headers } = await fetch(bridge.url + path);
    expect([path, status, headers.get('content-security-policy')]).toEqual([path, 200, policy]);
  }
  expect((await fetch(`${bridge.url}/`, { method: 'POST' })).status).toBe(404);
});
