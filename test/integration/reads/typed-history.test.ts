import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBridgeClient, type BridgeClient, type Schemas } from '../../../container/client/index.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { type BridgeUnderTest, startBridge } from '../../support/bridge.ts';

/** Candles and ticks against the minutes and ticks that the server gives, put together here in the plainest way. */

let simulator: Simulator;
let bridge: BridgeUnderTest;
let client: BridgeClient;

beforeAll(async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator });
  client = createBridgeClient({ baseUrl: bridge.url, key: bridge.readKey });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

type Candle = Schemas['Candle'];
type Timeframe = 'M1' | 'M5' | 'H1' | 'H4' | 'D1' | 'W1' | 'MN1';

async function candles(timeframe: Timeframe, from: string, to: string, limit = 5000): Promise<Candle[]> {
  const found: Candle[] = [];
  for await (const candle of client.each('/v1/candles', { query: { symbol: 'EURUSD', timeframe, from, to, limit } }))
    found.push(candle);
  return found;
}

/** Minutes in server seconds, floats: [time, open, high, low, close, tick volume]. */
async function minutes(fromSeconds: number, toSeconds: number): Promise<number[][]> {
  const answer = await bridge.fetch(`/api/chart/get?symbol=EURUSD&from=${fromSeconds}&to=${toSeconds}&data=dohlct`);
  return ((await answer.json()) as { answer: number[][] }).answer.filter(([time = 0]) => time < toSeconds);
}

const seconds = (server: string): number => Date.parse(`${server}Z`) / 1000;
/** UTC of a server time, by the offset that held. */
const utc = (server: string, hours: number): string =>
  new Date(Date.parse(`${server}Z`) - hours * 3_600_000).toISOString();

function expectFrame(candle: Candle | undefined, bars: readonly number[][]): void {
  const column = (i: number): number[] => bars.map((bar) => bar[i] ?? NaN);
  expect(candle).toBeDefined();
  expect(Number(candle?.open)).toBe(bars[0]?.[1]);
  expect(Number(candle?.high)).toBe(Math.max(...column(2)));
  expect(Number(candle?.low)).toBe(Math.min(...column(3)));
  expect(Number(candle?.close)).toBe(bars.at(-1)?.[4]);
  expect(candle?.tickVolume).toBe(column(5).reduce((sum, value) => sum + value, 0));
}

describe('candles', () => {
  it('of an hour are its minutes', async () => {
    const found = await candles('H1', utc('2026-07-14T09:00:00', 3), utc('2026-07-14T12:00:00', 3));
    expect(found.map(({ openAt }) => openAt)).toEqual(
      ['06', '07', '08'].map((hour) => `2026-07-14T${hour}:00:00.000Z`),
    );
    for (const [i, candle] of found.entries()) {
      const from = seconds('2026-07-14T09:00:00') + i * 3600;
      expectFrame(candle, await minutes(from, from + 3600));
      expect(candle.complete).toBe(true);
    }
  });

  it('of days begin at the midnight of the broker, in winter and in summer', async () => {
    const winter = await candles('D1', utc('2026-01-12T00:00:00', 2), utc('2026-01-17T00:00:00', 2));
    expect(winter.map(({ openAt }) => openAt.slice(5, 16))).toEqual([
      '01-11T22:00',
      '01-12T22:00',
      '01-13T22:00',
      '01-14T22:00',
      '01-15T22:00',
    ]);
    expectFrame(winter[1], await minutes(seconds('2026-01-13T00:00:00'), seconds('2026-01-14T00:00:00')));
    const spring = await candles('D1', utc('2026-03-05T00:00:00', 2), utc('2026-03-11T00:00:00', 3));
    // The clock moves on Sunday 8 March.
    const workdays = spring.filter(({ openAt }) => !/03-0[67]T/.test(openAt));
    expect(workdays.map(({ openAt }) => openAt.slice(5, 16))).toEqual([
      '03-04T22:00',
      '03-05T22:00',
      '03-08T21:00',
      '03-09T21:00',
    ]);
  });

  it('of weeks begin on Sunday, of months on the first, and hold what their days hold', async () => {
    const [from, to] = [utc('2026-06-01T00:00:00', 3), utc('2026-07-01T00:00:00', 3)];
    const days = await candles('D1', from, to);
    const months = await candles('MN1', from, to);
    expect(months.map(({ openAt }) => openAt)).toEqual(['2026-05-31T21:00:00.000Z']);
    const volume = (list: readonly Candle[]): number => list.reduce((sum, { tickVolume }) => sum + tickVolume, 0);
    expect(volume(months)).toBe(volume(days));
    expect(months[0]?.open).toBe(days[0]?.open);
    expect(months[0]?.close).toBe(days.at(-1)?.close);
    const weeks = await candles('W1', utc('2026-06-07T00:00:00', 3), utc('2026-06-21T00:00:00', 3));
    expect(weeks.map(({ openAt }) => openAt)).toEqual(['2026-06-06T21:00:00.000Z', '2026-06-13T21:00:00.000Z']);
    const weekDays = days.filter(({ openAt }) => openAt >= '2026-06-06T21:00' && openAt < '2026-06-13T21:00');
    expect(volume(weeks.slice(0, 1))).toBe(volume(weekDays));
  });

  it('are the same in pages', async () => {
    const [from, to] = [utc('2026-07-10T12:00:00', 3), utc('2026-07-14T12:00:00', 3)];
    const whole = await candles('M5', from, to);
    expect(whole.length).toBeGreaterThan(400);
    for (const limit of [100, 101]) expect(await candles('M5', from, to, limit)).toEqual(whole);
    expect(await candles('H4', from, to, 2)).toEqual(await candles('H4', from, to));
  });

  it('take frames that begin in the window, whole, and tell the open one', async () => {
    const found = await candles('H1', utc('2026-07-14T09:30:00', 3), utc('2026-07-14T10:30:00', 3));
    expect(found.map(({ openAt }) => openAt)).toEqual(['2026-07-14T07:00:00.000Z']);
    expectFrame(found[0], await minutes(seconds('2026-07-14T10:00:00'), seconds('2026-07-14T11:00:00')));
    const { data } = await client.GET('/v1/candles', { params: { query: { symbol: 'BTCUSD', timeframe: 'H4' } } });
    expect(data?.items.slice(0, -1).every(({ complete }) => complete)).toBe(true);
    expect(data?.items.at(-1)?.complete).toBe(false);
  });

  it('wait for data that is not ready, and go on where the server sends a part', async () => {
    const window = [utc('2026-07-14T09:00:00', 3), utc('2026-07-14T12:00:00', 3)] as const;
    const whole = await candles('M5', ...window);
    simulator.fault({ kind: 'html', count: 1, command: 'chart/get' });
    const broken = await bridge.fetch(`/v1/candles?symbol=EURUSD&timeframe=M5&from=${window[0]}&to=${window[1]}`);
    expect(broken.status).toBe(502);
    expect(await candles('M5', ...window)).toEqual(whole);
  });
});

describe('ticks', () => {
  it('are those of the server, once each, in pages', async () => {
    const ticks = async (limit: number, from: string, to: string): Promise<Schemas['Tick'][]> => {
      const found: Schemas['Tick'][] = [];
      const query = { limit, from, to };
      for await (const tick of client.each('/v1/symbols/{symbol}/ticks', { path: { symbol: 'BTCUSD' }, query }))
        found.push(tick);
      return found;
    };
    const to = new Date(Date.now() - 5000).toISOString();
    const from = new Date(Date.parse(to) - 20 * 60_000).toISOString();
    const whole = await ticks(10_000, from, to);
    expect(whole.length).toBeGreaterThan(100);
    const times = whole.map(({ quotedAtMs }) => quotedAtMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.every((ms) => ms >= Date.parse(from) && ms < Date.parse(to))).toBe(true);
    expect(await ticks(333, from, to)).toEqual(whole);
  });
});
