import { html, nothing, type TemplateResult } from 'lit/html.js';
import { resetSignIn } from '../actions.ts';
import type { App } from '../app.ts';
import { count, firstOf } from '../format.ts';
import type { Model } from '../model.ts';
import { allows } from '../sources.ts';
import { fact } from './figures.ts';
import { panel } from './panel.ts';

const SYMBOLS_SHOWN = 8;

/** Why it is awake or asleep, and what comes next. */
export const sleepPlan = (model: Model): TemplateResult =>
  panel(model, {
    id: 'sleep',
    title: 'Sleep and wake',
    source: 'policy',
    body: (policy, fig) =>
      html`<dl class="facts">
          ${fact('Policy', fig.value('policy'))}
          ${
            policy.awake
              ? fact(
                  'Sleeps at',
                  policy.untilMs === null ? 'no end is known' : html`${fig.time('untilMs')}, in ${fig.age('untilMs')}`,
                )
              : nothing
          }
          ${fact('Wakes at', policy.wakesAtMs === null ? 'a request wakes it' : html`${fig.time('wakesAtMs')}, in ${fig.age('wakesAtMs')}`, policy.awake && policy.untilMs === null)}
        </dl>
        <p>${fig.value('why')}</p>
        <p class="quiet">
          ${
            policy.symbols === null
              ? 'The broker’s trading hours are not known yet.'
              : html`Trading hours of
                ${fig.value('symbols', (symbols) => firstOf(symbols as readonly string[], SYMBOLS_SHOWN))}`
          }
        </p>`,
  });

/** What the last sign-ins left behind. */
export const signIn = (model: Model, app: App): TemplateResult =>
  panel(model, {
    id: 'sign-in',
    title: 'Sign-in',
    source: 'checkpoint',
    body: ({ upstream, counts }, fig) =>
      html`<dl class="facts">
          ${fact('Signed in', html`${fig.time('upstream.signedInAtMs')}`)}
          ${fact('Epoch', fig.value('upstream.epoch', count))}
          ${fact('Server build', fig.value('upstream.serverBuild'))} ${fact('Address', fig.value('upstream.address'))}
          ${fact('Broker’s clock', upstream.clock === null ? 'not read yet' : html`UTC ${fig.value('upstream.clock.zoneMinutes', offset)}, ${fig.value('upstream.clock.daylight', (whose) => DAYLIGHT[whose])}`)}
          ${fact('Traders’ sessions', fig.value('counts.consumerSessions', count), counts.consumerSessions === 0)}
          ${fact('Failed in a row', html`<b class="bad">${fig.value('upstream.failures', count)}</b>`, upstream.failures === 0)}
          ${fact('Waits until', fig.time('upstream.backoffUntilMs'), upstream.backoffUntilMs <= model.nowMs)}
        </dl>
        ${
          upstream.lastFailure === null
            ? nothing
            : html`<p>
                Last failure ${fig.time('upstream.lastFailure.atMs')}, ${fig.value('upstream.lastFailure.kind')}:
                ${fig.value('upstream.lastFailure.reason')}
              </p>`
        }
        ${
          upstream.failures > 0 && allows(model.self?.scopes ?? [], 'operate')
            ? html`<button type="button" class="danger" @click=${() => app.confirm(resetSignIn(app))}>
                Forget failed sign-ins…
              </button>`
            : nothing
        }`,
  });

/** Whose calendar of summer time the broker follows. */
const DAYLIGHT = {
  none: 'no summer time',
  eu: 'summer time as in the EU',
  us: 'summer time as in the US',
  au: 'summer time as in Australia',
} as const;

/** `+2:00`. */
function offset(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '−' : '+'}${Math.floor(size / 60)}:${String(size % 60).padStart(2, '0')}`;
}

export const cost = (model: Model): TemplateResult =>
  panel(model, {
    id: 'cost',
    title: 'Cost this month',
    source: 'cost',
    body: ({ lines, budget }, fig) =>
      html`<dl class="facts">
          ${fact('So far', html`<b class="big">$${fig.value('monthToDateUsd')}</b>`)}
          ${fact('At this pace', html`<b class="big">$${fig.value('atThisPaceUsd')}</b>`)}
          ${fact('Awake', html`<b class="big">${fig.value('awakeHours', (hours) => hours.toFixed(1))} h</b>`)}
          ${
            budget === null
              ? nothing
              : fact(
                  'Budget',
                  html`$${fig.value('budget.usd')}, ${fig.value('budget.state', (state) => BUDGET[state])}`,
                )
          }
        </dl>
        <details>
          <summary>Part by part</summary>
          <div class="scroll" tabindex="0" role="group" aria-label="Cost, part by part">
            <table>
              <thead>
                <tr>
                  <th>Part</th>
                  <th class="num">Used</th>
                  <th class="num">Included</th>
                  <th class="num">USD</th>
                </tr>
              </thead>
              <tbody>
                ${lines.map(
                  (_line, i) =>
                    html`<tr>
                      <td>${fig.value(`lines.${i}.part`)}</td>
                      <td class="num">${fig.value(`lines.${i}.used`, rounded)} ${fig.value(`lines.${i}.unit`)}</td>
                      <td class="num">${fig.value(`lines.${i}.included`, rounded)}</td>
                      <td class="num">${fig.value(`lines.${i}.usd`, (usd) => usd.toFixed(2))}</td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>
        </details>
        <p class="quiet">
          On <code>${fig.value('instanceType')}</code>, by list prices of ${fig.value('pricesRead')}, requests and rows
          as the bridge has counted them.
        </p>`,
  });

const BUDGET = { within: 'kept', projected: 'passed at this pace', passed: 'passed' } as const;

const rounded = (value: number): string => (value < 10 ? value.toFixed(2) : count(value));
