import { html, nothing, type TemplateResult } from 'lit/html.js';
import { revoke } from '../actions.ts';
import type { App } from '../app.ts';
import type { Model } from '../model.ts';
import { panel } from './panel.ts';

export const keys = (model: Model, app: App): TemplateResult =>
  panel(model, {
    id: 'keys',
    title: 'Keys',
    source: 'keys',
    body: ({ items }, fig) =>
      html`<div class="scroll" tabindex="0" role="group" aria-label="API keys">
        <table>
          <thead>
            <tr>
              <th>Key</th>
              <th>Scopes</th>
              <th>Logins</th>
              <th>Last used</th>
              <th>Expires</th>
              <th><span class="hidden">Action</span></th>
            </tr>
          </thead>
          <tbody>
            ${items.map(
              (item, i) =>
                html`<tr class=${item.revokedAtMs === null ? '' : 'gone'}>
                  <td><code class="long">${fig.value(`items.${i}.id`)}</code></td>
                  <td data-label="Scopes">
                    ${fig.value(`items.${i}.scopes`, (scopes) => (scopes as readonly string[]).join(', '))}
                  </td>
                  <td data-label="Logins">${item.logins === null ? 'all' : fig.value(`items.${i}.logins`)}</td>
                  <td data-label="Last used">
                    ${item.lastUsedAtMs === null ? 'never' : fig.time(`items.${i}.lastUsedAtMs`)}
                  </td>
                  <td data-label="Expires">${fig.value(`items.${i}.expiresAt`, (at) => at.slice(0, 10))}</td>
                  <td>
                    ${
                      item.revokedAtMs === null
                        ? item.id === model.self?.id
                          ? html`<span class="quiet">this key</span>`
                          : html`<button
                              type="button"
                              class="danger"
                              aria-label="Revoke ${item.id}"
                              @click=${() => app.confirm(revoke(app, item))}
                            >
                              Revoke…
                            </button>`
                        : html`revoked ${fig.time(`items.${i}.revokedAtMs`)}`
                    }
                  </td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>`,
  });

export const brokers = (model: Model): TemplateResult =>
  panel(model, {
    id: 'brokers',
    title: 'Brokers',
    source: 'brokers',
    body: ({ items }, fig) =>
      html`<ul class="brokers">
        ${items.map(
          (item, i) =>
            html`<li class=${item.ready ? (item.session === 'asleep' ? 'calm' : 'good') : 'bad'}>
              <span class="lamp" aria-hidden="true"></span>
              <b>${fig.value(`items.${i}.id`)}</b> ${fig.value(`items.${i}.session`)}, container
              ${fig.value(`items.${i}.container`)}
              <code>${fig.value(`items.${i}.path`)}</code>
              ${item.reason === null ? nothing : html`<p>${fig.value(`items.${i}.reason`)}</p>`}
            </li>`,
        )}
      </ul>`,
  });

/** Whose trading is halted. */
export const halts = (model: Model): TemplateResult =>
  panel(model, {
    id: 'halts',
    title: 'Trading halts',
    source: 'trading',
    body: ({ halts: inForce }, fig) =>
      inForce.length === 0
        ? html`<p class="quiet">None: everybody may trade as far as the key allows.</p>`
        : html`<ul class="plain-list">
            ${inForce.map(
              ({ kind }, i) =>
                html`<li>
                  <b>${kind === 'all' ? 'Everybody' : html`${kind} ${fig.value(`halts.${i}.value`)}`}</b> since
                  ${fig.time(`halts.${i}.sinceMs`)}: ${fig.value(`halts.${i}.reason`)}
                </li>`,
            )}
          </ul>`,
  });
