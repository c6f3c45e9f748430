import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { App } from '../app.ts';
import { isAlone, type Model } from '../model.ts';
import { confirmationDialog } from './confirmation.ts';
import { figures } from './figures.ts';
import { gate } from './gate.ts';
import { brokers, halts, keys } from './keys.ts';
import { cache, latency, pool, program, refusals, streams } from './container.ts';
import { coldStarts } from './cold-starts.ts';
import { operations } from './operations.ts';
import { backlog, deliveries, events, webhooks } from './outbox.ts';
import { quotes } from './quotes.ts';
import { cost, signIn, sleepPlan } from './sleep.ts';
import { timeline } from './timeline.ts';
import { verdict } from './verdict.ts';

/** The whole page, from the model alone. */
export function page(model: Model, app: App): TemplateResult {
  if (model.phase !== 'signed-in')
    return html`<header class="bar"><b>MT5 Edge Bridge</b></header>
      <main class="gate" id="main">${gate(model, app)}</main>`;
  return html`<a class="skip" href="#main">To the verdict</a>
    ${bar(model, app)}
    <main id="main" tabindex="-1">
      ${notice(model, app)} ${verdict(model, app)} ${operations(model, app)}
      <div class="columns">
        <div class="column">
          ${timeline(model)} ${latency(model)}
          <div class="inside">${pool(model)} ${program(model)} ${streams(model)} ${cache(model)}</div>
          ${events(model)} ${deliveries(model)} ${keys(model, app)}
        </div>
        <div class="column">
          ${quotes(model, app)} ${isAlone(model) ? nothing : sleepPlan(model)} ${coldStarts(model)}
          ${signIn(model, app)} ${isAlone(model) ? nothing : cost(model)} ${backlog(model)} ${webhooks(model)}
          ${refusals(model)} ${brokers(model)} ${halts(model)}
        </div>
      </div>
    </main>
    ${confirmationDialog(model, app)}`;
}

function bar(model: Model, app: App): TemplateResult {
  const { self, zone } = model;
  return html`<header class="bar">
    <b>MT5 Edge Bridge</b>
    ${brokerChoice(model, app)} ${elsewhere(model)}
    <nav aria-label="Documents"><a href="/docs">API reference</a></nav>
    <fieldset class="zone">
      <legend class="hidden">Times in</legend>
      ${(['utc', 'local'] as const).map(
        (one) =>
          html`<label
            ><input
              type="radio"
              name="zone"
              .checked=${zone === one}
              @change=${() => app.chooseZone(one)}
            />${one === 'utc' ? 'UTC' : 'Local time'}</label
          >`,
      )}
    </fieldset>
    <p class="who"><span data-source="page">${self?.id} (${self?.scopes.join(', ')})</span></p>
    <button type="button" class="plain" @click=${() => app.signOut()}>Sign out</button>
  </header>`;
}

/** Only where there is a choice. */
function brokerChoice(model: Model, app: App): TemplateResult | typeof nothing {
  const items = model.told.brokers?.data?.items ?? [];
  if (items.length < 2) return nothing;
  const choose = (event: Event): void => app.chooseBroker((event.target as HTMLSelectElement).value);
  return html`<label class="broker"
    >Broker
    <select @change=${choose}>
      ${items.map(
        ({ id, path }, index) =>
          html`<option value=${index === 0 ? '' : path} ?selected=${model.brokerPath === (index === 0 ? '' : path)}>
            ${id}
          </option>`,
      )}
    </select></label
  >`;
}

/** Brokers beside the chosen one that serve nobody. */
function elsewhere(model: Model): TemplateResult | typeof nothing {
  const { data } = model.told.brokers ?? {};
  if (!data) return nothing;
  const fig = figures('brokers', data, model);
  const broken = data.items.flatMap(({ path, ready }, i) =>
    ready || model.brokerPath === (i === 0 ? '' : path)
      ? []
      : [html`<a href="#brokers" class="bad">${fig.value(`items.${i}.id`)}: ${fig.value(`items.${i}.session`)}</a>`],
  );
  return html`${broken}`;
}

const notice = ({ notice: told }: Model, app: App): TemplateResult =>
  html`<div role="status" class="notice ${told ? (told.isBad ? 'bad' : 'good') : 'none'}">
    ${
      told
        ? html`<span data-source="page">${told.text}</span>
            <button type="button" class="plain" aria-label="Close this message" @click=${() => app.dismiss()}>
              Close
            </button>`
        : nothing
    }
  </div>`;
