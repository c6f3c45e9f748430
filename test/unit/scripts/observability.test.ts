import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { METRICS } from '../../../container/contract/metrics/catalog.ts';
import { Metrics, type MetricTable } from '../../../container/contract/metrics/registry.ts';

/** What an operator of Prometheus takes over as it is: a metric that was renamed would leave an alert that never fires. */
const folder = path.resolve(import.meta.dirname, '../../../scripts/deploy/observability');
const textOf = (file: string): string => readFileSync(path.join(folder, file), 'utf8');

interface Panel {
  readonly targets?: readonly { readonly expr: string }[];
}
const dashboard = JSON.parse(textOf('dashboard.json')) as { readonly panels: readonly Panel[] };
const EXPRESSIONS = [
  ...[...textOf('alerts.yml').matchAll(/expr: (?:\|\n)?([^]*?)\n +(?:for|labels):/g)].map(([, expr = '']) => expr),
  ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
];
const table: MetricTable = METRICS;
/** Added by Prometheus itself. */
const OWN_LABELS = ['instance', 'le'];

test('every metric and label that alerts and dashboard name exists', () => {
  const used = EXPRESSIONS.flatMap((expr) => [
    ...expr.matchAll(/\b((?:mt5|process|nodejs)_[a-z0-9_]+)(?:\{([^}]*)\})?/g),
  ]);
  expect(used.length).toBeGreaterThan(40);
  for (const [, series = '', selector = ''] of used) {
    const name = Object.hasOwn(table, series) ? series : series.replace(/_(?:bucket|sum|count)$/, '');
    const definition = table[name];
    expect(definition, series).toBeDefined();
    expect(name === series || definition?.type === 'histogram', series).toBe(true);
    for (const [, label = ''] of selector.matchAll(/(\w+)\s*(?:=|!)/g))
      expect([...(definition?.labels ?? []), ...OWN_LABELS], `${series}{${label}}`).toContain(label);
  }
});

const promtool = (args: readonly string[], input = ''): { readonly status: number | null; readonly said: string } => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
};
const skipped = spawnSync('promtool', ['--version']).status !== 0;
const WHERE = skipped ? ' (SKIPPED: apt-get install prometheus)' : '';

describe.skipIf(skipped)(`promtool${WHERE}`, () => {
  test('takes the alert rules and the scrape configuration', () => {
    expect(promtool(['check', 'rules', '--lint=all', '--lint-fatal', path.join(folder, 'alerts.yml')])).toMatchObject({
      status: 0,
      said: expect.stringContaining('SUCCESS'),
    });
    expect(promtool(['check', 'config', '--syntax-only', path.join(folder, 'prometheus.yml')])).toMatchObject({
      status: 0,
    });
  });

  test('finds nothing wrong with names, types and helps of the metrics', () => {
    const metrics = new Metrics(table);
    for (const [name, { type, labels }] of Object.entries(table)) {
      const values = labels.map(() => 'a');
      if (type === 'histogram') metrics.observe(name, values, 0.1);
      else metrics.add(name, values);
    }
    expect(promtool(['check', 'metrics'], metrics.text())).toEqual({ status: 0, said: '' });
  });

  test('alerts fire when they should and not before', () => {
    expect(promtool(['test', 'rules', path.join(folder, 'alerts.test.yml')])).toMatchObject({ status: 0 });
  });
});
