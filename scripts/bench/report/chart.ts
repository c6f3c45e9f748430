import { comparisonPlots } from './comparison.ts';
import { Rows } from './find.ts';
import type { Report } from './model.ts';
import { figure } from './numbers.ts';
import { bars, escape } from './plot.ts';
import type { Summary } from './summary.ts';
import { machineLine, tablesOf, type Table } from './tables.ts';

const nameOf = ({ row }: Summary): string =>
  `${row.system} · ${row.work}${row.upstreamLatencyMs > 0 ? ` · broker ${row.upstreamLatencyMs} ms` : ''} · ${row.concurrency}`;

function chartsOf(report: Report): string[] {
  const rows = new Rows(report).all();
  const of = (mode: string): Summary[] => rows.filter(({ row }) => row.mode === mode);
  return [
    bars(
      'Throughput, answers a second',
      of('saturated').map((each) => ({
        label: nameOf(each),
        system: each.row.system,
        value: each.perSecond,
        text: figure(each.perSecond),
      })),
    ),
    ...(['paced', 'storm', 'stream', 'start'] as const).map((mode) =>
      bars(
        { paced: 'Latency p50, ms', storm: 'Cold start p99, ms', stream: 'Tick to client p50, ms', start: 'Start, ms' }[
          mode
        ],
        of(mode).map((each) => {
          const value = each.latencyMs[mode === 'storm' ? 99 : 50] ?? Number.NaN;
          return { label: nameOf(each), system: each.row.system, value, text: figure(value, ' ms') };
        }),
      ),
    ),
  ].filter((svg) => svg !== '');
}

const htmlTable = ({ title, head, rows }: Table): string =>
  `<h2>${escape(title)}</h2><div class="wide"><table><tr>${head.map((cell) => `<th>${escape(cell)}</th>`).join('')}</tr>` +
  rows
    .map(
      (row) =>
        `<tr>${row.map((cell) => `<td${/^(met|missed)$/.test(cell) ? ` class="${cell}"` : ''}>${escape(cell)}</td>`).join('')}</tr>`,
    )
    .join('') +
  '</table></div>';

export const asHtml = (report: Report): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>MT5 Edge Bridge benchmark</title>
<style>body{font:14px system-ui,sans-serif;margin:2rem;color-scheme:light dark}svg{fill:currentColor}table{border-collapse:collapse;font-size:12px}
td,th{border-bottom:1px solid #8884;padding:.2rem .6rem;text-align:left}.wide{overflow:auto}.met{color:#16a34a}.missed{color:#dc2626}</style>
<h1>MT5 Edge Bridge benchmark</h1><p>${escape(machineLine(report))}</p>${[...Object.values(comparisonPlots(report)), ...chartsOf(report)].join('\n')}
${tablesOf(report).map(htmlTable).join('\n')}${
    report.skipped.length > 0
      ? `<h2>Not measured</h2><ul>${report.skipped.map((text) => `<li>${escape(text)}</li>`).join('')}</ul>`
      : ''
  }</html>
`;
