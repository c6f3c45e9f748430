import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { METRICS_TYPE } from '../../container/contract/metrics/catalog.ts';
import { startBridge, type BridgeTestOptions, type BridgeUnderTest } from '../support/bridge.ts';
import { samplesOf, type PrometheusSample } from '../support/prometheus-text.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';

/** What a scrape of the program tells, on a VPS; behind the Worker: `test/worker/metrics.test.ts`. */
let simulator: Simulator;
const folder = mkdtempSync(path.join(tmpdir(), 'figures-'));
beforeAll(async () => void (simulator = await startSimulator()));
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true });
});

async function scrape(bridge: BridgeUnderTest): Promise<PrometheusSample[]> {
  const answer = await bridge.fetch('/metrics');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe(METRICS_TYPE);
  return samplesOf(await answer.text());
}

/** The one value of a metric with these labels. */
function valueOf(samples: readonly PrometheusSample[], name: string, labels: Record<string, string> = {}): number {
  const found = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found.reduce((sum, { value }) => sum + value, 0);
}

async function withBridge<T>(
  options: Partial<BridgeTestOptions>,
  use: (bridge: BridgeUnderTest) => Promise<T>,
): Promise<T> {
  const bridge = await startBridge({ simulator, ...options });
  try {
    return await use(bridge);
  } finally {
    await bridge.close();
  }
}

test('a scrape tells requests by route, commands by endpoint, sessions, cache and refusals, and no login or symbol', () =>
  withBridge({}, async (bridge) => {
    for (const target of ['/v1/accounts/1001/positions', '/v1/symbols', '/v1/symbols', '/v1/accounts/77777777'])
      await (await bridge.fetch(target)).body?.cancel();
    const samples = await scrape(bridge);
    const route = '/v1/accounts/{login}/positions';
    expect(valueOf(samples, 'mt5_http_requests_total', { route, method: 'GET', code: '200' })).toBe(1);
    expect(valueOf(samples, 'mt5_http_request_duration_seconds_count', { route })).toBe(1);
    expect(valueOf(samples, 'mt5_upstream_request_duration_seconds_count', { endpoint: 'position/get_page' })).toBe(1);
    expect(valueOf(samples, 'mt5_sessions', { state: 'ready' })).toBeGreaterThanOrEqual(1);
    expect(valueOf(samples, 'mt5_logins_total', { result: 'succeeded' })).toBeGreaterThanOrEqual(1);
    expect(valueOf(samples, 'mt5_cache_requests_total', { kind: 'symbols', result: 'hit' })).toBeGreaterThanOrEqual(1);
    expect(valueOf(samples, 'mt5_http_refusals_total', { key: 'admin', code: 'object_not_found' })).toBe(1);
    expect(valueOf(samples, 'mt5_http_phase_seconds_count', { phase: 'broker' })).toBeGreaterThanOrEqual(3);
    expect(valueOf(samples, 'mt5_last_answer_timestamp_seconds')).toBeGreaterThan(Date.now() / 1000 - 60);
    const labels = samples.flatMap((sample) => Object.values(sample.labels));
    expect(labels.filter((value) => /1001|77777777|EURUSD|127\.0\.0\.1/.test(value))).toEqual([]);
    const refused = await fetch(`${bridge.url}/metrics`, { headers: { 'x-api-key': bridge.readKey } });
    expect(refused.status).toBe(403);
  }));

test('the monitoring paths tell what the scrape tells', () =>
  withBridge({}, async (bridge) => {
    for (let i = 0; i < 3; i++) await (await bridge.fetch('/v1/symbols/EURUSD')).body?.cancel();
    const told = (await (await bridge.fetch('/performance/metrics')).json()) as {
      requests: { byStatus: Record<string, number> };
    };
    const cache = (await (await bridge.fetch('/performance/cache')).json()) as {
      byKind: { symbols: { hits: number; misses: number } };
    };
    const samples = await scrape(bridge);
    const ok = samples.filter(({ name, labels }) => name === 'mt5_http_requests_total' && labels['code'] === '200');
    // Less the two questions above, which were counted after they had been answered.
    expect(ok.reduce((sum, { value }) => sum + value, 0) - 2).toBe(told.requests.byStatus['2xx']);
    const { hits, misses } = cache.byKind.symbols;
    expect(valueOf(samples, 'mt5_cache_requests_total', { kind: 'symbols', result: 'hit' })).toBe(hits);
    expect(valueOf(samples, 'mt5_cache_requests_total', { kind: 'symbols', result: 'miss' })).toBe(misses);
  }));

test('counters go on over a restart of the program', async () => {
  const env = { CHECKPOINT: `file:${path.join(folder, 'state.sqlite')}` };
  const route = '/v1/accounts/{login}';
  const ask = async (bridge: BridgeUnderTest): Promise<PrometheusSample[]> => {
    await (await bridge.fetch('/v1/accounts/1001')).body?.cancel();
    return scrape(bridge);
  };
  await withBridge({ env }, ask);
  const samples = await withBridge({ env }, ask);
  expect(valueOf(samples, 'mt5_http_requests_total', { route })).toBe(2);
  expect(valueOf(samples, 'mt5_http_request_duration_seconds_count', { route })).toBe(2);
  expect(valueOf(samples, 'mt5_logins_total', { result: 'succeeded' })).toBe(2);
  expect(valueOf(samples, 'process_start_time_seconds')).toBeLessThanOrEqual(Date.now() / 1000);
});

test('the status tells each fact with its age, and a verdict', () =>
  withBridge({}, async (bridge) => {
    await (await bridge.fetch('/v1/server')).body?.cancel();
    const status = (await (await bridge.fetch('/v1/status')).json()) as Record<string, unknown>;
    const age = { at: expect.any(String), atMs: expect.any(Number), ageMs: expect.any(Number) };
    expect(status).toMatchObject({
      level: 'good',
      verdict: 'Connected.',
      session: { state: 'ready', serverBuild: expect.any(String) },
      lastAnswer: age,
      signIns: { succeeded: 1, failed: 0 },
      clock: { offsetMs: expect.any(Number), measured: age },
      pool: { connections: 1, most: 4, waiting: 0 },
      operations: { unsettled: 0, needLook: { orders: 0, others: 0 } },
      halted: null,
      sleep: null,
      told: { ageMs: 0 },
    });
    await bridge.fetch('/admin/trading/halt', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'audit' }),
    });
    expect(await (await bridge.fetch('/v1/status')).json()).toMatchObject({
      level: 'look',
      verdict: 'Connected. Trading is halted.',
      halted: 'audit',
    });
  }));
