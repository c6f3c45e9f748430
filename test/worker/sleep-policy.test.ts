import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import type { TradingCalendar } from '../../container/contract/trading-calendar.ts';
import { FakeBridge } from './fake-bridge.ts';
import { FakeContainer } from './fake-container.ts';
import type { BridgeContainer } from './worker.ts';

/** Monday to Friday of a server whose midnight is 17:00 in New York, closed on 25 December. */
const FOREX: TradingCalendar = {
  zone: { zoneMinutes: 120, daylight: 'us' },
  markets: [
    {
      symbols: ['EURUSD'],
      hours: [[1440, 8640]],
      holidays: [{ year: 0, month: 12, day: 25, open: null }],
    },
  ],
};

function newBridge() {
  const id = env.BRIDGE.newUniqueId();
  const stub = env.BRIDGE.get(id) as DurableObjectStub<BridgeContainer>;
  const container = FakeContainer.of(id.toString());
  const programs: FakeBridge[] = [];
  container.program = (start) => {
    const program = new FakeBridge(start);
    programs.push(program);
    return program;
  };
  const inside = <T>(body: (bridge: BridgeContainer) => T | Promise<T>): Promise<T> =>
    runInDurableObject(stub, (bridge) => body(bridge));
  /** The bridge's clock, which alone decides; the platform's alarm is called by hand. */
  const at = (time: string): Promise<void> =>
    inside((bridge) => {
      bridge.nowMs = Date.parse(`${time}Z`);
    });
  const request = async (): Promise<number> => {
    const nowMs = await inside((bridge) => bridge.nowMs ?? Date.now());
    const answer = await stub.fetch('http://bridge/v1/x', {
      headers: {
        'x-bridge-caller': '{"id":"t","scopes":["read"]}',
        'x-bridge-replay': 'safe',
        'x-bridge-deadline': String(nowMs + 10_000),
      },
    });
    await answer.text();
    return answer.status;
  };
  const journal = async (): Promise<string[]> => {
    const told = await stub.answer(
      'adminJournal',
      { params: {}, query: { limit: 100 }, body: undefined, decimals: 'string' },
      { id: 't', scopes: ['admin'] },
    );
    const { items } = JSON.parse(told.ok ? told.value : '') as { items: { event: string; reason: string }[] };
    return items.map(({ event, reason }) => `${event}: ${reason}`).reverse();
  };
  const policy = async () => {
    const { wakesAtMs, untilMs, ...rest } = await stub.policy();
    const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString().slice(0, 16));
    return { ...rest, until: iso(untilMs), wakes: iso(wakesAtMs) };
  };
  const expire = (): Promise<void> => inside((bridge) => bridge.onActivityExpired());
  const gone = (): Promise<void> => expect.poll(() => container.running).toBe(false);
  return { stub, container, programs, inside, at, request, journal, policy, expire, gone };
}

it('sleeps at the close with a stream open, wakes before the open, and the first request finds it warm', async () => {
  const { container, programs, inside, at, request, journal, policy, expire, gone } = newBridge();
  await at('2026-10-30T20:30');
  expect(await request()).toBe(200);
  expect(await policy()).toMatchObject({ policy: 'calendar', symbols: null, awake: true, until: '2026-10-30T20:40' });
  await inside(() => {
    programs[0]?.calendar(FOREX);
    programs[0]?.activity('ready', { streams: 1 });
  });
  await expect.poll(async () => (await policy()).symbols).toEqual(['EURUSD']);
  await at('2026-10-30T20:59');
  await expire();
  expect(container.running).toBe(true);
  // Half an hour after the close of Friday; New York sets its clocks back on Sunday.
  await at('2026-10-30T21:30');
  await expire();
  await gone();
  expect(await policy()).toMatchObject({ awake: false, wakes: '2026-11-01T21:59' });
  await expect
    .poll(() => inside(async (bridge) => (await bridge.listSchedules('wake')).map(({ time }) => time)))
    .toEqual([expect.closeTo(Date.now() / 1000 + 48 * 3600 + 29 * 60, -2)]);
  await at('2026-10-31T12:00');
  await inside((bridge) => bridge.warm('cron'));
  expect(container.running).toBe(false);
  await at('2026-11-01T21:59');
  await inside((bridge) => bridge.wake());
  expect(container.running).toBe(true);
  await at('2026-11-01T22:00');
  expect(await request()).toBe(200);
  expect(container.starts).toHaveLength(2);
  expect(await journal()).toContain('start: policy');
  expect(await policy()).toMatchObject({ awake: true, until: '2026-11-06T22:00', wakes: '2026-11-08T21:59' });
});

it('a wake-up that never came is told; a container that ends in trading hours is started again without a request', async () => {
  const { stub, container, programs, inside, at, request, journal, policy, expire, gone } = newBridge();
  await at('2026-12-24T21:00');
  await request();
  await inside(() => programs[0]?.calendar(FOREX));
  await at('2026-12-24T22:30');
  await expire();
  await gone();
  // Closed on the 25th, and then it is Saturday.
  await at('2026-12-27T22:15');
  await request();
  const reason = 'The wake-up at 2026-12-27T21:59:00.000Z did not come.';
  expect(await journal()).toContain(`missed: ${reason}`);
  expect(await policy()).toMatchObject({
    missed: [{ what: 'wake_up', dueMs: Date.UTC(2026, 11, 27, 21, 59), reason }],
  });
  expect((await stub.status()).warnings).toMatchObject([{ code: 'wake_up_missed', reason }]);
  await inside(() => container.exit(1));
  await gone();
  await expect.poll(() => inside((bridge) => bridge.listSchedules('wake').then(({ length }) => length))).toBe(1);
  await inside((bridge) => bridge.wake());
  expect(container.running).toBe(true);
  expect(container.starts).toHaveLength(3);
  await at('2026-12-29T00:00');
  expect((await stub.status()).warnings).toEqual([]);
});

it('a wake-up that never came is made up for by whoever looks: a probe is enough', async () => {
  const { stub, container, programs, inside, at, request, expire, gone } = newBridge();
  await at('2026-07-10T20:30');
  await request();
  await inside(() => programs[0]?.calendar(FOREX));
  await at('2026-07-10T21:30');
  await expire();
  await gone();
  await at('2026-07-12T20:59:30');
  expect(await stub.status()).toMatchObject({ container: { state: 'stopped' }, warnings: [] });
  await at('2026-07-12T21:01');
  expect((await stub.status()).warnings).toMatchObject([{ code: 'wake_up_missed' }]);
  // The platform's alarm fires now.
  await expect.poll(() => container.starts.length).toBe(2);
});

it('a cron that comes no more is told', async () => {
  const { stub, at, journal } = newBridge();
  await at('2026-07-03T12:00:20');
  const cron = { line: '*/5 * * * SUN-FRI', atMs: Date.parse('2026-07-03T12:00Z') };
  expect(await stub.warm('cron', cron)).toMatchObject({ ok: true });
  await at('2026-07-03T12:09');
  expect((await stub.status()).warnings).toEqual([]);
  await at('2026-07-03T12:11');
  expect((await stub.status()).warnings).toMatchObject([{ code: 'cron_missed', since: '2026-07-03T12:05:00.000Z' }]);
  expect(await journal()).toContainEqual(expect.stringContaining('missed: The cron "*/5 * * * SUN-FRI" did not fire'));
});

it('without a calendar it sleeps after requests only, and a request starts it', async () => {
  const { at, request, policy, expire, gone } = newBridge();
  await at('2026-07-08T12:00');
  await request();
  await at('2026-07-08T12:11');
  await expire();
  await gone();
  expect(await policy()).toMatchObject({ awake: false, wakes: null, why: expect.stringContaining('next request') });
});

it('what is asked of it and what it writes is counted for the bill of the month', async () => {
  const { stub, at, request } = newBridge();
  await at('2026-07-10T20:30');
  await request();
  await stub.figuresTold('door', { mt5_door_requests_total: { 'a\u0000GET\u0000200\u0000approximate': 5 } });
  await stub.count({ messages: 40, objectRequests: 2, hubSeconds: 1000 });
  const told = await stub.answer(
    'adminCost',
    { params: {}, query: {}, body: undefined, decimals: 'string' },
    { id: 't', scopes: ['admin'] },
  );
  const { lines } = JSON.parse(told.ok ? told.value : '') as { lines: { part: string; used: number }[] };
  const used = (part: string) => lines.find((line) => line.part === part)?.used ?? 0;
  expect(used('Worker requests')).toBe(5);
  // The request, the three calls since, the two of the hub, a twentieth of its forty messages; what the program asked of the state.
  expect(used('Durable Object requests')).toBeGreaterThanOrEqual(8);
  expect(used('Durable Object requests')).toBeLessThan(10);
  expect(used('Durable Object duration')).toBeGreaterThanOrEqual(128);
  expect(used('SQLite rows written')).toBeGreaterThan(0);
});
