import { expect, it } from 'vitest';
import { StreamClient } from '../support/stream-client.ts';
import { startEdge } from './support/edge.ts';
import { LeapingClock } from './support/leaping-clock.ts';

/**
 * Metals close on Friday at 23:55 of the server, UTC+3, and open on Tuesday at 01:00, UTC+2: New York sets its clocks back on
 * Sunday, and Monday is a holiday.
 */
const CLOSE = Date.parse('2026-10-30T20:55:00Z');
const OPEN = Date.parse('2026-11-02T23:00:00Z');
const LEAD_MS = 8_000;
const LONG = { timeout: 40_000 };
const HOLIDAY = { Description: 'A Monday', Mode: '1', Year: '0', Month: '11', Day: '2', WorkFrom: '0', WorkTo: '0' };

it('the market closes: asleep with a client attached that is told stale; awake before the open over a change of the clocks and a holiday; the first request is warm', async () => {
  const clock = await LeapingClock.start(CLOSE - 120_000, { tradingHours: 'real', ticksPerSecond: 50 });
  const { simulator } = clock;
  simulator.broker.world.records.configuration.get('holiday')?.set(HOLIDAY.Description, HOLIDAY);
  const edge = await startEdge({
    simulator,
    main: 'test/worker/leaping-worker.ts',
    around: (program) => clock.inside(program),
    vars: { SLEEP_AFTER: '3s', SLEEP_POLICY: 'calendar', WARM_LEAD_SECONDS: String(LEAD_MS / 1000) },
  });
  const at = (utcMs: number): Promise<void> => clock.set(utcMs, edge.url);
  const admin = async (path: string): Promise<Record<string, unknown>> =>
    (await edge.json(path, { headers: { 'x-api-key': edge.keys.admin } })).body;
  const running = (): number => edge.engine.running().length;
  try {
    await at(CLOSE - 120_000);
    expect(await admin('/admin/policy')).toMatchObject({ awake: false, symbols: null, wakesAt: null });
    expect(edge.engine.processes).toHaveLength(0);
    await edge.scheduled();
    const policy = (): Promise<unknown> => admin('/admin/policy');
    // Nothing is in use yet; from then on it is what somebody quotes.
    await expect.poll(policy, LONG).toMatchObject({ policy: 'calendar', awake: true, symbols: ['EURUSD'] });
    expect(await edge.json('/v1/quotes?symbols=XAUUSD')).toMatchObject({ status: 200 });
    const plan = { untilMs: CLOSE, wakesAtMs: OPEN - LEAD_MS, symbols: ['XAUUSD'], missed: [] };
    await expect
      .poll(policy, LONG)
      .toMatchObject({ awake: true, why: expect.stringContaining('rading hours'), ...plan });
    const client = await StreamClient.open(`${edge.url}/v1/stream`, { key: edge.keys.read });
    client.send({ op: 'subscribe', topic: 'ticks', symbols: ['XAUUSD'] });
    await client.first('delta', 'ticks');
    await at(CLOSE - 500);
    await expect.poll(running, LONG).toBe(0);
    expect(client.of('stale', 'ticks').at(-1)?.data).toEqual({ symbols: ['XAUUSD'] });
    expect(await admin('/admin/policy')).toMatchObject({ awake: false, untilMs: null, wakesAtMs: OPEN - LEAD_MS });
    client.frames.length = 0;
    client.send({ op: 'ping' });
    await client.first('heartbeat');
    expect(client.closed).toBeUndefined();
    // The weekend, the night in which the clocks change, the holiday.
    await at(OPEN - LEAD_MS - 1_000);
    expect(running()).toBe(0);
    await expect.poll(running, { ...LONG, interval: 20 }).toBe(1);
    const startedMs = edge.engine.processes.at(-1)?.startedAtMs ?? Infinity;
    expect(startedMs + clock.now() - Date.now()).toBeLessThan(OPEN);
    // From here on time passes by itself.
    const session = async (): Promise<unknown> => (await edge.json('/readyz')).body['session'];
    await expect.poll(session, LONG).toMatchObject({ state: 'ready' });
    await expect.poll(() => clock.now(), LONG).toBeGreaterThan(OPEN);
    expect(await edge.json('/v1/accounts/1001')).toMatchObject({ status: 200 });
    expect(edge.engine.processes).toHaveLength(2);
    // The client is served again, by the program that woke.
    const quotedAt = (): number[] =>
      client.of('delta', 'ticks').map(({ data }) => (data as { quotedAtMs: number }[])[0]?.quotedAtMs ?? 0);
    await expect.poll(() => Math.max(0, ...quotedAt()), LONG).toBeGreaterThan(OPEN);
    expect(client.closed).toBeUndefined();
    const { items } = (await admin('/admin/journal')) as { items: { event: string; reason: string; atMs: number }[] };
    const starts = items.filter(({ event }) => event === 'start').map(({ reason }) => reason);
    // The hub's alarm and the policy's are due together; nobody's request started it.
    expect(starts).toHaveLength(2);
    expect(starts).not.toContain('request');
    expect(items.filter(({ event }) => event === 'missed')).toEqual([]);
    client.close();
  } finally {
    await edge.close();
    await clock.close();
  }
});
