import { html, nothing, type TemplateResult } from 'lit/html.js';
import { count, megabytes, milliseconds, percent } from '../format.ts';
import { type Buckets, bucketsOf, countOf, hitRate, quantileMs, samplesOf, sumsBy } from '../metrics.ts';
import { isAlone, type Model } from '../model.ts';
import type { Answers } from '../sources.ts';
import { chart, type ChartLines } from './chart.ts';
import { fact, type Figures } from './figures.ts';
import { panel } from './panel.ts';

/** What is measured: as the program told it last, which is every ten seconds while it runs. */

type Metrics = Answers['metrics'];

const SHARES = [0.5, 0.95, 0.99] as const;

/** Where the time of a request goes, from the road's beginning to its end. */
const PHASES: readonly (readonly [words: string, histogram: string, only: Readonly<Record<string, string>>])[] = [
  ['Door alone', 'mt5_door_request_duration_seconds', { by: 'door' }],
  ['Durable Object, there and back', 'mt5_holder_request_duration_seconds', {}],
  ['Program, all of it', 'mt5_http_request_duration_seconds', {}],
  ['· waiting for a session', 'mt5_http_phase_seconds', { phase: 'queue' }],
  ['· at the broker', 'mt5_http_phase_seconds', { phase: 'broker' }],
  ['· decoding', 'mt5_http_phase_seconds', { phase: 'decode' }],
];

export const latency = (model: Model): TemplateResult =>
  panel(model, {
    id: 'latency',
    title: 'Latency by phase',
    source: 'metrics',
    body: (metrics, fig) =>
      html`<table>
          <thead>
            <tr>
              <th>Phase</th>
              <th class="num">p50</th>
              <th class="num">p95</th>
              <th class="num">p99</th>
              <th class="num">Requests</th>
            </tr>
          </thead>
          <tbody>
            ${PHASES.filter(([, histogram]) => histogram.startsWith('mt5_http') || !isAlone(model)).map(
              ([words, histogram, only]) => phaseRow(words, histogram, bucketsOf(metrics, histogram, only), fig),
            )}
          </tbody>
        </table>
        ${
          model.latency.filter(({ p50 }) => p50 !== null).length < 2
            ? nothing
            : html`<p class="quiet">
                  The program, of the requests between two looks: the median below, the slow ones above
                </p>
                <div class="plot" aria-hidden="true" ${chart(lines(model))}></div>`
        }`,
  });

const phaseRow = (words: string, histogram: string, buckets: Buckets, fig: Figures<'metrics'>): TemplateResult =>
  html`<tr>
    <td>${words}</td>
    ${SHARES.map((share) => {
      const ms = quantileMs(buckets, share);
      return html`<td class="num">${fig.derived(ms === null ? '–' : milliseconds(ms), `buckets of ${histogram}`)}</td>`;
    })}
    <td class="num">${fig.derived(count(countOf(buckets)), `buckets of ${histogram}`)}</td>
  </tr>`;

const lines = ({ latency: samples, zone }: Model): ChartLines => ({
  seconds: samples.map(({ atMs }) => atMs / 1000),
  lines: [
    { label: 'p99', colour: '--bad', values: samples.map(({ p99 }) => p99) },
    { label: 'p95', colour: '--warn', values: samples.map(({ p95 }) => p95) },
    { label: 'p50', colour: '--accent', values: samples.map(({ p50 }) => p50) },
  ],
  heightPx: 120,
  unit: ' ms',
  zone,
});

/** Whether a program has told its figures: their last ones stay while the container sleeps. */
const hasRun = ({ samples }: Metrics): boolean => Object.hasOwn(samples, 'process_resident_memory_bytes');
const NOT_MEASURED = html`<p class="quiet">No program has told its figures yet.</p>`;

/** One sample, by its metric and labels as they are written. */
const sample = (fig: Figures<'metrics'>, name: string, show: (value: number) => string = count): TemplateResult =>
  fig.value(`samples.${name}`, show);

/** How the sessions are used: told with the status, for who may only read, too. */
export const pool = (model: Model): TemplateResult =>
  panel(model, {
    id: 'pool',
    title: 'Pool and queue',
    source: 'status',
    body: ({ pool: told }, fig) =>
      told === null
        ? html`<p class="quiet">No program has told of its sessions yet.</p>`
        : html`<dl class="facts">
            ${fact('Connections', html`${fig.value('pool.connections', count)} of ${fig.value('pool.most', count)}`)}
            ${fact('Busy', fig.value('pool.busy', count))} ${fact('Waiting', fig.value('pool.waiting', count))}
            ${fact('Told', html`${fig.age('told.atMs')} ago`)}
          </dl>`,
  });

export const program = (model: Model): TemplateResult =>
  panel(model, {
    id: 'program',
    title: 'Broker and program',
    source: 'metrics',
    body: (metrics, fig) =>
      !hasRun(metrics)
        ? NOT_MEASURED
        : html`<dl class="facts">
            ${fact('Commands sent', sample(fig, 'mt5_upstream_commands_total'))}
            ${fact('Merged reads', sample(fig, 'mt5_upstream_merged_total'))}
            ${fact('Replayed reads', sample(fig, 'mt5_upstream_replayed_total'))}
            ${fact('In flight', sample(fig, 'mt5_http_requests_in_flight'))}
            ${fact('Memory', sample(fig, 'process_resident_memory_bytes', megabytes))}
            ${fact(
              'Event loop p99',
              sample(fig, 'nodejs_eventloop_lag_p99_seconds', (seconds) => milliseconds(seconds * 1000)),
            )}
          </dl>`,
  });

const KINDS = ['server', 'groups', 'symbols', 'logins'] as const;

export const cache = (model: Model): TemplateResult =>
  panel(model, {
    id: 'cache',
    title: 'Cache',
    source: 'metrics',
    body: (metrics, fig) =>
      !hasRun(metrics)
        ? NOT_MEASURED
        : html`<table>
              <thead>
                <tr>
                  <th>Kind</th>
                  <th class="num">Hit rate</th>
                  <th class="num">Hits</th>
                  <th class="num">Misses</th>
                </tr>
              </thead>
              <tbody>
                ${KINDS.map((kind) => cacheRow(kind, metrics, fig))}
              </tbody>
            </table>
            <p class="quiet">
              ${sample(fig, 'mt5_cache_entries')} entries, ${sample(fig, 'mt5_cache_evictions_total')} had to make room;
              ${sample(fig, 'mt5_reads_coalesced_total')} of ${sample(fig, 'mt5_reads_total')} reads joined another.
            </p>`,
  });

function cacheRow(kind: string, metrics: Metrics, fig: Figures<'metrics'>): TemplateResult {
  const rate = hitRate(metrics, kind);
  return html`<tr>
    <td>${kind}</td>
    <td class="num">${fig.derived(rate === null ? '–' : percent(rate), 'mt5_cache_requests_total')}</td>
    <td class="num">${sample(fig, `mt5_cache_requests_total{kind="${kind}",result="hit"}`)}</td>
    <td class="num">${sample(fig, `mt5_cache_requests_total{kind="${kind}",result="miss"}`)}</td>
  </tr>`;
}

const STREAM_COUNTERS = [
  ['Clients', 'mt5_ws_clients'],
  ['Frames', 'mt5_ws_messages_total'],
  ['Conflated', 'mt5_ws_conflated_total'],
  ['Closed, too slow', 'mt5_ws_slow_closed_total'],
  ['Gaps told', 'mt5_ws_gaps_total'],
  ['Refused', 'mt5_ws_refused_operations_total'],
] as const;

/** Streams by where they are held, slow consumers among them; and how fresh what they follow is. */
export const streams = (model: Model): TemplateResult =>
  panel(model, {
    id: 'streams',
    title: 'Streams',
    source: 'metrics',
    body: (metrics, fig) => {
      if (!hasRun(metrics)) return NOT_MEASURED;
      const places = sumsBy(samplesOf(metrics, 'mt5_ws_clients'), 'at').map(([at]) => at);
      return html`<table>
          <thead>
            <tr>
              <th>Held by</th>
              ${places.map((at) => html`<th class="num">${at === 'container' ? 'Program' : 'Hub'}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${STREAM_COUNTERS.map(
              ([words, metric]) =>
                html`<tr>
                  <td>${words}</td>
                  ${places.map((at) => html`<td class="num">${sample(fig, `${metric}{at="${at}"}`)}</td>`)}
                </tr>`,
            )}
          </tbody>
        </table>
        <p class="quiet">
          ${sample(fig, 'mt5_feed_followed{topic="ticks"}')} symbols followed, ${sample(fig, 'mt5_feed_stale_symbols')}
          stale; ${sample(fig, 'mt5_feed_requests_total')} polls, ${sample(fig, 'mt5_feed_failures_total')} failed.
        </p>`;
    },
  });

const REFUSALS = ['mt5_door_refusals_total', 'mt5_http_refusals_total'] as const;
const SHOWN = 20;

/** Who is refused what: a program of yours that went wrong, or one that is not yours. */
export const refusals = (model: Model): TemplateResult =>
  panel(model, {
    id: 'refusals',
    title: 'Refusals by key',
    source: 'metrics',
    body: (metrics, fig) => {
      const rows = REFUSALS.flatMap((metric) => samplesOf(metrics, metric))
        .sort((a, b) => b.value - a.value)
        .slice(0, SHOWN);
      return rows.length === 0
        ? html`<p class="quiet">None yet.</p>`
        : html`<div class="scroll" tabindex="0" role="group" aria-label="Refusals by key">
            <table>
              <thead>
                <tr>
                  <th>Key</th>
                  <th>Why</th>
                  <th>Where</th>
                  <th class="num">Times</th>
                </tr>
              </thead>
              <tbody>
                ${rows.map(
                  ({ name, labels }) =>
                    html`<tr>
                      <td><code>${labels['key'] === '' ? 'none' : labels['key']}</code></td>
                      <td><code>${labels['code']}</code></td>
                      <td>${name.startsWith('mt5_door') ? 'door' : 'program'}</td>
                      <td class="num">${sample(fig, name)}</td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`;
    },
  });
