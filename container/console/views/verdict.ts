import { html, nothing, type TemplateResult } from 'lit/html.js';
import { haltTrading, resumeTrading, sleep, warm } from '../actions.ts';
import type { App } from '../app.ts';
import { count } from '../format.ts';
import { isAlone, type Model } from '../model.ts';
import { allows } from '../sources.ts';
import { toneOf } from '../verdict.ts';
import { fact, figures } from './figures.ts';
import { caption } from './panel.ts';

/** First of all: how it is, since when, and the few things that an operator does about it. */
export function verdict(model: Model, app: App): TemplateResult {
  const { data: status, fault } = model.told.status ?? {};
  if (!status)
    return html`<section class="verdict calm" aria-label="Verdict">
      <h1>${fault === undefined ? 'Asking…' : html`<span data-source="page">${fault}</span>`}</h1>
    </section>`;
  const { tone, word } = toneOf(status);
  const fig = figures('status', status, model);
  return html`<section class="verdict ${tone}" aria-label="Verdict">
    <div class="says">
      <p class="word"><span class="lamp" aria-hidden="true"></span>${word}</p>
      <h1 aria-live="polite">${fig.value('verdict')}</h1>
      ${status.reason === null ? nothing : html`<p class="reason">${fig.value('reason')}</p>`}
      ${status.origin?.reason ? html`<p class="reason">${fig.value('origin.reason')}</p>` : nothing}
      ${status.audit?.fault ? html`<p class="reason">${fig.value('audit.fault')}</p>` : nothing}
      ${caption(model, 'status')}
    </div>
    <dl class="facts">
      ${fact('Session', html`${fig.value('session.state')}, ${fig.age('session.sinceMs')}`)}
      ${fact('Container', html`${fig.value('container.state')}, ${fig.age('container.sinceMs')}`)}
      ${fact('Origin', html`${fig.value('origin.name')}${status.origin?.sinceMs ? html`, ${fig.age('origin.sinceMs')}` : nothing}`, !status.origin)}
      ${fact('Last answer', html`${fig.age('lastAnswer.atMs')} ago`, status.lastAnswer === null)}
      ${fact('Last heartbeat', html`${fig.age('lastHeartbeat.atMs')} ago`, status.lastHeartbeat === null)}
      ${fact('Epoch', fig.value('session.epoch'))} ${fact('Connections', fig.value('session.connections', count))}
      ${fact('In flight', fig.value('container.inFlight', count))}
      ${fact('Streams', fig.value('container.streams', count))}
      ${fact('Unsettled', fig.value('operations.unsettled', count))}
      ${fact('Sign-ins', html`${fig.value('signIns.succeeded', count)}, failed ${fig.value('signIns.failed', count)}`)}
      ${fact('Tries again in', fig.age('session.retryAtMs'), status.session.retryAtMs === null)}
      ${fact('MT5 code', fig.value('session.retcode'), status.session.retcode === null)}
    </dl>
    ${actions(model, app)}
  </section>`;
}

function actions(model: Model, app: App): TemplateResult {
  if (!allows(model.self?.scopes ?? [], 'operate'))
    return html`<div class="actions quiet">
      <p>Warm, sleep and halt need the scope <b>operate</b>.</p>
    </div>`;
  const state = model.told.status?.data?.container.state;
  const isHalted = model.told.trading?.data?.halted ?? false;
  const button = (label: string, ask: () => void, isDisabled = false, isDangerous = false): TemplateResult =>
    html`<button type="button" class=${isDangerous ? 'danger' : ''} ?disabled=${isDisabled} @click=${ask}>
      ${label}
    </button>`;
  return html`<div class="actions">
    ${
      !isAlone(model)
        ? html`${button('Warm…', () => app.confirm(warm(app)), state === 'running')}
          ${button('Sleep…', () => app.confirm(sleep(app, model)), state === 'stopped')}`
        : nothing
    }
    ${
      isHalted
        ? button('Resume trading…', () => app.confirm(resumeTrading(app, model)))
        : button('Halt trading…', () => app.confirm(haltTrading(app)), false, true)
    }
  </div>`;
}
