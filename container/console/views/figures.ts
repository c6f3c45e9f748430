import { html, nothing, type TemplateResult } from 'lit/html.js';
import { clock, duration, type Zone } from '../format.ts';
import type { Answers, SourceName } from '../sources.ts';

/**
 * Every figure on the page is written here, from its place in the answer of its source, and carries both: a person sees
 * in its title where it is from, and a test compares it with what the bridge said.
 */

/** Places in a JSON value: `container.inFlight`, `items.3.reason`. */
type PathOf<T> = T extends readonly (infer Item)[]
  ? `${number}` | `${number}.${PathOf<NonNullable<Item>>}`
  : T extends object
    ? { [K in keyof T & string]: K | `${K}.${PathOf<NonNullable<T[K]>>}` }[keyof T & string]
    : never;

type ValueAt<T, Path extends string> = Path extends `${infer Key}.${infer Rest}`
  ? ValueAt<Child<T, Key>, Rest>
  : Child<T, Path>;
type Child<T, Key extends string> = T extends readonly (infer Item)[] ? Item : Key extends keyof T ? T[Key] : never;

const NOTHING = '–';

export interface Figures<Name extends SourceName> {
  /** The value at a place, written by `show`; `–` where there is none. */
  value<Path extends PathOf<Answers[Name]>>(
    path: Path,
    show?: (value: NonNullable<ValueAt<Answers[Name], Path>>) => string,
  ): TemplateResult;
  /** An instant in epoch ms. */
  time(path: PathOf<Answers[Name]>): TemplateResult;
  /** How long since an instant in epoch ms, or until it. */
  age(path: PathOf<Answers[Name]>): TemplateResult;
  /** Reckoned from more than one place of the answer; a unit test holds the reckoning. */
  derived(text: string, title: string): TemplateResult;
}

export interface Now {
  readonly nowMs: number;
  readonly zone: Zone;
}

export function figures<Name extends SourceName>(source: Name, data: Answers[Name], now: Now): Figures<Name> {
  const at = (path: string): unknown => placed(data, path);
  const instant = (path: string, text: (ms: number) => string): TemplateResult => {
    const ms = at(path);
    return typeof ms === 'number'
      ? html`<time datetime=${new Date(ms).toISOString()} title=${bothZones(ms)} data-source=${source} data-path=${path}
          >${text(ms)}</time
        >`
      : html`<data value="" data-source=${source} data-path=${path}>${NOTHING}</data>`;
  };
  return {
    value: (path, show) => {
      const value = at(path);
      const text = value === null || value === undefined ? NOTHING : show ? show(value as never) : plain(value);
      return html`<data
        value=${value === undefined || value === null ? '' : plain(value)}
        data-source=${source}
        data-path=${path}
        >${text}</data
      >`;
    },
    time: (path) => instant(path, (ms) => clock(ms, now.zone, now.nowMs)),
    age: (path) => instant(path, (ms) => duration(Math.abs(now.nowMs - ms))),
    derived: (text, title) => html`<data title=${title} data-source=${source}>${text}</data>`,
  };
}

/** A key may hold dots itself: what is there whole comes first. */
function placed(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, path)) return (value as Record<string, unknown>)[path];
  const [key = '', ...rest] = path.split('.');
  return rest.length === 0 ? undefined : placed((value as Record<string, unknown>)[key], rest.join('.'));
}

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** `2026-11-27 14:05:09 UTC · 16:05:09 local`. */
function bothZones(ms: number): string {
  const at = new Date(ms);
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC · ${at.toLocaleTimeString()} local`;
}

/** How old an answer is: a figure of the page itself. */
export const askedAge = (atMs: number, nowMs: number): TemplateResult =>
  html`<span data-source="page">${duration(nowMs - atMs)}</span>`;

/** One line of a list of terms. */
export const fact = (term: string, detail: unknown, isHidden = false): TemplateResult | typeof nothing =>
  isHidden
    ? nothing
    : html`<div>
        <dt>${term}</dt>
        <dd>${detail}</dd>
      </div>`;
