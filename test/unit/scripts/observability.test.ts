import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { METRICS } from '../../../container/contract/metrics/catalog.ts';
import type { MetricTable } from '../../../container/contract/metrics/registry.ts';

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

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

test.skipIf(!hasPromtool)('promtool takes the alert rules (needs promtool, of Debian’s package prometheus)', () => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', path.join(folder, 'alerts.yml')]);
  expect(`${String(stdout)}${String(stderr)}`).toContain('SUCCESS');
  expect(status).toBe(0);
});
