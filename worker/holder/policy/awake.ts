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

/** One reason to be awake; `untilMs` null = no end is known. */
interface Claim {
  readonly untilMs: number | null;
  readonly why: string;
}

/** Awake or asleep, until when, and why: everything that may keep the container awake is weighed here. */
export function decideAwake(facts: PolicyFacts): PolicyVerdict {
  const { nowMs, settings, trading } = facts;
  const planned = plan(facts);
  const ahead = planned === undefined ? undefined : planned.openMs - settings.warmLeadMs;
  const claims: Claim[] = [];
  if (planned !== undefined && ahead !== undefined && ahead <= nowMs)
    claims.push({ untilMs: planned.closeMs, why: planned.why });
  if (facts.unsettled > 0)
    claims.push({ untilMs: null, why: `${facts.unsettled} operations are unsettled: the broker's books are asked` });
  if (facts.streams > 0) {
    const open = trading?.currentOrNext(nowMs);
    const why = `${facts.streams} streams are open`;
    if (settings.policy === 'fixed' || trading === null) claims.push({ untilMs: null, why });
    else if (open !== undefined && open.openMs <= nowMs)
      claims.push({ untilMs: open.closeMs, why: `${why} and the market is, until ${utc(open.closeMs)}` });
  }
  const idleAtMs = facts.lastRequestMs === null ? nowMs : facts.lastRequestMs + settings.sleepAfterMs;
  if (idleAtMs > nowMs)
    claims.push({ untilMs: idleAtMs, why: `A request came at ${utc(idleAtMs - settings.sleepAfterMs)}` });

  if (claims.length === 0)
    return {
      awake: false,
      untilMs: null,
      wakesAtMs: ahead ?? null,
      why: `Nothing needs it${planned === undefined ? ': the next request starts it' : `. Next: ${planned.why}`}.`,
    };
  const untilMs = claims.some((claim) => claim.untilMs === null)
    ? null
    : Math.max(...claims.map((claim) => claim.untilMs ?? 0));
  const next = untilMs === null ? undefined : plan({ ...facts, nowMs: untilMs });
  return {
    awake: true,
    untilMs,
    wakesAtMs: next === undefined ? null : next.openMs - settings.warmLeadMs,
    why: `${claims.map(({ why }) => why).join('; ')}.`,
  };
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
  let { closeMs } = first;
  const shortestMs = settings.sleepAfterMs + settings.warmLeadMs;
  for (;;) {
    const next = trading.currentOrNext(closeMs);
    if (next === undefined || next.openMs - closeMs > shortestMs || closeMs - nowMs > WEEK_HOURS * HOUR_MS) break;
    closeMs = next.closeMs;
  }
  const openMs = first.openMs - nowMs <= shortestMs ? Math.min(first.openMs, nowMs) : first.openMs;
  return { openMs, closeMs, why: `trading hours from ${utc(first.openMs)} to ${utc(closeMs)}` };
}

/** The hours in which a request is likely, from the current one on; those in a row are one. */
function usualHours({ use, settings, nowMs }: PolicyFacts): Plan | undefined {
  const isUsual = (hour: number): boolean => use.likelihood(hour * HOUR_MS) >= settings.learnedThreshold;
  const current = Math.floor(nowMs / HOUR_MS);
  let first = current;
  while (!isUsual(first)) if (++first - current > WEEK_HOURS) return undefined;
  let end = first + 1;
  while (end - first < WEEK_HOURS && isUsual(end)) end++;
  const [openMs, closeMs] = [first * HOUR_MS, end * HOUR_MS];
  return { openMs, closeMs, why: `requests usually come from ${utc(openMs)} to ${utc(closeMs)}` };
}

const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
