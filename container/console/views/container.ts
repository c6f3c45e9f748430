import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { App } from '../app.ts';
import { count, duration, megabytes, milliseconds, percent } from '../format.ts';
import type { Model } from '../model.ts';
import { chart } from './chart.ts';
import { fact } from './figures.ts';
import { panel } from './panel.ts';

/** What the container tells of itself; one word in place of all, while asking for it would keep the container awake. */
export function container(model: Model, app: App): TemplateResult {
  if (model.told.performance?.data)
    return html`<div class="inside">${latency(model)} ${pool(model)} ${cache(model)} ${streams(model)}</div>`;
  const isRunning = model.told.status?.data?.container.state === 'running';
  const unasked = html`<p class="quiet">
      ${
        isRunning
          ? 'Latency, pool, cache and streams are told by the container. To ask counts as use, so they are read on their own only while quotes are followed.'
          : 'Latency, pool, cache and streams: the container sleeps, and its figures begin anew when it starts.'
      }
    </p>
    ${isRunning ? html`<p><button type="button" @click=${() => app.readFigures()}>Read them once</button></p>` : nothing}`;
  return panel(model, {
    id: 'container',
    title: 'Inside the container',
    source: 'performance',
    unasked,
    body: () => nothing,
  });
}

const latency = (model: Model): TemplateResult =>
  panel(model, {
    id: 'latency',
    title: 'Latency',
    source: 'performance',
    body: (_data, fig) =>
      html`<dl class="facts">
          ${(['p50', 'p95', 'p99', 'max'] as const).map((name) => fact(name, html`<b class="big">${fig.value(`durationMs.${name}`, milliseconds)}</b>`))}
        </dl>
        <div
          class="plot"
          aria-hidden="true"
          ${chart({
            seconds: model.latency.map(({ atMs }) => atMs / 1000),
            lines: [
              { label: 'p99', colour: '--bad', values: model.latency.map(({ p99 }) => p99) },
              { label: 'p95', colour: '--warn', values: model.latency.map(({ p95 }) => p95) },
              { label: 'p50', colour: '--accent', values: model.latency.map(({ p50 }) => p50) },
            ],
            heightPx: 120,
            unit: ' ms',
            zone: model.zone,
          })}
        ></div>
        <p class="quiet">
          Of the last ${fig.value('durationMs.count', count)} requests in the container, as this page saw them since it
          was opened.
        </p>`,
  });

const pool = (model: Model): TemplateResult =>
  panel(model, {
    id: 'pool',
    title: 'Pool and queue',
    source: 'performance',
    body: ({ upstream, requests }, fig) =>
      html`<dl class="facts">
        ${Object.keys(upstream).map((name) => fact(UPSTREAM[name] ?? name, fig.value(`upstream.${name}`, count)))}
        ${fact('Requests', fig.value('requests.total', count))}
        ${Object.keys(requests.byStatus).map((status) => fact(`Answered ${status}`, fig.value(`requests.byStatus.${status}`, count)))}
        ${fact(
          'Up',
          fig.value('uptimeSeconds', (seconds) => duration(seconds * 1000)),
        )}
        ${fact('Memory', fig.value('memory.rssBytes', megabytes))}
        ${fact('Event loop p99', fig.value('eventLoopDelayMs.p99', milliseconds))}
      </dl>`,
  });

const UPSTREAM: Readonly<Record<string, string>> = {
  connections: 'Connections',
  busy: 'Busy',
  waiting: 'Waiting for one',
  sent: 'Commands sent',
  merged: 'Merged reads',
  replayed: 'Replayed reads',
  lost: 'Sessions lost',
  signIns: 'Sign-ins',
  signInFailures: 'Failed sign-ins',
};

const cache = (model: Model): TemplateResult =>
  panel(model, {
    id: 'cache',
    title: 'Cache',
    source: 'cache',
    body: ({ byKind }, fig) =>
      html`<dl class="facts">
          ${fact('Reads of the broker', fig.value('reads', count))}
          ${fact('Joined to another', fig.value('coalesced', count))}
          ${fact('Entries', html`${fig.value('entries', count)} of ${fig.value('maxEntries', count)}`)}
          ${fact('Evicted', fig.value('evictions', count))}
        </dl>
        <table>
          <thead>
            <tr>
              <th>Kind</th>
              <th class="num">Hit rate</th>
              <th class="num">Hits</th>
              <th class="num">Misses</th>
            </tr>
          </thead>
          <tbody>
            ${(Object.keys(byKind) as (keyof typeof byKind)[]).map(
              (kind) =>
                html`<tr>
                  <td>${kind}</td>
                  <td class="num">${fig.value(`byKind.${kind}.hitRate`, percent)}</td>
                  <td class="num">${fig.value(`byKind.${kind}.hits`, count)}</td>
                  <td class="num">${fig.value(`byKind.${kind}.misses`, count)}</td>
                </tr>`,
            )}
          </tbody>
        </table>`,
  });

const streams = (model: Model): TemplateResult =>
  panel(model, {
    id: 'streams',
    title: 'Streams',
    source: 'streams',
    body: ({ feed }, fig) =>
      html`<dl class="facts">
        ${fact('Clients of the container', html`${fig.value('clients', count)} of ${fig.value('maxClients', count)}`)}
        ${Object.keys(feed).map((name) => fact(FEED[name] ?? name, fig.value(`feed.${name}`, count)))}
      </dl>`,
  });

const FEED: Readonly<Record<string, string>> = {
  requests: 'Polls of the broker',
  changes: 'Changes seen',
  failures: 'Polls that failed',
  duplicates: 'Repeats left out',
  outOfOrder: 'Ticks out of order',
  restarts: 'Restarts of the feed',
  ticks: 'Symbols followed',
  accounts: 'Accounts followed',
  positions: 'Positions, by login',
  orders: 'Orders, by login',
  deals: 'Deals, by login',
  equity: 'Equity, by login',
};
