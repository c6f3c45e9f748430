import { expect, it } from 'vitest';
import { awakeMs } from '../../../../container/state/cost/awake-time.ts';
import { monthToDate } from '../../../../container/state/cost/month-to-date.ts';
import { COUNTED, type Counts, type MonthCounts } from '../../../../container/state/cost/usage.ts';
import { bill, cents, NOTHING } from '../../../../container/state/cost/bill.ts';

const DAY_S = 86_400;
const counts = (some: Counts = {}): MonthCounts =>
  Object.fromEntries(COUNTED.map((name) => [name, some[name] ?? 0])) as MonthCounts;
const lineOf = (result: ReturnType<typeof bill>, part: string) =>
  cents(result.lines.find((line) => line.part === part)?.usd ?? Number.NaN);

it('by hand: basic, always awake for 30 days, 3 million requests', () => {
  const result = bill({ ...NOTHING, awakeSeconds: 30 * DAY_S, requests: 3_000_000 });
  // 1 GiB × 720 h = 720 GiB-h, 25 included: 695 × 3,600 × 0.0000025
  expect(lineOf(result, 'container memory')).toBe('6.26'); // 6.255
  // 4 GB × 720 h = 2,880 GB-h, 200 included: 2,680 × 3,600 × 0.00000007 = 0.67536
  expect(lineOf(result, 'container disk')).toBe('0.68');
  // 0.25 × 0.1 × 2,592,000 s = 64,800 vCPU-s, 22,500 included: 42,300 × 0.00002 = 0.846
  expect(lineOf(result, 'container CPU, active')).toBe('0.85');
  // 2,592,000 s × 0.128 GB = 331,776 GB-s of 400,000
  expect(lineOf(result, 'Durable Object duration')).toBe('0.00');
  // 3,000,000 + 2,592,000 / 20 = 3,129,600, 1,000,000 included: 2,129,600 × 0.15 / 1,000,000 = 0.31944
  expect(lineOf(result, 'Durable Object requests')).toBe('0.32');
  // 5 + 6.255 + 0.67536 + 0.846 + 0.31944 = 13.0958
  expect(cents(result.totalUsd)).toBe('13.10');
});

it('by hand: lite, eight hours on 22 days, 50,000 requests', () => {
  const result = bill({ ...NOTHING, instanceType: 'lite', awakeSeconds: 22 * 8 * 3600, requests: 50_000 });
  // 176 h: memory 0.25 × 176 = 44 GiB-h − 25 = 19 × 0.009 = 0.171; disk 2 × 176 = 352 − 200 = 152 × 0.000252 = 0.038304;
  // CPU 0.0625 × 0.1 × 633,600 = 3,960 of 22,500; objects 50,000 + 31,680 of 1,000,000: 5 + 0.171 + 0.038304 = 5.209304
  expect(cents(result.totalUsd)).toBe('5.21');
});

it('by hand: standard-1, always awake for 31 days, streams, logs, R2 and egress beyond what is included', () => {
  const result = bill({
    ...NOTHING,
    instanceType: 'standard-1',
    awakeSeconds: 31 * DAY_S,
    cpuBusy: 0.4,
    requests: 40_000_000,
    writes: 6_000_000,
    clientMessages: 20_000_000,
    hubSeconds: 31 * DAY_S,
    storedGb: 7,
    egressGb: 700,
    egressRegion: 'oc-kr-tw',
    r2StoredGb: 30,
    r2Writes: 2_000_000,
    r2Reads: 11_000_000,
  });
  // 744 h = 2,678,400 s.
  // memory 4 × 744 = 2,976 − 25 = 2,951 × 0.009 = 26.559; disk 8 × 744 = 5,952 − 200 = 5,752 × 0.000252 = 1.449504
  // CPU 0.5 × 0.4 × 2,678,400 = 535,680 − 22,500 = 513,180 × 0.00002 = 10.2636
  // Worker: (40 − 10) × 0.30 = 9; CPU 40 M ms − 30 M = 10 × 0.02 = 0.2
  // objects: 40,000,000 + (20,000,000 + 2,678,400) / 20 = 41,133,920 − 1,000,000 = 40.13392 × 0.15 = 6.020088
  // duration 2 × 2,678,400 × 0.128 = 685,670.4 − 400,000 = 285,670.4 × 12.5 / 1,000,000 = 3.57088
  // rows read 400 M of 25,000 M; written 60 M − 50 M = 10 × 1 = 10; stored 2 × 0.2 = 0.4
  // logs 80 M − 20 M = 60 × 0.6 = 36; egress 200 × 0.05 = 10; R2 20 × 0.015 + 1 × 4.5 + 1 × 0.36 = 5.16
  // 5 + 26.559 + 1.449504 + 10.2636 + 9 + 0.2 + 6.020088 + 3.57088 + 10 + 0.4 + 36 + 10 + 5.16 = 123.623072
  expect(cents(result.totalUsd)).toBe('123.62');
});

it('the journal tells how long the container ran', () => {
  const entry = (atMs: number, event: 'start' | 'sleep' | 'crash' | 'ready') => ({ atMs, event });
  const lives = [entry(130, 'sleep'), entry(100, 'start'), entry(105, 'ready'), entry(200, 'start')];
  expect(awakeMs(lives, 0, 250)).toBe(30 + 50);
  expect(awakeMs(lives, 110, 210)).toBe(20 + 10);
  // One that ran when the journal begins, one whose start was told twice, one that ended twice.
  expect(awakeMs([entry(40, 'crash'), entry(50, 'start'), entry(60, 'start'), entry(70, 'sleep')], 10, 90)).toBe(50);
  expect(awakeMs([entry(40, 'crash'), entry(45, 'sleep')], 10, 90)).toBe(30);
  expect(awakeMs([], 0, 90)).toBe(0);
});

it('the month so far and at this pace: always awake on basic through half of November', () => {
  const entries = [{ atMs: Date.UTC(2026, 9, 20), event: 'start' as const }];
  // 360 h: memory 335 × 0.009 = 3.015; disk (1,440 − 200) × 0.000252 = 0.31248; CPU (32,400 − 22,500) × 0.00002 = 0.198
  expect(monthToDate(entries, counts(), 'basic', Date.UTC(2026, 10, 16))).toMatchObject({
    awakeHours: 360,
    monthToDateUsd: '8.53',
    // 5 + 6.255 + 0.67536 + 0.846
    atThisPaceUsd: '12.78',
  });
});

it('by hand: half of November on lite with everything counted far beyond what is included', () => {
  const entries = [{ atMs: Date.UTC(2026, 9, 20), event: 'start' as const }];
  const counted = counts({
    workerRequests: 12_000_000,
    objectRequests: 13_000_000,
    messages: 38_704_000,
    rowsRead: 30_000_000_000,
    rowsWritten: 51_000_000,
    hubSeconds: 1_296_000,
  });
  const result = monthToDate(entries, counted, 'lite', Date.UTC(2026, 10, 16));
  // 360 h = 1,296,000 s: memory 0.25 × 360 = 90 − 25 = 65 × 0.009 = 0.585; disk 2 × 360 = 720 − 200 = 520 × 0.000252 =
  // 0.13104; CPU 0.0625 × 0.1 × 1,296,000 = 8,100 of 22,500
  // Worker 2 × 0.30 = 0.6, CPU 12 M ms of 30 M; objects 13 M + (38,704,000 + 1,296,000) / 20 = 15 M − 1 M = 14 × 0.15 = 2.1
  // duration 2 × 1,296,000 × 0.128 = 331,776 of 400,000; rows 5,000 × 0.001 = 5 and 1 × 1 = 1; logs 24 M − 20 M = 4 × 0.6 = 2.4
  // 5 + 0.585 + 0.13104 + 0.6 + 2.1 + 5 + 1 + 2.4 = 16.81604
  expect(result.monthToDateUsd).toBe('16.82');
  // Twice of everything: memory (180 − 25) × 0.009 = 1.395; disk (1,440 − 200) × 0.000252 = 0.31248; CPU 16,200 of 22,500;
  // Worker 14 × 0.3 = 4.2, CPU 24 M of 30 M; objects 29 × 0.15 = 4.35; duration 263,552 × 12.5 / 1 M = 3.2944; rows 35 and 52;
  // logs 28 × 0.6 = 16.8: 5 + 1.395 + 0.31248 + 4.2 + 4.35 + 3.2944 + 35 + 52 + 16.8 = 122.35188
  expect(result.atThisPaceUsd).toBe('122.35');
});
