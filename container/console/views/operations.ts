import { html, nothing, type TemplateResult } from 'lit/html.js';
import { reconcile } from '../actions.ts';
import type { App } from '../app.ts';
import { counted } from '../format.ts';
import type { Model } from '../model.ts';
import { allows, type Answers } from '../sources.ts';
import type { Figures } from './figures.ts';
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
            <ul class="scroll" tabindex="0" aria-label="Operations without a known end">
              ${items.map((item, i) => row(item, i, fig, mayReconcile ? () => app.confirm(reconcile(app, item)) : undefined))}
            </ul>
            ${mayReconcile ? nothing : html`<p class="quiet">To reconcile needs the scope <b>trade</b>.</p>`}`,
  });
}

function row(
  { key, state, login }: Answers['operations']['items'][number],
  i: number,
  fig: Figures<'operations'>,
  ask: (() => void) | undefined,
): TemplateResult {
  return html`<li>
    <div>
      <p>
        <code>${fig.value(`items.${i}.key`)}</code>
        <b class=${state === 'pending' ? 'warn' : 'bad'}
          >${fig.value(`items.${i}.state`, (told) => NEEDS[told as keyof typeof NEEDS] ?? told)}</b
        >
      </p>
      <p class="quiet">
        ${fig.value(`items.${i}.kind`)}${login === null ? nothing : html`, login ${fig.value(`items.${i}.login`)}`},
        sent ${fig.age(`items.${i}.createdAtMs`)} ago by the key ${fig.value(`items.${i}.caller`)}
      </p>
      <p>${fig.value(`items.${i}.detail`)}</p>
    </div>
    ${ask ? html`<button type="button" aria-label="Reconcile ${key}" @click=${ask}>Reconcile…</button>` : nothing}
  </li>`;
}
