import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LatencyHistogram } from '../../../scripts/bench/measure/latency-histogram.ts';
import { putIntoGuide } from '../../../scripts/bench/report/guide-part.ts';
import type { Report, Row } from '../../../scripts/bench/report/model.ts';
import { networkTables } from '../../../scripts/bench/report/network-model.ts';
import { bars, spreads } from '../../../scripts/bench/report/plot.ts';

/** Edge and VPS side by side, as the report and the guide show them. */

const ROOT = new URL('../../../', import.meta.url);
const textOf = (file: string): string => readFileSync(new URL(file, ROOT), 'utf8');
const record = JSON.parse(textOf('scripts/bench/results/record.json')) as Report;
const GUIDES = 'container/contract/docs/guides';

const paced = (system: string, work: string, latencyMs: number): Row => ({
  id: `${system} ${work}`,
  system,
  work,
  mode: 'paced',
  upstreamLatencyMs: 0,
  concurrency: 32,
  samples: [
    {
      repetition: 1,
      durationMs: 1_000,
      done: 1,
      perSecond: 1,
      histogram: LatencyHistogram.of([latencyMs]).encode(),
      failures: {},
      generatorCpuMs: 1,
    },
  ],
});
const report: Report = { ...record, rows: [paced('edge', 'typed', 2), paced('vps', 'typed', 1)] };

test('the guide and its plots show the report of record', () => {
  const guide = textOf(`${GUIDES}/14-edge-or-vps.md`);
  const made = putIntoGuide(guide, record);
  expect(made.guide).toBe(guide);
  const named = [...guide.matchAll(/\(plots\/([\w.-]+)\)/g)].map(([, name = '']) => name);
  expect(named.toSorted()).toEqual(Object.keys(made.plots).toSorted());
  for (const name of named) expect(textOf(`${GUIDES}/plots/${name}`).trim()).toBe(made.plots[name]);
});

test('what the network adds is a model whose every term has its source, and follows from them', () => {
  const [terms, estimates] = networkTables(report);
  expect(terms?.title).toContain('a model, not measured');
  for (const [, , source] of terms?.rows ?? []) expect(source).toMatch(/^https:\/\//);
  // 2 ms and 25 ms within one country, and from 0 to 25 ms to the container.
  expect(estimates?.rows).toContainEqual([
    'uncached read',
    '2 ms',
    '27–52 ms',
    '152–177 ms',
    '1 ms',
    '26 ms',
    '151 ms',
  ]);
});

test('a Worker that was measured by its address needs no model', () => {
  const tables = networkTables({
    ...report,
    byAddress: ['edge'],
    systems: { ...report.systems, edge: 'https://bridge.example' },
  });
  expect(tables).toEqual([
    {
      title: 'Through Cloudflare’s network, measured at https://bridge.example',
      head: ['request', 'p50', 'p90', 'p99', 'answers'],
      rows: [['typed', '2 ms', '2 ms', '2 ms', '1']],
    },
  ]);
});

test('a plot is text without style or script, and leaves out what was not measured', () => {
  const svg = bars('a < b', [
    { label: 'x & y', system: 'edge', value: 10, text: '10' },
    { label: 'absent', system: 'vps', value: Number.NaN, text: '–' },
  ]);
  expect(svg).toMatch(/^<svg [^>]*role="img" aria-label="a &lt; b/);
  expect(svg).toContain('x &amp; y');
  expect(svg).not.toMatch(/absent|NaN|<style|<script| style=/);
  expect(spreads('t', [{ label: 'x', system: 'vps', p50: 1, p90: 2, p99: 8, text: '' }])).not.toContain('NaN');
  expect(bars('nothing', [])).toBe('');
});
