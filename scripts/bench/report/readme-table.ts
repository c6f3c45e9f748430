import type { Report } from './model.ts';
import { headlinesOf } from './headlines.ts';
import { asMarkdown, machineLine } from './tables.ts';
import { targetsOf } from './targets.ts';

const BEGIN = '<!-- bench:begin (npm run bench:readme writes this) -->';
const END = '<!-- bench:end -->';

/** The figures that a reader asks for first, by how they begin; the report has all. */
const SHOWN = [
  'cold start: one caller, sign-in',
  'cold start: 100 callers',
  'cached read latency',
  'REST latency, uncached typed read, p50',
  'real-time updates: tick at the broker to client, p50',
  'HTTP throughput, cached',
  'WebSocket throughput, 100 clients, stream service',
  'peak memory of the container with 100',
  'success',
];

/** What the README shows of a report. */
function readmeTable(report: Report): string {
  const targets = targetsOf(report);
  const missed = targets.filter(({ verdict }) => verdict === 'missed');
  return [
    asMarkdown({
      title: '',
      head: ['measured', 'VPS', 'edge, locally in workerd'],
      rows: headlinesOf(report)
        .filter(({ what }) => SHOWN.some((begin) => what.startsWith(begin)))
        .map(({ what, vps, edge }) => [what, vps, edge]),
    }),
    `${machineLine(report)}. The edge's figures are of workerd on this machine: they leave out the distance in production. ` +
      `Targets: ${targets.filter(({ verdict }) => verdict === 'met').length} met, ${missed.length} missed` +
      (missed.length > 0
        ? ` (${missed.map(({ what, measured, wanted }) => `${what}: ${measured}, wanted ${wanted}`).join('; ')}).`
        : '.'),
  ].join('\n\n');
}

/** Replaces what is between the markers. @throws Error when they are not there */
export function putIntoReadme(readme: string, report: Report): string {
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END);
  if (from < 0 || to < from) throw new Error(`README.md: expected the lines ${BEGIN} and ${END}`);
  return `${readme.slice(0, from + BEGIN.length)}\n\n${readmeTable(report)}\n\n${readme.slice(to)}`;
}
