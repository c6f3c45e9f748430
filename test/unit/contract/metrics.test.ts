import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { METRICS } from '../../../container/contract/metrics/catalog.ts';
import { Metrics, type MetricDefinition, type MetricsSnapshot } from '../../../container/contract/metrics/registry.ts';
import { samplesOf } from '../../support/prometheus-text.ts';

const TABLE = {
  calls_total: { type: 'counter', help: 'Calls.\nOf all.', labels: ['route', 'code'] },
  clients: { type: 'gauge', help: 'Clients.', labels: [] },
  cpu_total: { type: 'counter', help: 'Of a process.', labels: [], perProcess: true },
  took_seconds: { type: 'histogram', help: 'Time.', labels: ['route'], buckets: [0.1, 1] },
} as const satisfies Record<string, MetricDefinition>;
const metrics = (): Metrics<keyof typeof TABLE> => new Metrics(TABLE);
const throughJson = (snapshot: MetricsSnapshot): MetricsSnapshot =>
  JSON.parse(JSON.stringify(snapshot)) as MetricsSnapshot;

test('the text names every metric once, with its type, and buckets add up', () => {
  const told = metrics();
  told.add('calls_total', ['/a', '200']);
  told.add('calls_total', ['/a', '200'], 2);
  told.collect('clients', () => [[[], 7]]);
  for (const seconds of [0.1, 0.5, 3]) told.observe('took_seconds', ['/a'], seconds);
  expect(told.text()).toBe(
    [
      String.raw`# HELP calls_total Calls.\nOf all.`,
      '# TYPE calls_total counter',
      'calls_total{route="/a",code="200"} 3',
      '# HELP clients Clients.',
      '# TYPE clients gauge',
      'clients 7',
      '# HELP took_seconds Time.',
      '# TYPE took_seconds histogram',
      'took_seconds_bucket{route="/a",le="0.1"} 1',
      'took_seconds_bucket{route="/a",le="1"} 2',
      'took_seconds_bucket{route="/a",le="+Inf"} 3',
      'took_seconds_sum{route="/a"} 3.6',
      'took_seconds_count{route="/a"} 3',
      '',
    ].join('\n'),
  );
});

test('whatever a label holds, it is read back as it was', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }).filter((label) => !label.includes('\u0000')),
      (label) => {
        const told = metrics();
        told.add('calls_total', [label, '200']);
        expect(samplesOf(told.text())).toEqual([
          { name: 'calls_total', labels: { route: label, code: '200' }, value: 1 },
        ]);
      },
    ),
  );
});

test('the next process goes on from the counters of the one before, not from its gauges', () => {
  const before = metrics();
  before.add('calls_total', ['/a', '200'], 5);
  before.observe('took_seconds', ['/a'], 0.5);
  before.collect('clients', () => [[[], 7]]);
  before.collect('cpu_total', () => [[[], 9]]);
  const after = metrics();
  after.resume(throughJson(before.snapshot()));
  after.add('calls_total', ['/a', '200']);
  after.observe('took_seconds', ['/a'], 0.05);
  expect(after.snapshot()).toEqual({ calls_total: { '/a\u0000200': 6 }, took_seconds: { '/a': [1, 1, 0, 0.55] } });
});

test('a counter that something else counts goes on as well', () => {
  const after = metrics();
  after.resume({ calls_total: { 'a\u0000b': 5 } });
  after.collect('calls_total', () => [[['a', 'b'], 2]]);
  expect(after.samples('calls_total')).toEqual([[['a', 'b'], 7]]);
});

test('of what another version or a broken store told, only what is known is taken', () => {
  const told = metrics();
  told.absorb({
    gone_total: { '': 1 },
    calls_total: { 'one label': 1, 'a\u0000b': 2 },
    took_seconds: { '/a': [1, 2], '/b': [1, 0, 0, 0.1], '/c': 4 },
  });
  expect(told.snapshot()).toEqual({ calls_total: { 'a\u0000b': 2 }, took_seconds: { '/b': [1, 0, 0, 0.1] } });
});

test('deltas of many add up to what was counted, whenever they are taken', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ route: fc.constantFrom('/a', '/b'), take: fc.boolean() })), (calls) => {
      const [source, sum, all] = [metrics(), metrics(), metrics()];
      for (const { route, take } of calls) {
        for (const one of [source, all]) one.add('calls_total', [route, '200']);
        for (const one of [source, all]) one.observe('took_seconds', [route], 1);
        if (take) sum.absorb(throughJson(source.takeDeltas() ?? {}));
      }
      sum.absorb(throughJson(source.takeDeltas() ?? {}));
      expect(sum.snapshot()).toEqual(all.snapshot());
    }),
  );
});

test('however many values a label has, an answer stays short and nothing is lost', () => {
  const told = metrics();
  for (let i = 0; i < 2_000; i++) told.add('calls_total', [`/${i}`, '200']);
  expect(samplesOf(told.text())).toHaveLength(501);
  expect(told.samples('calls_total').reduce((sum, [, count]) => sum + count, 0)).toBe(2_000);
});

test('names and labels are those of the conventions', () => {
  for (const [name, { type, help, labels, buckets }] of Object.entries<MetricDefinition>(METRICS)) {
    expect(name).toMatch(/^(mt5|process|nodejs)_[a-z0-9_]+$/);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    expect(buckets !== undefined, name).toBe(type === 'histogram');
    expect(help, name).toMatch(/[.)]$/);
    for (const label of labels) expect(label).toMatch(/^[a-z_]+$/);
    for (const label of ['login', 'symbol', 'address', 'group']) expect(labels).not.toContain(label);
  }
});
