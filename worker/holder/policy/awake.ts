import type { Window } from '../../../container/contract/trading-calendar.ts';
import type { TradingHours } from './trading-hours.ts';
import { HOUR_MS, type WeeklyUse } from './weekly-use.ts';

export const SLEEP_POLICIES = ['calendar', 'learned', 'fixed'] as const;

export interface PolicySettings {
  /**
   * `calendar`: awake in the broker's trading hours. `learned`: in the hours of the week in which requests usually
   * come. `fixed`: after requests only. Each also stays for `sleepAfterMs` after a request.
   */
  readonly policy: (typeof SLEEP_POLICIES)[number];
  readonly sleepAfterMs: number;
  /** How long before it is needed the container is started. */
  readonly warmLeadMs: number;
  /** `learned`: how likely a request must be for an hour to be spent awake, 0…1. */
  readonly learnedThreshold: number;
}

export interface PolicyFacts {
  readonly nowMs: number;
  readonly settings: PolicySettings;
  /** `null` = the broker has not told its calendar yet. */
  readonly trading: TradingHours | null;
  readonly use: WeeklyUse;
  readonly streams: number;
  readonly unsettled: number;
  readonly lastRequestMs: number | null;
}

export interface PolicyVerdict {
  readonly awake: boolean;
  /** Earliest sleep if nothing else happens, epoch ms; `null` when asleep, or for as long as what `why` names lasts. */
  readonly untilMs: number | null;
  /** The next start by the policy itself after that sleep; `null` = the next request starts it. */
  readonly wakesAtMs: number | null;
  /** In words, for people. */
  readonly why: string;
}

/** Chosen by `npm run sleep:replay -- --tune` (scripts/sleep/results/sleep.md). */
export const LEARNED_THRESHOLD = 0.55;
/** `learned` follows the calendar until it has seen each hour of the week so often. */
const LEARNED_AFTER_WEEKS = 2;
const WEEK_HOURS = 168;

/** An end that lies further ahead is none: markets that pause for minutes only never close. */
const LOOK_AHEAD_MS = 4 * WEEK_HOURS * HOUR_MS;

/** One reason to be awake; `untilMs` Infinity = no end is known. */
interface Claim {
  readonly untilMs: number;
  readonly why: string;
}

/** Awake or asleep, until when, and why: everything that may keep the container awake is weighed here. */
export function decideAwake(facts: PolicyFacts): PolicyVerdict {
  const claims = claimsOf(facts);
  if (claims.length === 0) {
    const planned = plan(facts);
    return {
      awake: false,
      untilMs: null,
      wakesAtMs: wakesAfter(facts),
      why: `Nothing needs it${planned === undefined ? ': the next request starts it' : `. Next: ${planned.why}`}.`,
    };
  }
  const untilMs = endOf(claims, facts);
  return {
    awake: true,
    untilMs,
    wakesAtMs: untilMs === null ? null : wakesAfter({ ...facts, nowMs: untilMs }),
    why: sentence(claims.map(({ why }) => why).join('; ')),
  };
}

function claimsOf(facts: PolicyFacts): Claim[] {
  const { nowMs, settings, trading, lastRequestMs } = facts;
  const claims: Claim[] = [];
  const planned = plan(facts);
  if (planned !== undefined && planned.openMs - settings.warmLeadMs <= nowMs)
    claims.push({ untilMs: planned.closeMs, why: planned.why });
  if (facts.unsettled > 0)
    claims.push({
      untilMs: Infinity,
      why: `${counted(facts.unsettled, 'operation')} unsettled: the broker's books are asked`,
    });
  if (facts.streams > 0) {
    const open = tradingPlan(facts);
    const why = `${counted(facts.streams, 'stream')} open`;
    if (settings.policy === 'fixed' || trading === null) claims.push({ untilMs: Infinity, why });
    else if (open !== undefined && open.openMs - settings.warmLeadMs <= nowMs)
      claims.push({ untilMs: open.closeMs, why: `${why} in ${open.why}` });
  }
  const idleAtMs = lastRequestMs === null ? nowMs : lastRequestMs + settings.sleepAfterMs;
  if (idleAtMs > nowMs)
    claims.push({ untilMs: idleAtMs, why: `a request came at ${utc(idleAtMs - settings.sleepAfterMs)}` });
  return claims;
}

/** When nothing claims it any more, if nothing else happens: where one claim ends, another may have begun. */
function endOf(claims: readonly Claim[], facts: PolicyFacts): number | null {
  let endMs = facts.nowMs;
  for (let left = claims; left.length > 0; left = claimsOf({ ...facts, nowMs: endMs })) {
    endMs = Math.max(...left.map(({ untilMs }) => untilMs));
    if (endMs - facts.nowMs > LOOK_AHEAD_MS) return null;
  }
  return endMs;
}

/** Of a container that sleeps from `nowMs` on. */
function wakesAfter(facts: PolicyFacts): number | null {
  const { settings, streams } = facts;
  // Clients of streams are served again when the market opens, whenever requests usually come.
  const plans = [plan(facts), streams > 0 && settings.policy !== 'fixed' ? tradingPlan(facts) : undefined];
  const openMs = Math.min(...plans.map((one) => one?.openMs ?? Infinity));
  return openMs === Infinity ? null : openMs - settings.warmLeadMs;
}

interface Plan extends Window {
  readonly why: string;
}

/** The time that the policy wants to be awake, now or next, whatever happens. */
function plan(facts: PolicyFacts): Plan | undefined {
  const { settings, use, nowMs } = facts;
  if (settings.policy === 'fixed') return undefined;
  if (settings.policy === 'learned' && use.weeksBefore(nowMs) >= LEARNED_AFTER_WEEKS) return usualHours(facts);
  return tradingPlan(facts);
}

function tradingPlan({ trading, settings, nowMs }: PolicyFacts): Plan | undefined {
  const first = trading?.currentOrNext(nowMs);
  if (trading === null || first === undefined) return undefined;
  // A pause shorter than the time-out is not worth a stop and a start.
  const shortestMs = settings.sleepAfterMs + settings.warmLeadMs;
  const before = trading.currentOrNext(nowMs - shortestMs) ?? first;
  const openMs = first.openMs - before.closeMs <= shortestMs ? before.openMs : first.openMs;
  let { closeMs } = first;
  while (closeMs - nowMs <= WEEK_HOURS * HOUR_MS) {
    const next = trading.currentOrNext(closeMs);
    if (next === undefined || next.openMs - closeMs > shortestMs) break;
    closeMs = next.closeMs;
  }
  return { openMs, closeMs, why: `trading hours${since(openMs)}${until(closeMs)}` };
}

/** The hours in which a request is likely, from the current one on; those in a row are one. */
function usualHours({ use, settings, nowMs }: PolicyFacts): Plan | undefined {
  const isUsual = (hour: number): boolean => use.likelihood(hour * HOUR_MS) >= settings.learnedThreshold;
  const current = Math.floor(nowMs / HOUR_MS);
  let first = current;
  while (!isUsual(first)) if (++first - current > WEEK_HOURS) return undefined;
  let end = first + 1;
  while (end - first < WEEK_HOURS && isUsual(end)) end++;
  const openMs = first * HOUR_MS;
  const closeMs = end - first === WEEK_HOURS ? Infinity : end * HOUR_MS;
  return { openMs, closeMs, why: `requests usually come${since(openMs)}${until(closeMs)}` };
}

/** `1 stream is`, `2 streams are`. */
const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? ' is' : 's are'}`;

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const since = (ms: number): string => (ms === -Infinity ? '' : ` from ${utc(ms)}`);
const until = (ms: number): string => (ms === Infinity ? ' around the clock' : ` until ${utc(ms)}`);

const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
