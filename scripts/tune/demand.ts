import type { Span } from '../sleep/simulate.ts';
import { Arrivals, DAY_MS, HOUR_MS } from '../sleep/traces.ts';

const WEEK_DAYS = 7;
/** As in the replay: four weeks in which `learned` learns, then those that are counted. */
const LEARNING_DAYS = 28;
export const SPAN_DAYS = 56;
/** How many come within an hour in which some come is not known: neighbours of a desk's day. */
const REQUESTS_IN_HOUR = 6;
const SEED = 1;

/** When requests are to be expected. */
export interface Demand {
  /** By `hourOfWeek`: how likely it is that any come, 0…1. */
  readonly likelihoods: ReadonlyMap<number, number>;
  /** Where it is known from, in words. */
  readonly source: string;
}

/** Sunday 00:00 UTC = 0 … 167. */
export function hourOfWeek(ms: number): number {
  const date = new Date(ms);
  return date.getUTCDay() * 24 + date.getUTCHours();
}

/** Of single moments, by the weeks between the first and the last. */
export function demandOf(times: readonly number[], source: string): Demand {
  const weekOf = (ms: number): number => Math.floor(ms / (WEEK_DAYS * DAY_MS));
  const weeks = new Map<number, Set<number>>();
  for (const ms of times) {
    const hour = hourOfWeek(ms);
    weeks.set(hour, (weeks.get(hour) ?? new Set()).add(weekOf(ms)));
  }
  const first = Math.min(...times, Infinity);
  const last = Math.max(...times, -Infinity);
  const total = times.length === 0 ? 1 : Math.max(1, Math.ceil((last - first + 1) / (WEEK_DAYS * DAY_MS)));
  const likelihoods = new Map([...weeks].map(([hour, seen]) => [hour, Math.min(1, seen.size / total)]));
  return { likelihoods, source };
}

export function spanFrom(nowMs: number): Span {
  const fromMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
  return { fromMs, toMs: fromMs + (LEARNING_DAYS + SPAN_DAYS) * DAY_MS, countFromMs: fromMs + LEARNING_DAYS * DAY_MS };
}

/** Requests of the weeks to come as the likelihoods say; the same for the same likelihoods. */
export function requestsAhead({ likelihoods }: Demand, { fromMs, toMs }: Span): number[] {
  const arrivals = new Arrivals(SEED);
  for (let at = fromMs; at < toMs; at += HOUR_MS) {
    const comes = arrivals.random() < (likelihoods.get(hourOfWeek(at)) ?? 0);
    if (comes) arrivals.burst(at, REQUESTS_IN_HOUR, HOUR_MS);
  }
  return arrivals.times.sort((a, b) => a - b);
}
