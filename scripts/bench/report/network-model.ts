import { Rows } from './find.ts';
import type { Report } from './model.ts';
import { figure } from './numbers.ts';
import type { Table } from './tables.ts';

/**
 * What Cloudflare's network adds to what was measured in workerd on one machine, from published figures, until it is
 * measured (`--edge`). A model: sums of round trips, no queues, no losses.
 */

/** From … to, in ms. */
type Range = readonly [least: number, most: number];

interface Term {
  readonly what: string;
  readonly ms: Range;
  readonly source: string;
}

const DOCS = 'https://developers.cloudflare.com';
const REFERENCE_ARCHITECTURE = `${DOCS}/reference-architecture/architectures/load-balancing/`;
const LIFECYCLE = `${DOCS}/containers/concepts/architecture/`;

const TERMS = {
  entry: {
    what: 'client to the nearest Cloudflare location and back, for 95 % of the Internet’s people',
    ms: [0, 50],
    source: REFERENCE_ARCHITECTURE,
  },
  near: {
    what: 'there and back within one country: client to the Durable Object, or to a VPS',
    ms: [25, 25],
    source: REFERENCE_ARCHITECTURE,
  },
  far: { what: 'the same from another continent', ms: [150, 150], source: REFERENCE_ARCHITECTURE },
  container: {
    what: 'Durable Object to its container: “not guaranteed to run in the same location”; no figure is published. From the same place to the same country',
    ms: [0, 25],
    source: LIFECYCLE,
  },
  flush: {
    what: 'one confirmed write of the ledger, as measured by others on a deployed Worker',
    ms: [5, 13],
    source: 'https://lumenize.com/blog/what-i-got-wrong-about-do-throughput',
  },
  coldStart: {
    what: 'cold start of a container: “often in the 1–3 second range”',
    ms: [1_000, 3_000],
    source: `${LIFECYCLE}#cold-starts`,
  },
  /** No part of the sums: how far the range above may be exceeded. */
  coldStartSeen: {
    what: 'the same as others saw it, median to 95th percentile of 700 starts of a small image',
    ms: [1_700, 23_900],
    source: 'https://github.com/alchemy-run/alchemy/issues/723',
  },
} as const satisfies Readonly<Record<string, Term>>;
type TermName = keyof typeof TERMS;

/** Of a storm's broker here: two steps of 75 ms and a call of 20 ms. */
const SIGN_IN_AND_CALL: Range = [170, 170];
/** `sending` before an order goes to the broker, and how it ended before the answer. */
const WRITES_PER_ORDER = 2;

interface Estimate {
  readonly what: string;
  readonly work: string;
  readonly mode: 'paced' | 'storm';
  /** What is added on the edge, by how far the client is. Distance is that of `near` or `far`. */
  readonly edge: readonly (TermName | 'distance')[];
}

const ESTIMATES: readonly Estimate[] = [
  { what: 'reference read, from memory', work: 'cached', mode: 'paced', edge: ['entry'] },
  { what: 'uncached read', work: 'typed', mode: 'paced', edge: ['distance', 'container'] },
  {
    what: 'order',
    work: 'order',
    mode: 'paced',
    edge: ['distance', 'container', ...Array.from({ length: WRITES_PER_ORDER }, () => 'flush' as const)],
  },
];

const sum = (ranges: readonly Range[]): Range => [
  ranges.reduce((all, [least]) => all + least, 0),
  ranges.reduce((all, [, most]) => all + most, 0),
];
const shown = ([least, most]: Range): string =>
  least === most ? figure(least, ' ms') : `${figure(least)}–${figure(most, ' ms')}`;

/** The model's terms and what follows from them; once the edge was measured by address, that instead. */
export function networkTables(report: Report): Table[] {
  if (report.byAddress?.includes('edge')) return [measuredTable(report)];
  return [
    {
      title: 'What Cloudflare’s network adds: a model, not measured',
      head: ['part of the road', 'adds', 'source'],
      rows: Object.values(TERMS).map(({ what, ms, source }) => [what, shown(ms), source]),
    },
    {
      title: 'The model over what was measured here (p50; the broker’s distance comes on top on every road)',
      head: [
        'request',
        'edge here',
        'edge, client near',
        'edge, client far',
        'VPS here',
        'VPS, client near',
        'VPS, client far',
      ],
      rows: estimateRows(report),
    },
  ];
}

function estimateRows(report: Report): string[][] {
  const rows = new Rows(report);
  const p50 = (system: string, { work, mode }: Pick<Estimate, 'work' | 'mode'>): number | undefined =>
    rows.find({ system, work, mode, upstreamLatencyMs: 0 })?.latencyMs[50];
  const over = (hereMs: number | undefined, terms: Estimate['edge'], distance: 'near' | 'far'): string => {
    if (hereMs === undefined) return figure(undefined);
    return shown(sum([[hereMs, hereMs], ...terms.map((term) => TERMS[term === 'distance' ? distance : term].ms)]));
  };
  const rowsOfRequests = ESTIMATES.map((each) => {
    const [edge, vps] = [p50('edge', each), p50('vps', each)];
    return [
      each.what,
      figure(edge, ' ms'),
      over(edge, each.edge, 'near'),
      over(edge, each.edge, 'far'),
      figure(vps, ' ms'),
      over(vps, ['distance'], 'near'),
      over(vps, ['distance'], 'far'),
    ];
  });
  const cold = rows.find({ system: 'edge-cold', work: 'storm', mode: 'storm', concurrency: 1 })?.latencyMs[50];
  const start = rows.find({ system: 'vps-1', work: 'storm', mode: 'storm', concurrency: 1 })?.latencyMs[50];
  return [
    ...rowsOfRequests,
    [
      'first answer after a cold start, with a sign-in of 150 ms and a call of 20 ms',
      figure(cold, ' ms'),
      // What was measured here starts a process: in its place the platform's own figure.
      shown(sum([TERMS.coldStart.ms, SIGN_IN_AND_CALL, TERMS.near.ms])),
      shown(sum([TERMS.coldStart.ms, SIGN_IN_AND_CALL, TERMS.far.ms])),
      figure(start, ' ms'),
      'never asleep',
      'never asleep',
    ],
  ];
}

/** Latencies through Cloudflare's network, as they were measured from here. */
function measuredTable(report: Report): Table {
  const rows = new Rows(report).all().filter(({ row }) => row.system === 'edge' && row.mode === 'paced');
  return {
    title: `Through Cloudflare’s network, measured at ${report.systems['edge'] ?? 'the address given'}`,
    head: ['request', 'p50', 'p90', 'p99', 'answers'],
    rows: rows.map((summary) => [
      summary.row.work,
      ...[50, 90, 99].map((at) => figure(summary.latencyMs[at], ' ms')),
      figure(summary.done),
    ]),
  };
}
