import { html, nothing, type TemplateResult } from 'lit/html.js';
import { count, duration, inWords, milliseconds } from '../format.ts';
import type { Model } from '../model.ts';
import type { Answers } from '../sources.ts';
import type { Figures } from './figures.ts';
import { panel } from './panel.ts';

/** What happened, as the audit and the webhooks tell it, and whether they keep up. */

const WAITS = [
  ['Audit', 'audit'],
  ['Webhooks', 'webhooks'],
] as const;

/** Whether what is told arrives. */
export const backlog = (model: Model): TemplateResult =>
  panel(model, {
    id: 'backlog',
    title: 'Waiting to be told',
    source: 'metrics',
    body: ({ samples }, fig) =>
      html`<table>
        <thead>
          <tr>
            <th>For</th>
            <th class="num">Events</th>
            <th class="num">Oldest</th>
          </tr>
        </thead>
        <tbody>
          ${WAITS.map(([words, what]) => {
            const pending = `mt5_outbox_pending{for="${what}"}` as const;
            const age = `mt5_outbox_oldest_age_seconds{for="${what}"}` as const;
            return Object.hasOwn(samples, pending)
              ? html`<tr>
                  <td>${words}</td>
                  <td class="num">${fig.value(`samples.${pending}`, count)}</td>
                  <td class="num">
                    ${fig.value(`samples.${age}`, (seconds) => (seconds === 0 ? '–' : duration(seconds * 1000)))}
                  </td>
                </tr>`
              : html`<tr>
                  <td>${words}</td>
                  <td colspan="2" class="num quiet">none kept</td>
                </tr>`;
          })}
        </tbody>
      </table>`,
  });

/** The newest events: who did what. */
export const events = (model: Model): TemplateResult =>
  panel(model, {
    id: 'events',
    title: 'Who did what',
    source: 'events',
    body: ({ items }, fig) =>
      items.length === 0
        ? html`<p class="quiet">Nothing yet: orders, changes of accounts, keys and sign-ins are told here.</p>`
        : html`<ol class="events told scroll" tabindex="0" aria-label="Events, newest first">
            ${items.map((item, i) => event(item, i, fig))}
          </ol>`,
  });

const event = ({ login, data }: Answers['events']['items'][number], i: number, fig: Figures<'events'>) =>
  html`<li>
    ${fig.time(`items.${i}.timeMs`)}
    <code>${fig.value(`items.${i}.type`)}</code>
    <span class="why"
      >by
      ${fig.value(`items.${i}.caller`)}${login === undefined ? nothing : html`, login ${fig.value(`items.${i}.login`)}`}</span
    >
    ${Object.keys(data).length === 0 ? nothing : html`<span class="phases">${fig.value(`items.${i}.data`, inWords)}</span>`}
  </li>`;

/** Who is told, and what waits for them. */
export const webhooks = (model: Model): TemplateResult =>
  panel(model, {
    id: 'webhooks',
    title: 'Webhooks',
    source: 'webhooks',
    body: ({ items }, fig) =>
      items.length === 0
        ? html`<p class="quiet">None: <code>POST /v1/webhooks</code> makes one.</p>`
        : html`<ul class="plain-list">
            ${items.map(
              ({ disabledAtMs, pending }, i) =>
                html`<li>
                  <p><code class="long">${fig.value(`items.${i}.url`)}</code></p>
                  <p class="quiet">
                    ${fig.value(`items.${i}.events`, (types) => (types as readonly string[]).join(', '))};
                    ${fig.value(`items.${i}.pending`, count)}
                    wait${pending === 0 ? nothing : html`, the oldest ${fig.age(`items.${i}.oldestPendingAtMs`)}`}
                  </p>
                  ${
                    disabledAtMs === null
                      ? nothing
                      : html`<p class="bad">
                          Disabled ${fig.time(`items.${i}.disabledAtMs`)}: ${fig.value(`items.${i}.disabledReason`)}
                        </p>`
                  }
                </li>`,
            )}
          </ul>`,
  });

/** What they answered last. */
export const deliveries = (model: Model): TemplateResult =>
  panel(model, {
    id: 'deliveries',
    title: 'Deliveries',
    source: 'deliveries',
    body: ({ items }, fig) =>
      items.length === 0
        ? html`<p class="quiet">None yet.</p>`
        : html`<ol class="events told scroll" tabindex="0" aria-label="Deliveries, newest first">
            ${items.map(
              ({ status, url, error }, i) =>
                html`<li>
                  ${fig.time(`items.${i}.atMs`)}
                  <code>${fig.value(`items.${i}.type`)}</code>
                  <span class="why">to ${fig.derived(new URL(url).host, 'url in GET /v1/webhooks')}</span>
                  <span class="phases">
                    <b class=${status !== null && status < 300 ? '' : 'bad'}
                      >${status === null ? nothing : fig.value(`items.${i}.status`)}
                      ${error === null ? nothing : fig.value(`items.${i}.error`)}</b
                    >
                    <span>attempt ${fig.value(`items.${i}.attempt`, count)}</span>
                    <span>${fig.value(`items.${i}.durationMs`, milliseconds)}</span>
                  </span>
                </li>`,
            )}
          </ol>`,
  });
