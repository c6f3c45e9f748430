import { type TradingCalendar, tradingCalendarSchema } from '../../container/contract/trading-calendar.ts';
import type { Activity } from '../../container/contract/control.ts';
import type { Journal } from '../../container/state/journal.ts';
import {
  decideAwake,
  LEARNED_THRESHOLD,
  type PolicyFacts,
  type PolicySettings,
  type PolicyVerdict,
  SLEEP_POLICIES,
} from './policy/awake.ts';
import { type CronFiring, cronRecordSchema, CronWatch } from './policy/cron-watch.ts';
import { type Missed, MissedOnes } from './missed.ts';
import type { StatusWarning } from '../../container/contract/routes/server.ts';
import { TradingHours } from './policy/trading-hours.ts';
import { type UsualHour, WeeklyUse, weeklyUseSchema } from './policy/weekly-use.ts';

const CALENDAR_KEY = 'bridge:calendar';
const USE_KEY = 'bridge:weekly-use';
const WAKE_KEY = 'bridge:wakes-at';
const CRONS_KEY = 'bridge:crons';
/** An alarm may fire tens of seconds late (workerd#6866); later than this it was missed. */
const LATE_MS = 60_000;
/** After an end that the policy did not want, and after a wake-up that failed. */
const RETRY_MS = 10_000;

export interface WakefulnessParts {
  readonly kv: Pick<SyncKvStorage, 'get' | 'put' | 'delete'>;
  readonly settings: PolicySettings;
  readonly journal: Pick<Journal, 'write'>;
  readonly now: () => number;
  readonly activity: () => Pick<Activity, 'streams' | 'unsettled'> | null;
  /** Calls `wake` of the Durable Object after so long, instead of whenever it was to be called. */
  readonly schedule: (delayMs: number) => Promise<void>;
}

export interface PolicyView extends PolicyVerdict {
  readonly policy: PolicySettings['policy'];
  /** Symbols whose trading hours are known; null = the broker has not been asked yet. */
  readonly symbols: readonly string[] | null;
  readonly calendar: TradingCalendar | null;
  readonly usualHours: readonly UsualHour[];
  readonly missed: readonly Missed[];
}

/** What the sleep policy (policy/awake.ts) knows, kept over restarts, and its wake-ups. */
export class Wakefulness {
  readonly #parts: WakefulnessParts;
  readonly #use: WeeklyUse;
  readonly #missed: MissedOnes;
  readonly #crons: CronWatch;
  #calendar: TradingCalendar | null;
  #trading: TradingHours | null;
  #lastRequestMs: number | null = null;
  /** When the next wake-up is scheduled for. */
  #wakesAtMs: number | undefined;

  constructor(parts: WakefulnessParts) {
    this.#parts = parts;
    // What another version wrote may not be readable any more: it is learnt again.
    this.#calendar = tradingCalendarSchema.safeParse(parts.kv.get(CALENDAR_KEY)).data ?? null;
    this.#trading = this.#calendar && new TradingHours(this.#calendar);
    this.#use = new WeeklyUse(parts.now(), weeklyUseSchema.safeParse(parts.kv.get(USE_KEY)).data);
    this.#wakesAtMs = parts.kv.get<number>(WAKE_KEY);
    this.#missed = new MissedOnes(parts);
    this.#crons = new CronWatch({
      record: cronRecordSchema.safeParse(parts.kv.get(CRONS_KEY)).data ?? {},
      write: (record) => parts.kv.put(CRONS_KEY, record),
      missed: (dueMs, reason) => this.#missed.note({ what: 'cron', dueMs, reason }),
    });
  }

  /** A request or a stream came from outside. */
  async requested(): Promise<void> {
    const nowMs = this.#parts.now();
    this.#lastRequestMs = nowMs;
    if (this.#use.note(nowMs)) this.#parts.kv.put(USE_KEY, this.#use.record);
    await this.look();
  }

  cronFired(firing: CronFiring): void {
    this.#crons.fired(firing);
  }

  /** Whoever comes looks whether what was to come before has come. A wake-up that was missed is made up for. */
  async look(): Promise<void> {
    const nowMs = this.#parts.now();
    this.#crons.look(nowMs);
    const dueMs = this.#wakesAtMs;
    if (dueMs === undefined || nowMs < dueMs + LATE_MS) return;
    this.#missed.note({ what: 'wake_up', dueMs, reason: `The wake-up at ${iso(dueMs)} did not come.` });
    const { awake, wakesAtMs } = this.#plan();
    await this.#wakeAt(awake ? nowMs : wakesAtMs);
  }

  learn(calendar: TradingCalendar): void {
    if (JSON.stringify(calendar) === JSON.stringify(this.#calendar)) return;
    this.#parts.kv.put(CALENDAR_KEY, calendar);
    this.#calendar = calendar;
    this.#trading = new TradingHours(calendar);
  }

  /** What the policy says now. */
  verdict(): PolicyVerdict {
    return this.#decide({ ...this.#activity(), lastRequestMs: this.#lastRequestMs });
  }

  /** The same when the time without a request has run out, which the library counts. */
  idleVerdict(): PolicyVerdict {
    return this.#decide({ ...this.#activity(), lastRequestMs: null });
  }

  /** No channel, so nobody vouches for open streams. */
  #activity(): Pick<Activity, 'streams' | 'unsettled'> {
    const { streams, unsettled } = this.#parts.activity() ?? { streams: 0, unsettled: 0 };
    return { streams, unsettled };
  }

  #decide(claims: Pick<PolicyFacts, 'streams' | 'unsettled' | 'lastRequestMs'>): PolicyVerdict {
    return decideAwake({
      nowMs: this.#parts.now(),
      settings: this.#parts.settings,
      trading: this.#trading,
      use: this.#use,
      ...claims,
    });
  }

  warnings(): StatusWarning[] {
    return this.#missed.warnings();
  }

  view(): PolicyView {
    const symbols = this.#calendar?.markets.flatMap((market) => market.symbols) ?? null;
    return {
      policy: this.#parts.settings.policy,
      symbols,
      calendar: this.#calendar,
      usualHours: this.#use.usualHours(this.#parts.now()),
      missed: this.#missed.latest,
      ...this.verdict(),
    };
  }

  /** The container has ended. @param wanted the policy or an administrator asked for it: not to be woken at once */
  async ended(wanted: boolean): Promise<void> {
    const nowMs = this.#parts.now();
    const dueMs = this.#wakesAtMs;
    // This object may have been made by the very alarm that is to wake the container.
    if (dueMs !== undefined && nowMs < dueMs + LATE_MS) return;
    if (dueMs !== undefined) return this.look();
    const { awake, wakesAtMs } = this.#plan();
    await this.#wakeAt(awake && !wanted ? nowMs + RETRY_MS : wakesAtMs);
  }

  /** The scheduled moment has come. @returns whether the container is to be started */
  async due(): Promise<boolean> {
    const { now } = this.#parts;
    const dueMs = this.#wakesAtMs;
    this.#remember(undefined);
    if (dueMs !== undefined && now() > dueMs + LATE_MS) {
      const lateS = Math.round((now() - dueMs) / 1000);
      this.#missed.note({ what: 'wake_up', dueMs, reason: `The wake-up at ${iso(dueMs)} came ${lateS} s late.` });
    }
    const { awake, wakesAtMs } = this.#plan();
    // The calendar has changed since.
    if (!awake) await this.#wakeAt(wakesAtMs);
    return awake;
  }

  async failed(reason: string): Promise<void> {
    const dueMs = this.#parts.now();
    this.#missed.note({ what: 'wake_up', dueMs, reason: `The wake-up failed, and is tried again: ${reason}` });
    await this.#wakeAt(dueMs + RETRY_MS);
  }

  /** The calendar or the usual hours are known and say that it is not time: a cron changes nothing then. */
  sleepsByPlan(): boolean {
    const { awake, wakesAtMs } = this.#plan();
    return !awake && wakesAtMs !== null;
  }

  /** What it would say if nobody wanted anything: the calendar or the usual hours alone. */
  #plan(): PolicyVerdict {
    return this.#decide({ streams: 0, unsettled: 0, lastRequestMs: null });
  }

  async #wakeAt(atMs: number | null): Promise<void> {
    const { now, schedule } = this.#parts;
    this.#remember(atMs ?? undefined);
    if (atMs !== null) await schedule(Math.max(0, atMs - now()));
  }

  #remember(wakesAtMs: number | undefined): void {
    this.#wakesAtMs = wakesAtMs;
    if (wakesAtMs === undefined) this.#parts.kv.delete(WAKE_KEY);
    else this.#parts.kv.put(WAKE_KEY, wakesAtMs);
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** Of the Worker's variables, which the door has checked; what is not valid is as if it were not there. */
export function policySettings(env: Readonly<Record<string, unknown>>, sleepAfter: string): PolicySettings {
  const lead = env['WARM_LEAD_SECONDS'];
  return {
    policy: SLEEP_POLICIES.find((name) => name === env['SLEEP_POLICY']) ?? 'calendar',
    sleepAfterMs: Number(sleepAfter.slice(0, -1)) * (UNIT_MS[sleepAfter.slice(-1)] ?? 0),
    warmLeadMs: typeof lead === 'string' && /^\d{1,4}$/.test(lead) ? Number(lead) * 1000 : 60_000,
    learnedThreshold: LEARNED_THRESHOLD,
  };
}
