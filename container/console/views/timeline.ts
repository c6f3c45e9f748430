import { html, nothing, svg, type TemplateResult } from 'lit/html.js';
import { duration, milliseconds } from '../format.ts';
import { awakeSpans } from '../history.ts';
import { isAlone, type Model } from '../model.ts';
import type { Answers } from '../sources.ts';
import type { Figures } from './figures.ts';
import { panel } from './panel.ts';

type Entry = Answers['journal']['items'][number];

/** Events in a word, and how they are marked. */
const EVENTS: Readonly<
  Record<Entry['event'], { readonly word: string; readonly tone: 'good' | 'calm' | 'busy' | 'bad' }>
> = {
  start: { word: 'Started', tone: 'good' },
  ready: { word: 'Signed in', tone: 'good' },
  warm: { word: 'Warmed', tone: 'good' },
  sleep: { word: 'Slept', tone: 'calm' },
  stop: { word: 'Stopped', tone: 'calm' },
  rollout: { word: 'Rolled out', tone: 'calm' },
  hand_over: { word: 'Handed over', tone: 'calm' },
  session_ended: { word: 'Session ended', tone: 'calm' },
  key: { word: 'Key changed', tone: 'calm' },
  fenced: { word: 'Fenced', tone: 'busy' },
  missed: { word: 'Wake-up missed', tone: 'busy' },
  budget: { word: 'Over budget', tone: 'busy' },
  circuit: { word: 'Circuit', tone: 'busy' },
  crash: { word: 'Crashed', tone: 'bad' },
  error: { word: 'Fault', tone: 'bad' },
};
/** Phases of a start in a word; *Cold starts* has them in full. */
const PHASES: Readonly<Record<string, string>> = {
  instance: 'container',
  process: 'program',
  permit: 'leave',
  tls: 'TLS',
  signIn: 'sign-in',
  firstAnswer: 'until the first answer',
};
const SHOWN = 40;
const DAY_MS = 24 * 60 * 60_000;
const STRIP = { width: 1000, height: 22 };

/** Starts, stops and sign-ins with their reasons: newest first, over a strip of the last day. */
export function timeline(model: Model): TemplateResult {
  return panel(model, {
    id: 'timeline',
    title: 'Timeline',
    source: 'journal',
    body: ({ items }, fig) =>
      items.length === 0
        ? html`<p class="quiet">Nothing has happened yet.</p>`
        : html`${isAlone(model) ? nothing : strip(model, items, fig)}
            <ol class="events scroll" tabindex="0" aria-label="Events, newest first">
              ${items.slice(0, SHOWN).map((entry, i) => row(entry, i, fig))}
            </ol>`,
  });
}

function row({ event, phasesMs }: Entry, i: number, fig: Figures<'journal'>): TemplateResult {
  const { word, tone } = EVENTS[event];
  return html`<li class=${tone}>
    <span class="lamp" aria-hidden="true"></span>
    ${fig.time(`items.${i}.atMs`)}
    <b>${fig.value(`items.${i}.event`, () => word)}</b>
    <span class="why">${fig.value(`items.${i}.reason`)}</span>
    ${
      phasesMs === null
        ? nothing
        : html`<span class="phases"
            >${Object.keys(phasesMs).map(
              (phase) =>
                html`<span>${PHASES[phase] ?? phase} ${fig.value(`items.${i}.phasesMs.${phase}`, milliseconds)}</span>`,
            )}</span
          >`
    }
  </li>`;
}

/** When a container ran in the last day. */
function strip({ nowMs, told }: Model, items: readonly Entry[], fig: Figures<'journal'>): TemplateResult {
  const fromMs = nowMs - DAY_MS;
  const isRunning = told.status?.data?.container.state === 'running';
  const spans = awakeSpans(items, { fromMs, nowMs, isRunning });
  const x = (ms: number): number => ((ms - fromMs) / DAY_MS) * STRIP.width;
  const awakeMs = spans.reduce((sum, span) => sum + span.toMs - span.fromMs, 0);
  return html`<figure class="strip">
    <svg viewBox="0 0 ${STRIP.width} ${STRIP.height}" preserveAspectRatio="none" aria-hidden="true">
      <rect class="asleep" width=${STRIP.width} height=${STRIP.height} />
      ${spans.map(
        (span) =>
          svg`<rect class="awake" x=${x(span.fromMs)} width=${Math.max(2, x(span.toMs) - x(span.fromMs))} height=${STRIP.height} />${
            span.end === 'crash'
              ? svg`<rect class="crash" x=${x(span.toMs) - 2} width="4" height=${STRIP.height} />`
              : nothing
          }`,
      )}
    </svg>
    <figcaption>
      Awake ${fig.derived(duration(awakeMs), 'starts and ends in GET /admin/journal')} of the last
      ${fig.derived('24 h', 'the strip above')}
    </figcaption>
  </figure>`;
}
