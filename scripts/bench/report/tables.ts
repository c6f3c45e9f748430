import { comparisonTables } from './comparison.ts';
import { Rows } from './find.ts';
import { headlinesOf } from './headlines.ts';
import type { Report } from './model.ts';
import { figure } from './numbers.ts';
import { PERCENTILES, type Summary } from './summary.ts';
import { targetsOf } from './targets.ts';

export interface Table {
  readonly title: string;
  /** Name of the plot that shows the same. */
  readonly plot?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export const SATURATED_NOTE =
  'Throughput is with every connection always busy; its latencies are service times. Latency is of an open loop at the rate shown, from the intended send time.';

export function tablesOf(report: Report): Table[] {
  const rows = new Rows(report).all();
  const throughput = rows.filter(({ row }) => row.mode === 'saturated');
  const latency = rows.filter(({ row }) => row.mode !== 'saturated');
  return [
    {
      title: 'Targets',
      head: ['target', 'measured', 'wanted', 'verdict'],
      rows: targetsOf(report).map(({ what, measured, wanted, verdict }) => [what, measured, wanted, verdict]),
    },
    {
      title: 'Headline figures of earlier systems, measured',
      head: ['figure', 'vps', 'edge (this machine)', 'answers'],
      rows: headlinesOf(report).map(({ what, vps, edge, answers }) => [what, vps, edge, answers]),
    },
    ...comparisonTables(report),
    {
      title: 'Throughput',
      head: [
        'system',
        'work',
        'conn',
        'broker ms',
        '1/s',
        'fail',
        'CPU ms',
        'MB',
        'of it container',
        'load busy',
        ...UPSTREAM_HEAD,
      ],
      rows: throughput.map((summary) => [
        summary.row.system,
        summary.row.work,
        String(summary.row.concurrency),
        String(summary.row.upstreamLatencyMs),
        figure(summary.perSecond),
        String(summary.failures),
        figure(summary.cpuMsPerDone),
        figure(summary.peakRssMb),
        figure(summary.containerPeakRssMb),
        figure(summary.generatorBusy * 100, ' %'),
        ...upstream(summary),
      ]),
    },
    {
      title: 'Latency, ms',
      head: [
        'system',
        'work',
        'conn',
        'broker ms',
        '1/s',
        ...PERCENTILES.map((at) => `p${at}`),
        'max',
        'n',
        'fail',
        'CPU ms',
        'MB',
        'of it container',
        ...UPSTREAM_HEAD,
      ],
      rows: latency.map((summary) => [
        summary.row.system,
        summary.row.work,
        String(summary.row.concurrency),
        String(summary.row.upstreamLatencyMs),
        figure(summary.perSecond || undefined),
        ...PERCENTILES.map((at) => figure(summary.latencyMs[at])),
        figure(summary.maxMs),
        String(summary.done),
        String(summary.failures),
        figure(summary.cpuMsPerDone),
        figure(summary.peakRssMb),
        figure(summary.containerPeakRssMb),
        ...upstream(summary),
      ]),
    },
  ];
}

const UPSTREAM_HEAD = ['sign-ins', 'up conn', 'up req', 'mutations'];
const upstream = (summary: Summary): string[] => [
  figure(summary.signIns),
  figure(summary.upstreamConnections),
  figure(summary.upstreamRequests),
  figure(summary.mutations),
];

export function asText({ title, head, rows }: Table): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [title, line(head), ...rows.map(line)].join('\n');
}

export const asMarkdown = ({ head, rows }: Table): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

export const machineLine = ({ machine, repetitions, startedAt, command, commit, tookSeconds }: Report): string =>
  `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}; ` +
  `${machine.pinned ? 'measured processes on one core, load and broker on the other (the edge on both)' : 'not pinned'}; ` +
  `load average ${machine.loadBefore} before, ${machine.loadAfter} after; ${repetitions} interleaved repetition${repetitions > 1 ? 's' : ''}, ` +
  `${startedAt.slice(0, 16).replace('T', ' ')} UTC, ${tookSeconds} s, commit ${commit}: \`${command}\``;
