import { html, nothing, type TemplateResult } from 'lit/html.js';
import { reconcile } from '../actions.ts';
import type { App } from '../app.ts';
import { counted } from '../format.ts';
import type { Model } from '../model.ts';
import { allows } from '../sources.ts';
import { panel } from './panel.ts';

/** States in the words of who must decide something. */
const NEEDS = {
  unknown: 'Nobody knows yet how it ended',
  unresolved: 'The books cannot tell: a person must',
  pending: 'Queued at the dealer',
} as const;

/** Writes whose end is not known: the one list that must be empty before anybody goes home. */
export function operations(model: Model, app: App): TemplateResult {
  const sees = allows(model.self?.scopes ?? [], 'operate') ? 'of every key' : 'of this key';
  const mayReconcile = allows(model.self?.scopes ?? [], 'trade');
  return panel(model, {
    id: 'operations',
    title: 'Needs a person',
    source: 'operations',
    body: ({ items }, fig) =>
      items.length === 0
        ? html`<p class="quiet">Nothing: every write ${sees} has a known end.</p>`
        : html`<p class="count">
              ${fig.derived(counted(items.length, 'operation'), 'items of GET /v1/operations')} ${sees} without a known
              end.
            </p>
            <div class="scroll" tabindex="0" role="group" aria-label="Operations without a known end">
              <table>
                <thead>
                  <tr>
                    <th>Operation</th>
                    <th>Kind</th>
                    <th>Login</th>
                    <th>Since</th>
                    <th>What is known</th>
                    <th><span class="hidden">Action</span></th>
                  </tr>
                </thead>
                <tbody>
                  ${items.map(
                    (item, i) =>
                      html`<tr>
                        <td><code>${fig.value(`items.${i}.key`)}</code></td>
                        <td>${fig.value(`items.${i}.kind`)}</td>
                        <td>${fig.value(`items.${i}.login`)}</td>
                        <td>${fig.age(`items.${i}.createdAtMs`)}</td>
                        <td>
                          <b class=${item.state === 'pending' ? 'warn' : 'bad'}
                            >${fig.value(`items.${i}.state`, (state) => NEEDS[state as keyof typeof NEEDS] ?? state)}</b
                          ><br />${fig.value(`items.${i}.detail`)}
                        </td>
                        <td>
                          ${
                            mayReconcile
                              ? html`<button
                                  type="button"
                                  aria-label="Reconcile ${item.key}"
                                  @click=${() => app.confirm(reconcile(app, item))}
                                >
                                  Reconcile…
                                </button>`
                              : nothing
                          }
                        </td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>
            ${mayReconcile ? nothing : html`<p class="quiet">To reconcile needs the scope <b>trade</b>.</p>`}`,
  });
}
