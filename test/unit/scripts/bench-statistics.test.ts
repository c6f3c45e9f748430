import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LatencyHistogram } from '../../../scripts/bench/measure/latency-histogram.ts';
import { compareRepetitions, median, spread } from '../../../scripts/bench/measure/statistics.ts';
import { readOptions } from '../../../scripts/bench/options.ts';
import { compareReports } from '../../../scripts/bench/report/compare-reports.ts';
import type { Report, Row, Sample } from '../../../scripts/bench/report/model.ts';
import { compareRatios, ratiosOf } from '../../../scripts/bench/report/ratios.ts';
import { targetsOf } from '../../../scripts/bench/report/targets.ts';
import { CROWD_LATENCY_MS, CROWD_ROWS } from '../../../scripts/bench/work/crowd-work.ts';
import { putIntoReadme } from '../../../scripts/bench/report/readme-table.ts';

const sample = (repetition: number, perSecond: number, latenciesMs: readonly number[]): Sample => ({
  repetition,
  durationMs: 1_000,
  done: perSecond,
  perSecond,
  histogram: LatencyHistogram.of(latenciesMs).encode(),
  failures: {},
  generatorCpuMs: 1,
});

const row = (mode: Row['mode'], samples: readonly Sample[]): Row => ({
  id: `vps typed ${mode} c32 u0`,
  system: 'vps',
  work: 'typed',
  mode,
  upstreamLatencyMs: 0,
  concurrency: 32,
  samples,
});

const report = (rows: readonly Row[]): Report => ({
  format: 1,
  command: 'npm run bench --',
  startedAt: '2026-11-21T05:00:00.000Z',
  tookSeconds: 1,
  commit: 'abc',
  machine: {
    processor: 'x',
    cores: 2,
    memoryGiB: 1,
    system: 'Linux',
    node: 'v24',
    pinned: true,
    loadBefore: 0,
    loadAfter: 0,
  },
  repetitions: 3,
  systems: {},
  rows,
  skipped: [],
});

test('the median of repetitions, and how far they disagree', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([1, 2, 3, 10])).toBe(2.5);
  expect(median([])).toBeUndefined();
  expect(spread([90, 100, 110])).toBeCloseTo(0.1);
});

test('a histogram survives its encoding with its percentiles', () => {
  const latenciesMs = Array.from({ length: 1_000 }, (_, index) => (index + 1) / 10);
  const decoded = LatencyHistogram.decode(LatencyHistogram.of(latenciesMs).encode());
  expect(decoded.count).toBe(1_000);
  expect(decoded.atMs(50)).toBeCloseTo(50, 0);
  expect(decoded.atMs(99)).toBeCloseTo(99, 0);
  expect(decoded.atMs(100)).toBeCloseTo(100, 0);
});

test('only a difference beyond the tolerance whose repetitions do not overlap counts', () => {
  const compare = (after: readonly number[]) => compareRepetitions([100, 104, 96], after, 'higher', 0.2)?.verdict;
  expect(compare([70, 72, 68])).toBe('slower');
  expect(compare([140, 150, 130])).toBe('faster');
  expect(compare([90, 92, 88])).toBe('same');
  expect(compare([70, 72, 99])).toBe('same');
});

test('a slow-down of 1 ms in a path shows between two reports', () => {
  const before = report([
    row(
      'saturated',
      [5_000, 5_100, 4_900].map((perSecond, index) => sample(index, perSecond, [6])),
    ),
    row(
      'paced',
      [0.4, 0.45, 0.42].map((latencyMs, index) => sample(index, 200, [latencyMs])),
    ),
  ]);
  const after = report([
    row(
      'saturated',
      [860, 870, 850].map((perSecond, index) => sample(index, perSecond, [36])),
    ),
    row(
      'paced',
      [1.4, 1.5, 1.45].map((latencyMs, index) => sample(index, 200, [latencyMs])),
    ),
  ]);
  const slower = compareReports(before, after, 0.2).filter(({ verdict }) => verdict === 'slower');
  expect(slower.map(({ figure }) => figure)).toEqual(['per second', 'p50']);
  expect(compareReports(before, before, 0.2).every(({ verdict }) => verdict === 'same')).toBe(true);
});

test('the table goes between the markers of the README and nowhere else', () => {
  const readme =
    'before\n<!-- bench:begin (npm run bench:readme writes this) -->\nwhat was there\n<!-- bench:end -->\nafter\n';
  const once = putIntoReadme(readme, report([]));
  expect(once).toMatch(/^before\n<!-- bench:begin[^]*\| measured \|[^]*<!-- bench:end -->\nafter\n$/);
  expect(once).not.toContain('what was there');
  expect(putIntoReadme(once, report([]))).toBe(once);
  expect(() => putIntoReadme('no markers', report([]))).toThrow('README.md');
});

test('options at fault are named with what was expected', () => {
  expect(readOptions([])).toMatchObject({ quick: false, repetitions: 5 });
  expect(readOptions(['--peer', 'mine=http://127.0.0.1:3000,/user/1']).peers).toEqual([
    { name: 'mine', url: 'http://127.0.0.1:3000', path: '/user/1' },
  ]);
  expect(() => readOptions(['--repetitions', '0'])).toThrow('--repetitions: expected a whole number from 1 to 100');
  expect(() => readOptions(['--peer', 'x'])).toThrow('--peer: expected name=url,path');
  expect(() => readOptions(['--edge', 'ftp://x'])).toThrow('--edge: expected an http or https URL');
});

test('ratios are those inside each repetition, and two runs are told apart by them', () => {
  const run = (ours: readonly number[], floors: readonly number[]): Report =>
    report([
      {
        ...row(
          'saturated',
          ours.map((perSecond, i) => sample(i + 1, perSecond, [1])),
        ),
        work: 'cached',
      },
      {
        ...row(
          'saturated',
          floors.map((perSecond, i) => sample(i + 1, perSecond, [1])),
        ),
        id: 'node-http cached saturated c32 u0',
        system: 'node-http',
        work: 'cached',
      },
    ]);
  // The medians are 50 and 200: the machine was slow in other repetitions of the one than of the other.
  const before = run([50, 100, 50], [100, 200, 200]);
  expect(ratiosOf(before)).toEqual([{ what: 'cached, 32: per second of vps over node-http', value: 0.5 }]);
  const [agreement] = compareRatios(before, run([30, 30, 30], [100, 100, 100]));
  expect(agreement).toMatchObject({ before: 0.5, after: 0.3 });
  expect(agreement?.change).toBeCloseTo(-0.4);
});

test('the README shows the report of record', () => {
  const root = new URL('../../../', import.meta.url);
  const readme = readFileSync(new URL('README.md', root), 'utf8');
  const record = readFileSync(new URL('scripts/bench/results/record.json', root), 'utf8');
  expect(putIntoReadme(readme, JSON.parse(record) as Report)).toBe(readme);
});

test('a name that --only does not know is refused, not passed over', () => {
  expect(readOptions(['--only', 'vps-1,node-undici-1,crowd']).only).toEqual(['vps-1', 'node-undici-1', 'crowd']);
  expect(() => readOptions(['--only', 'vps-1,typd'])).toThrow('--only: typd: expected names of systems and works');
});

test('every row of a crowd is judged by some target', () => {
  const rows = CROWD_ROWS.flatMap(({ systems, work, mode, callers: concurrency }) =>
    systems.map((system) => ({
      id: `${system} ${work} ${concurrency}`,
      system,
      work,
      mode,
      concurrency,
      upstreamLatencyMs: CROWD_LATENCY_MS,
      samples: [sample(1, 100, [20])],
    })),
  );
  const judged = (from: readonly Row[]): string[] =>
    targetsOf(report(from)).flatMap(({ what, verdict }) => (verdict === 'not measured' ? [] : [what]));
  const whole = judged(rows).length;
  for (const { id } of rows)
    expect([id, judged(rows.filter((each) => each.id !== id)).length < whole]).toEqual([id, true]);
});
