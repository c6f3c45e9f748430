import type { Report } from './model.ts';
import { putBetweenMarkers } from './generated-part.ts';
import { headlinesOf } from './headlines.ts';
import { asMarkdown, machineLine } from './tables.ts';
import { targetsOf } from './targets.ts';

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
    `[Side by side](container/contract/docs/guides/14-edge-or-vps.md), with nginx in front and with a VPS behind the Worker, costs, and a model of what Cloudflare's network adds. ` +
      `${machineLine(report)}. The edge's figures are of workerd on this machine: they leave out the distance in production. ` +
      `Targets: ${targets.filter(({ verdict }) => verdict === 'met').length} met, ${missed.length} missed` +
      (missed.length > 0
        ? ` (${missed.map(({ what, measured, wanted }) => `${what}: ${measured}, wanted ${wanted}`).join('; ')}).`
        : '.'),
  ].join('\n\n');
}

/** @throws Error when the markers are not there */
export const putIntoReadme = (readme: string, report: Report): string =>
  putBetweenMarkers('README.md', readme, readmeTable(report));
