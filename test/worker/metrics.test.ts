import { runInDurableObject, SELF } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, it } from 'vitest';
import type { FiguresReport } from '../../container/contract/figures.ts';
import { placeBroker } from '../../worker/placement.ts';
import { samplesOf, type PrometheusSample } from '../support/prometheus-text.ts';
import { TEST_KEYS } from '../support/test-keys.ts';
import { FakeBridge } from './fake-bridge.ts';
import { FakeContainer } from './fake-container.ts';
import type { BridgeContainer } from './worker.ts';

/** One answer of `/metrics` for door, Durable Object and container, told without waking it. */
const id = env.BRIDGE.idFromName(placeBroker('main', 1));
const stub = env.BRIDGE.get(id) as DurableObjectStub<BridgeContainer>;
const container = FakeContainer.of(id.toString());
const programs: FakeBridge[] = [];
container.program = (start) => {
  const program = new FakeBridge(start);
  programs.push(program);
  return program;
};
const exit = () => runInDurableObject(stub, (bridge) => bridge.fake.running && bridge.fake.exit(0));
afterEach(exit);

const ask = (path: string) =>
  SELF.fetch(`https://bridge.example${path}`, { headers: { 'x-api-key': TEST_KEYS.admin } });
const valueOf = (samples: readonly PrometheusSample[], name: string, labels: Record<string, string> = {}) =>
  samples.find(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )?.value;

async function scrape(): Promise<PrometheusSample[]> {
  const answer = await ask('/metrics');
  expect(answer.status).toBe(200);
  return samplesOf(await answer.text());
}

const report = (requests: number, atMs: number): FiguresReport => ({
  atMs,
  facts: {
    lastAnswerAtMs: atMs - 100,
    lastHeartbeatAtMs: null,
    clock: { offsetMs: 7_200_000, readAtMs: atMs },
    pool: { connections: 1, most: 4, busy: 0, waiting: 0 },
    symbols: [{ symbol: 'EURUSD', lastTickAtMs: atMs - 20_000, stale: true }],
    followed: { symbols: 1, stale: 1 },
    feed: { requests: 1 },
  },
  metrics: {
    mt5_http_requests_total: { '/v1/symbols\u0000GET\u0000200': requests },
    mt5_logins_total: { succeeded: 1 },
  },
});

it('tells the container’s last figures with their age, beside its own, and leaves the container asleep', async () => {
  expect(valueOf(await scrape(), 'mt5_http_requests_total')).toBeUndefined();
  expect(container.starts).toHaveLength(0);

  await (await ask('/v1/symbols')).body?.cancel();
  const [program] = programs;
  const toldAtMs = Date.now();
  await runInDurableObject(stub, () => program?.call('figures.keep', program.instanceId, report(41, toldAtMs)));
  const running = await scrape();
  expect(valueOf(running, 'mt5_http_requests_total', { route: '/v1/symbols' })).toBe(41);
  expect(valueOf(running, 'mt5_container_state', { state: 'running' })).toBe(1);
  expect(valueOf(running, 'mt5_cold_starts_total', { reason: 'request' })).toBe(1);
  expect(valueOf(running, 'mt5_holder_requests_total', { result: 'answered' })).toBe(1);
  const status = await (await ask('/v1/status')).json();
  expect(status).toMatchObject({
    verdict: 'Connected. The followed symbol has no fresh quote.',
    level: 'look',
    session: { serverBuild: '5000' },
    signIns: { succeeded: 1 },
    symbols: [{ symbol: 'EURUSD', stale: true }],
    told: { atMs: toldAtMs },
  });

  await exit();
  await expect.poll(async () => valueOf(await scrape(), 'mt5_container_state', { state: 'stopped' })).toBe(1);
  const asleep = await scrape();
  expect(valueOf(asleep, 'mt5_http_requests_total', { route: '/v1/symbols' })).toBe(41);
  expect(valueOf(asleep, 'mt5_sessions', { state: 'asleep' })).toBe(1);
  expect(valueOf(asleep, 'mt5_figures_timestamp_seconds', { part: 'container' })).toBe(toldAtMs / 1000);
  expect(container.starts).toHaveLength(1);
});

it('adds up what doors tell, and keeps it over its own restarts', async () => {
  const deltas = { mt5_door_requests_total: { '/v1/symbols\u0000GET\u0000200\u0000approximate': 5 } };
  for (let i = 0; i < 2; i++) await runInDurableObject(stub, (bridge) => bridge.figuresTold('door', deltas));
  const told = await scrape();
  expect(valueOf(told, 'mt5_door_requests_total', { figures: 'approximate' })).toBe(10);
});
