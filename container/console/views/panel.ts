import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { Model } from '../model.ts';
import { allows, type Answers, type SourceName, SOURCES } from '../sources.ts';
import { askedAge, figures, type Figures } from './figures.ts';

/** One look that failed may be followed by one that works; older than this is said to be old. */
const OLD_AFTER_LOOKS = 3;

export interface PanelOptions<Name extends SourceName> {
  readonly id: string;
  readonly title: string;
  readonly source: Name;
  /** Beside the title: buttons. */
  readonly aside?: unknown;
  readonly body: (data: Answers[Name], fig: Figures<Name>) => unknown;
}

/** A part of the page with one source: its figures with their age, or why there are none. */
export function panel<Name extends SourceName>(model: Model, options: PanelOptions<Name>): TemplateResult {
  const { id, title, source, aside = nothing } = options;
  return html`<section class="panel" id=${id} aria-labelledby="${id}-title">
    <header>
      <h2 id="${id}-title">${title}</h2>
      ${caption(model, source)}
      <div class="aside">${aside}</div>
    </header>
    ${content(model, options)}
  </section>`;
}

/** Where the figures are from, and how old they are. */
export function caption(model: Model, source: SourceName): TemplateResult {
  const { atMs, fault } = model.told[source] ?? {};
  const { path, everyMs } = SOURCES[source];
  if (atMs === undefined) return html`<p class="source"><code data-source="page">${path}</code></p>`;
  const isOld = fault !== undefined || model.nowMs - atMs > everyMs * OLD_AFTER_LOOKS;
  return html`<p class="source ${isOld ? 'old' : ''}">
    <code data-source="page">${path}</code> ${askedAge(atMs, model.nowMs)}
    ago${fault === undefined ? nothing : html`: <span data-source="page">${fault}</span>`}
  </p>`;
}

function content<Name extends SourceName>(model: Model, { source, body }: PanelOptions<Name>): unknown {
  const { scope } = SOURCES[source];
  if (!allows(model.self?.scopes ?? [], scope))
    return html`<p class="quiet">Needs the scope <b>${scope}</b>, which this key does not have.</p>`;
  const { data, fault, absent } = model.told[source] ?? {};
  if (data) return body(data, figures(source, data, model));
  if (absent) return html`<p class="quiet">Not here: this bridge runs alone, without a Worker in front.</p>`;
  if (fault !== undefined) return html`<p class="bad" role="status"><span data-source="page">${fault}</span></p>`;
  return html`<p class="quiet">Asking…</p>`;
}
