import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { App } from '../app.ts';
import { clock, counted, duration } from '../format.ts';
import type { Model } from '../model.ts';
import type { QuoteRow } from '../quotes.ts';
import { chart } from './chart.ts';

const USUAL = 'EURUSD GBPUSD USDJPY XAUUSD';
const STATES = {
  off: 'not followed',
  connecting: 'connecting',
  live: 'live',
  lost: 'connection lost, coming back',
} as const;

/** Live prices by the bridge's own stream: the surest sign that the whole road works. */
export function quotes(model: Model, app: App): TemplateResult {
  const { state, rows, chosen, fault, gaps, symbols } = model.quotes;
  const drawn = rows.find(({ symbol }) => symbol === chosen);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const field = (event.target as HTMLFormElement).elements.namedItem('symbols') as HTMLInputElement;
    const names = field.value.split(/[\s,]+/).filter((name) => name !== '');
    if (names.length > 0) app.follow(names);
    else field.focus();
  };
  return html`<section class="panel" id="quotes" aria-labelledby="quotes-title">
    <header>
      <h2 id="quotes-title">Quotes</h2>
      <p class="source ${state === 'lost' ? 'old' : ''}" role="status">
        <code data-source="page">/v1/stream</code>
        ${STATES[state]}${fault === undefined ? nothing : html`: <span data-source="page">${fault}</span>`}
      </p>
    </header>
    <form class="row" @submit=${submit} autocomplete="off">
      <label for="symbols" class="hidden">Symbols or masks, with blanks between</label>
      <input
        id="symbols"
        name="symbols"
        spellcheck="false"
        .defaultValue=${symbols.length > 0 ? symbols.join(' ') : USUAL}
      />
      <button type="submit">Follow</button>
      ${state === 'off' ? nothing : html`<button type="button" @click=${() => app.unfollow()}>Stop</button>`}
    </form>
    ${
      state === 'off'
        ? html`<p class="quiet">To follow quotes wakes the container, and keeps it awake while the market is open.</p>`
        : nothing
    }
    ${
      rows.length === 0
        ? nothing
        : html`<table class="quotes">
            <thead>
              <tr>
                <th>Symbol</th>
                <th class="num">Bid</th>
                <th class="num">Ask</th>
                <th class="num">Age</th>
                <th>State</th>
              </tr>
            </thead>
            <tbody>
              ${rows.map((row) => line(row, model, app))}
            </tbody>
          </table>`
    }
    ${
      drawn && drawn.history.seconds.length > 1
        ? html`<p class="quiet">${drawn.symbol}, middle of bid and ask, since it is followed here</p>
            <div
              class="plot"
              aria-hidden="true"
              ${chart({
                ...drawn.history,
                lines: [{ label: drawn.symbol, colour: '--accent', values: drawn.history.prices }],
                heightPx: 120,
                unit: '',
                zone: model.zone,
              })}
            ></div>`
        : nothing
    }
    ${gaps === 0 ? nothing : html`<p class="quiet">Something may have been missed <span data-source="stream">${counted(gaps, 'time')}</span> since.</p>`}
  </section>`;
}

const MOVES = { up: '▲', down: '▼', same: '' } as const;

function line({ symbol, bid, ask, quotedAtMs, move, isStale }: QuoteRow, model: Model, app: App): TemplateResult {
  const figure = (field: string, value: string | null): TemplateResult =>
    html`<data value=${value ?? ''} data-source="stream" data-path="${symbol}.${field}">${value ?? '–'}</data>`;
  return html`<tr class=${isStale ? 'stale' : ''}>
    <td>
      <button
        type="button"
        class="plain"
        aria-pressed=${model.quotes.chosen === symbol}
        @click=${() => app.chooseQuote(symbol)}
      >
        ${symbol}
      </button>
    </td>
    <td class="num">${figure('bid', bid)}<span class="move ${move}" aria-hidden="true">${MOVES[move]}</span></td>
    <td class="num">${figure('ask', ask)}</td>
    <td class="num">
      ${
        quotedAtMs === null
          ? '–'
          : html`<time
              datetime=${new Date(quotedAtMs).toISOString()}
              title=${clock(quotedAtMs, model.zone, model.nowMs)}
              data-source="stream"
              data-path="${symbol}.quotedAtMs"
              >${duration(model.nowMs - quotedAtMs)}</time
            >`
      }
    </td>
    <td>${isStale ? html`<b class="warn">stale</b>` : 'live'}</td>
  </tr>`;
}
