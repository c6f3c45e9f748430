import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregate, frameStart, nextFrame } from '../../../../container/service/reads/candle-frames.ts';
import { PriceHistory } from '../../../../container/service/reads/price-history.ts';
import { Broker } from '../../../../container/service/broker/broker.ts';
import { ClockSource } from '../../../../container/service/broker/broker-clock.ts';
import { TIMEFRAMES } from '../../../../container/contract/schemas/market.ts';
import { numberRows } from '../../../../container/webapi/rows.ts';
import { fakeUpstream } from '../../../support/fake-upstream.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const answer = (rows: string): Uint8Array => bytes(`{"retcode":"0 Done","answer":${rows}}`);

describe('rows of numbers', () => {
  it('keep the text of every price', () => {
    const rows = numberRows(answer('[[1574351040,1.10780,1.10790],\n [1574351100, 1e-5 ,"2.50"]]'));
    expect(rows.map(({ texts }) => texts)).toEqual([
      ['1574351040', '1.10780', '1.10790'],
      ['1574351100', '1e-5', '2.50'],
    ]);
    expect(rows[0]?.values).toEqual([1574351040, 1.1078, 1.1079]);
    expect(numberRows(answer('[]'))).toEqual([]);
    expect(numberRows(bytes('{"retcode":"13 Not found"}'))).toEqual([]);
  });

  it.each([
    ['something behind', '{"retcode":"0 Done","answer":[[1,1.10],[2,1.20]],"trans_id":"7","note":"a, [b] {c}"}'],
    ['something before', '\uFEFF{"server":{"answer":[[9,9.90]]},"retcode":"0 Done","answer":[[1,1.10],[2,1.20]]}'],
    ['before the retcode', '{"answer" : [[1,1.10],[2,1.20]], "retcode":"0 Done"}'],
    [
      'other case, text that looks alike',
      '{"said":"answer","Answer":[[1,1.10],[2,1.20]],"x":"\\"answer\\":[[3,1]]","RetCode":0}',
    ],
    ['twice', '{"retcode":"0 Done","x":[],"answer":[[5,5.50]],"answer":[[1,1.10],[2,1.20]]}'],
  ])('are read with %s', (_what, text) => {
    const rows = numberRows(bytes(text));
    expect(rows.map(({ values }) => values)).toEqual([
      [1, 1.1],
      [2, 1.2],
    ]);
    expect(rows.map(({ texts }) => texts)).toEqual([
      ['1', '1.10'],
      ['2', '1.20'],
    ]);
  });

  it('are refused where they are anything else', () => {
    for (const text of ['[[1,2]', '[[1,2],[3', '[1,2]', '{"a":1}', '[[]]', '[["x"]]', '[[null]]', '[[[1]]]', '<html>'])
      expect(() => numberRows(answer(text)), text).toThrow();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
        try {
          numberRows(garbage);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});

describe('frames', () => {
  it('hold every moment once, whatever the frame', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TIMEFRAMES), fc.integer({ min: 0, max: 4_000_000_000 }), (timeframe, seconds) => {
        const start = frameStart(timeframe, seconds);
        expect(start).toBeLessThanOrEqual(seconds);
        expect(nextFrame(timeframe, start)).toBeGreaterThan(seconds);
        expect(frameStart(timeframe, start)).toBe(start);
        expect(frameStart(timeframe, nextFrame(timeframe, start))).toBe(nextFrame(timeframe, start));
      }),
    );
  });

  it('show the price of the highest minute as it was sent, and make up nothing for gaps', () => {
    const rows = numberRows(
      answer('[[0,1.10,1.30,1.05,1.20,5,1,2],[60,1.20,1.300,1.050,1.25,7,2,3],[900,2.0,2.0,2.0,2.0,1,0,1]]'),
    );
    expect(aggregate('M5', rows)).toEqual([
      {
        startSeconds: 0,
        open: '1.10',
        high: '1.30',
        low: '1.05',
        close: '1.25',
        tickVolume: 12,
        volume: '3',
        spread: 3,
      },
      { startSeconds: 900, open: '2.0', high: '2.0', low: '2.0', close: '2.0', tickVolume: 1, volume: '0', spread: 1 },
    ]);
  });
});

describe('history that comes in parts or late', () => {
  const now = Date.UTC(2026, 6, 15);
  const context = { deadlineAtMs: now + 30_000, signal: new AbortController().signal };
  const history = (chart: (query: Map<string, string>) => string): PriceHistory => {
    const upstream = fakeUpstream(({ path, query = [] }) => {
      if (path === 'time/get') return '{"retcode":"0 Done","answer":{"TimeZone":"0","Daylight":"0"}}';
      if (path === 'time/server') return `{"retcode":"0 Done","answer":{"Time":"${now / 1000}"}}`;
      return chart(new Map(query));
    });
    const broker = new Broker({ upstream, now: () => now, cacheSize: 10 });
    return new PriceHistory(broker, new ClockSource(broker, () => now), () => now);
  };
  const query = { symbol: 'X', from: now - 3_600_000, to: now, limit: 100 };
  const bar = (seconds: number): string => `[${seconds},1.0,1.1,0.9,1.0,1,0,1]`;

  it('is continued from the last row of a part', async () => {
    const asked: number[] = [];
    const parts = history((parameters) => {
      const from = Number(parameters.get('from'));
      asked.push(from);
      const end = now / 1000;
      const rows = Array.from({ length: 20 }, (_, i) => from + i * 60).filter((seconds) => seconds < end);
      const last = (rows.at(-1) ?? 0) + 60 >= end;
      return `{"retcode":"${last ? '0 Done' : '14 Partial'}","answer":[${rows.map(bar).join(',')}]}`;
    });
    const { items } = await parts.candles('M1', query, context);
    expect(items.map(({ openAtMs }) => openAtMs)).toEqual(
      Array.from({ length: 60 }, (_, i) => query.from + i * 60_000),
    );
    expect(asked.length).toBe(4);
  });

  it('is asked for again while the server prepares it, and not for ever', async () => {
    let calls = 0;
    const late = history(() =>
      ++calls < 3 ? '{"retcode":"1 OK/None"}' : `{"retcode":"0 Done","answer":[${bar(query.from / 1000)}]}`,
    );
    expect((await late.candles('M1', query, context)).items.length).toBe(1);
    const never = history(() => '{"retcode":"1 OK/None"}');
    const soon = { ...context, deadlineAtMs: now + 150 };
    await expect(never.candles('M1', query, soon)).rejects.toMatchObject({ code: 'data_not_ready' });
  });

  it('is refused where a part does not go on', async () => {
    const stuck = history((parameters) => `{"retcode":"14","answer":[${bar(Number(parameters.get('from')))}]}`);
    await expect(stuck.candles('M1', query, context)).rejects.toMatchObject({ code: 'broker_malformed' });
  });
});
