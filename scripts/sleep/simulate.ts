import type { PolicyVerdict } from '../../worker/holder/policy/awake.ts';

/** A cold start on `basic`, sign-in included, on a real engine (README, "What it costs"). */
export const COLD_START_MS = 1400;
/** The program drains within ten seconds of SIGTERM; it is billed until it ends. */
export const DRAIN_MS = 10_000;

/** What a policy says at a moment; `note` tells it of a request. */
export interface Strategy {
  readonly name: string;
  decide(nowMs: number, lastRequestMs: number | null): Pick<PolicyVerdict, 'awake' | 'untilMs' | 'wakesAtMs'>;
  note?(nowMs: number): void;
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  /** From here on it is counted; before it a policy may learn. */
  readonly countFromMs: number;
}

export interface Outcome {
  readonly requests: number;
  readonly coldInTrading: number;
  readonly coldOutside: number;
  /** What the policy added to each request's time, the 95th percentile. */
  readonly addedP95Ms: number;
  readonly awakeMs: number;
  /** Of the time counted. */
  readonly spanMs: number;
}

/** Plays requests against a policy. A request that finds nothing running is a cold hit; those behind it wait with it. */
export function simulate(
  strategy: Strategy,
  requests: readonly number[],
  span: Span,
  isTrading: (ms: number) => boolean,
): Outcome {
  const tally = new Tally(span, isTrading);
  let lastRequestMs: number | null = null;
  let nowMs = span.fromMs;
  let verdict = strategy.decide(nowMs, null);
  if (verdict.awake) tally.starts(nowMs);
  for (let i = 0; ;) {
    const request = requests[i] ?? Infinity;
    const change = (verdict.awake ? verdict.untilMs : verdict.wakesAtMs) ?? Infinity;
    nowMs = Math.min(request, change);
    if (nowMs >= span.toMs) break;
    const wasAwake = verdict.awake;
    if (request <= change) {
      i++;
      tally.request(request, wasAwake);
      strategy.note?.(request);
      lastRequestMs = request;
      // It only stays longer: asked again when it would have gone to sleep.
      if (wasAwake) continue;
    }
    verdict = strategy.decide(nowMs, lastRequestMs);
    if (verdict.awake && !wasAwake) tally.starts(nowMs);
    if (!verdict.awake && wasAwake) tally.ends(nowMs + DRAIN_MS);
  }
  return tally.outcome();
}

class Tally {
  readonly #span: Span;
  readonly #isTrading: (ms: number) => boolean;
  readonly #addedMs: number[] = [];
  #coldInTrading = 0;
  #coldOutside = 0;
  #awakeMs = 0;
  #sinceMs: number | null = null;
  #readyAtMs = 0;

  constructor(span: Span, isTrading: (ms: number) => boolean) {
    this.#span = span;
    this.#isTrading = isTrading;
  }

  starts(atMs: number): void {
    this.#sinceMs = atMs;
    this.#readyAtMs = atMs + COLD_START_MS;
  }

  ends(atMs: number): void {
    const { countFromMs, toMs } = this.#span;
    if (this.#sinceMs !== null) {
      const lastedMs = Math.min(atMs, toMs) - Math.max(this.#sinceMs, countFromMs);
      this.#awakeMs += Math.max(0, lastedMs);
    }
    this.#sinceMs = null;
  }

  request(atMs: number, isAwake: boolean): void {
    if (atMs < this.#span.countFromMs) return;
    this.#addedMs.push(isAwake ? Math.max(0, this.#readyAtMs - atMs) : COLD_START_MS);
    if (isAwake) return;
    if (this.#isTrading(atMs)) this.#coldInTrading++;
    else this.#coldOutside++;
  }

  outcome(): Outcome {
    this.ends(this.#span.toMs);
    const sorted = this.#addedMs.sort((a, b) => a - b);
    return {
      requests: sorted.length,
      coldInTrading: this.#coldInTrading,
      coldOutside: this.#coldOutside,
      addedP95Ms: sorted[Math.floor(sorted.length * 0.95)] ?? 0,
      awakeMs: this.#awakeMs,
      spanMs: this.#span.toMs - this.#span.countFromMs,
    };
  }
}

/** Who knows the future starts just in time, and sleeps wherever that is cheaper than to wait: the least that serves all. */
export function optimum(requests: readonly number[], span: Span): Outcome {
  const counted = requests.filter((at) => at >= span.countFromMs && at < span.toMs);
  let awakeMs = 0;
  for (const [i, at] of counted.entries())
    awakeMs += Math.min((counted[i + 1] ?? Infinity) - at, COLD_START_MS + DRAIN_MS);
  const spanMs = span.toMs - span.countFromMs;
  return { requests: counted.length, coldInTrading: 0, coldOutside: 0, addedP95Ms: 0, awakeMs, spanMs };
}
