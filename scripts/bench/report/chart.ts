import { Rows } from './find.ts';
import type { Report } from './model.ts';
import { figure } from './numbers.ts';
import type { Summary } from './summary.ts';
import { machineLine, tablesOf, type Table } from './tables.ts';

const WIDTH = 860;
const LABEL = 330;
const BAR = 18;
const COLOURS: Readonly<Record<string, string>> = { vps: '#2563eb', edge: '#f6821f', floor: '#94a3b8' };

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const colourOf = (system: string): string =>
  COLOURS[system.startsWith('edge') && system !== 'edge-floor' ? 'edge' : system.startsWith('vps') ? 'vps' : 'floor'] ??
  '#94a3b8';

/** Horizontal bars on a logarithmic scale: a floor and what stands on it often differ by tens. */
function bars(
  title: string,
  entries: readonly { label: string; system: string; value: number; text: string }[],
): string {
  const shown = entries.filter(({ value }) => Number.isFinite(value) && value > 0);
  if (shown.length === 0) return '';
  const least = Math.log10(Math.min(...shown.map(({ value }) => value)) / 2);
  const most = Math.log10(Math.max(...shown.map(({ value }) => value)));
  const lines = shown.map(({ label, system, value, text }, index) => {
    const y = 28 + index * (BAR + 6);
    const width = Math.max(2, ((Math.log10(value) - least) / (most - least)) * (WIDTH - LABEL - 110));
    return (
      `<text x="${LABEL - 8}" y="${y + 13}" text-anchor="end">${escape(label)}</text>` +
      `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${colourOf(system)}"/>` +
      `<text x="${(LABEL + width + 6).toFixed(1)}" y="${y + 13}">${escape(text)}</text>`
    );
  });
  const height = 36 + shown.length * (BAR + 6);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui,sans-serif" font-size="12" fill="currentColor">` +
    `<text x="0" y="16" font-weight="600">${escape(title)} (logarithmic)</text>${lines.join('')}</svg>`
  );
}

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
<style>body{font:14px system-ui,sans-serif;margin:2rem;color-scheme:light dark}table{border-collapse:collapse;font-size:12px}
td,th{border-bottom:1px solid #8884;padding:.2rem .6rem;text-align:left}.wide{overflow:auto}.met{color:#16a34a}.missed{color:#dc2626}</style>
<h1>MT5 Edge Bridge benchmark</h1><p>${escape(machineLine(report))}</p>${chartsOf(report).join('\n')}
${tablesOf(report).map(htmlTable).join('\n')}${
    report.skipped.length > 0
      ? `<h2>Not measured</h2><ul>${report.skipped.map((text) => `<li>${escape(text)}</li>`).join('')}</ul>`
      : ''
  }</html>
`;
