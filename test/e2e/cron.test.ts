import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BridgeEvent } from '../../container/contract/events.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { type Edge, startEdge } from './support/edge.ts';

let simulator: Simulator;
let edge: Edge;
/** Of webhooks. */
let receiver: Server;
let isReceiverDown = false;
const calls: { readonly headers: Record<string, string>; readonly body: string; readonly isTaken: boolean }[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const headers = request.headers as Record<string, string>;
      calls.push({ headers, body: Buffer.concat(parts).toString(), isTaken: !isReceiverDown });
      response.writeHead(isReceiverDown ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  simulator = await startSimulator();
  // One session, so that what the archive asks side by side makes no other one.
  const vars = { SLEEP_AFTER: '4s', POOL_MAX: '1', WEBHOOK_ALLOWED_ORIGINS: origin() };
  edge = await startEdge({ simulator, vars });
});
const origin = (): string => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
afterAll(async () => {
  receiver?.closeAllConnections();
  receiver?.close();
  await edge?.close();
  await simulator?.close();
});

const session = async (): Promise<unknown> => ((await edge.json('/readyz')).body['session'] as { state: string }).state;

it('probes of a sleeping bridge start nothing', async () => {
  expect((await edge.json('/healthz')).status).toBe(200);
  expect(await edge.json('/readyz')).toMatchObject({ status: 200, body: { session: { state: 'asleep' } } });
  expect((await edge.json('/v1/status')).status).toBe(200);
  expect(edge.engine.processes).toHaveLength(0);
});

it('twenty firings: one start, one sign-in, a session ready; the next read causes neither', async () => {
  await Promise.all(Array.from({ length: 10 }, () => edge.scheduled()));
  for (let i = 0; i < 10; i++) await edge.scheduled();
  expect(await session()).toBe('ready');
  expect((await edge.fetch('/api/user/get?login=1001')).status).toBe(200);
  expect(edge.engine.processes).toHaveLength(1);
  expect(simulator.stats().handshakes).toBe(1);
});

it('keeps the last closed day, once, whichever firing does it', async () => {
  const admin = { headers: { 'x-api-key': edge.keys.admin } };
  for (const kind of ['deals', 'daily-reports']) {
    const { body } = await edge.json(`/v1/archive/${kind}`, admin);
    expect(body).toMatchObject({ items: [{ items: expect.any(Number) }], fault: null });
    const [{ day, items }] = body['items'] as [{ day: string; items: number }];
    expect(Date.parse(day)).toBeLessThan(Date.now() - 86_400_000);
    const read = await edge.fetch(`/v1/archive/${kind}/${day}`, {
      headers: { ...admin.headers, accept: 'application/x-ndjson' },
    });
    const lines = (await read.text()).trimEnd().split('\n');
    expect(lines).toHaveLength(items + 1);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ end: true, items });
  }
  expect((await edge.json('/v1/archive/deals')).status).toBe(403);
});

let secret = '';
it('a webhook: what a receiver that is down is told', async () => {
  const made = await edge.json('/v1/webhooks', {
    method: 'POST',
    headers: { 'x-api-key': edge.keys.admin, 'content-type': 'application/json' },
    body: JSON.stringify({ url: `${origin()}/hook`, events: ['operation.*', 'container.*'] }),
  });
  expect(made).toMatchObject({ status: 201, body: { secret: expect.stringMatching(/^whsec_/) } });
  secret = String(made.body['secret']);
  isReceiverDown = true;
  const placed = await edge.json('/v1/orders', {
    method: 'POST',
    headers: { 'x-api-key': edge.keys.admin, 'content-type': 'application/json', 'idempotency-key': 'told' },
    body: JSON.stringify({ login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.01' }),
  });
  expect(placed.status).toBe(201);
  await expect.poll(() => calls.length).toBeGreaterThan(0);
  const metrics = await (await edge.fetch('/metrics', { headers: { 'x-api-key': edge.keys.admin } })).text();
  expect(metrics).toMatch(/^mt5_outbox_pending\{for="webhooks"\} [1-9]/m);
  expect(metrics).toMatch(/^mt5_outbox_oldest_age_seconds\{for="webhooks"\} [\d.]+$/m);
  isReceiverDown = false;
});

it('sleeps when nobody asks, probes notwithstanding, and says goodbye to the broker', async () => {
  await expect
    .poll(
      async () => {
        await edge.json('/readyz');
        return edge.engine.running().length;
      },
      { timeout: 15_000 },
    )
    .toBe(0);
  expect(edge.engine.processes.at(-1)?.exitCode).toBe(0);
  await expect.poll(session).toBe('asleep');
});

it('a webhook: everything came, signed, in order, twice only with the same id; the last words of the container too', async () => {
  const taken = (): BridgeEvent[] =>
    calls.filter(({ isTaken }) => isTaken).map(({ body }) => JSON.parse(body) as BridgeEvent);
  const types = (): string[] => taken().map(({ type }) => type);
  await expect.poll(types).toEqual(expect.arrayContaining(['operation.done', 'container.sleep']));
  const orders = taken().filter(({ data }) => data['key'] === 'told');
  expect([...new Set(orders.map(({ type }) => type))]).toEqual(['operation.sending', 'operation.done']);
  for (const { headers, body } of calls) {
    expect(new Webhook(secret).verify(body, headers)).toMatchObject({ id: headers['webhook-id'], broker: 'main' });
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
  }
});
