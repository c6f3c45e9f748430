import { expect, it } from 'vitest';
import { ClockSource } from '../../../../container/service/broker/broker-clock.ts';
import { Broker } from '../../../../container/service/broker/broker.ts';
import { fakeUpstream } from '../../../support/fake-upstream.ts';

const context = { deadlineAtMs: Date.now() + 30_000, signal: new AbortController().signal };
const KEPT = { zoneMinutes: 180, daylight: 'none' } as const;

/** A broker two hours east without summer time; answers wait until they are let go. */
function setUp(): { clock: ClockSource; asked: string[]; kept: unknown[]; letGo: () => void } {
  const gate = Promise.withResolvers<void>();
  const asked: string[] = [];
  const upstream = fakeUpstream(async ({ path }) => {
    asked.push(path);
    await gate.promise;
    return path === 'time/get'
      ? '{"retcode":"0 Done","answer":{"Daylight":"0","DaylightState":"0","TimeZone":"120"}}'
      : '{"retcode":"13 Not found"}';
  });
  const kept: unknown[] = [];
  const clock = new ClockSource(new Broker({ upstream, now: Date.now, cacheSize: 10 }), Date.now, (settings) =>
    kept.push(settings),
  );
  return { clock, asked, kept, letGo: gate.resolve };
}

it('serves what was kept at once, and asks behind the caller', async () => {
  const { clock, asked, kept, letGo } = setUp();
  clock.recall(KEPT);
  expect((await clock.get(context)).settings).toEqual(KEPT);
  expect(asked).toEqual([]);
  await expect.poll(() => asked).toEqual(['time/get', 'time/server']);
  letGo();
  await expect.poll(async () => (await clock.get(context)).settings.zoneMinutes).toBe(120);
  expect(kept).toEqual([{ zoneMinutes: 120, daylight: 'none' }]);
});

it('serves those who asked before the memory came', async () => {
  const { clock, asked } = setUp();
  const early = clock.get(context);
  expect(asked).toEqual(['time/get', 'time/server']);
  clock.recall(KEPT);
  expect((await early).settings).toEqual(KEPT);
});

it('keeps nothing that is the same', async () => {
  const { clock, kept, letGo } = setUp();
  clock.recall({ zoneMinutes: 120, daylight: 'none' });
  letGo();
  await clock.read(context);
  expect(kept).toEqual([]);
});

it('lets an invalidation reach the memory, and does not keep what was asked before it', async () => {
  const { clock, kept, letGo } = setUp();
  clock.recall(KEPT);
  const before = clock.read(context);
  clock.invalidate();
  letGo();
  expect((await before).clock.settings.zoneMinutes).toBe(120);
  expect(kept).toEqual([null]);
});
