import { z } from 'zod';
import { asBridgeError } from '../../contract/errors.ts';
import type { Journal } from '../journal.ts';
import { SETTING_NAMES, type StoredSettings } from '../stored-settings.ts';
import type { BillLine } from './bill.ts';
import { monthToDate, type MonthToDate } from './month-to-date.ts';
import type { InstanceType } from './prices.ts';
import { type Counts, Usage } from './usage.ts';

/** All that the journal keeps. */
const MOST_ENTRIES = 2000;
/** What a month will cost is not told by its first hours. */
const PROJECTED_AFTER_MS = 24 * 3_600_000;

export interface CostSettings {
  readonly instanceType: InstanceType;
  /** A month, the plan included; `null` = none. */
  readonly budgetUsd: number | null;
}

export interface CostParts {
  /** `null`: alone on a VPS, which Cloudflare does not bill. */
  readonly settings: CostSettings | null;
  readonly stored: StoredSettings;
  readonly journal: Journal;
  readonly now: () => number;
  /** The budget is passed, or will be. Nothing stops by it. */
  readonly onWarning: (reason: string) => void;
}

export const BUDGET_STATES = ['within', 'projected', 'passed'] as const;
type BudgetState = (typeof BUDGET_STATES)[number];

const toldSchema = z.object({
  month: z.string(),
  state: z.enum(['projected', 'passed']),
  sinceMs: z.number(),
  reason: z.string(),
});

/** The bill of the month so far on Cloudflare, and whether it stays within the budget. */
export class Cost {
  readonly #parts: CostParts;
  readonly #usage: Usage;

  constructor(parts: CostParts) {
    this.#parts = parts;
    this.#usage = new Usage(parts.stored, parts.now);
  }

  /** Adds to what is counted; about once a minute the budget is looked at. Never throws for a memory that fails. */
  count(counts: Counts): void {
    try {
      if (this.#usage.add(counts)) this.#look();
    } catch (error) {
      if (asBridgeError(error).code !== 'state_unavailable') throw error;
    }
  }

  /** Tells once a month that the budget will be passed at this pace, and once that it is. */
  #look(): void {
    const { settings, stored, journal, now, onWarning } = this.#parts;
    if (settings === null || settings.budgetUsd === null) return;
    const { budgetUsd, instanceType } = settings;
    const bill = this.#bill(instanceType);
    const state = this.#budgetState(bill);
    if (state === 'within') return;
    const told = this.warning();
    if (told !== null && (told.state === state || told.state === 'passed')) return;
    const budget = `BUDGET_USD, ${budgetUsd.toFixed(2)} USD`;
    const reason =
      state === 'passed'
        ? `The month so far costs ${bill.monthToDateUsd} USD by list prices: more than ${budget}. Everything goes on.`
        : `At this pace the month costs ${bill.atThisPaceUsd} USD by list prices: more than ${budget}. Everything goes on.`;
    stored.write(SETTING_NAMES.budget, { month: this.#month, state, sinceMs: now(), reason });
    journal.write({ event: 'budget', reason, instanceId: null, epoch: null, phasesMs: null });
    onWarning(reason);
  }

  /** Of this month (UTC). */
  warning(): { readonly state: 'projected' | 'passed'; readonly sinceMs: number; readonly reason: string } | null {
    const told = this.#parts.stored.read(SETTING_NAMES.budget, toldSchema);
    return told?.month === this.#month && this.#budgetUsd !== null ? told : null;
  }

  /** @param asked as it is configured when left out */
  async monthToDate(asked?: InstanceType): Promise<CostAnswer> {
    const { settings } = this.#parts;
    const billedBy = settings === null ? 'host' : 'cloudflare';
    const instanceType = asked ?? settings?.instanceType;
    const { elapsedMs: _, ...bill } = this.#bill(instanceType ?? 'basic');
    // Whoever rents the machine knows its price: what Cloudflare would bill is told to who asks for it.
    if (instanceType === undefined) return { billedBy, instanceType: null, ...bill, ...NO_BILL, budget: null };
    const budgetUsd = this.#budgetUsd;
    const budget =
      settings === null || budgetUsd === null
        ? null
        : { usd: budgetUsd.toFixed(2), state: this.#budgetState(this.#bill(settings.instanceType)) };
    return { billedBy, instanceType, ...bill, budget };
  }

  #bill(instanceType: InstanceType): MonthToDate {
    const { journal, now } = this.#parts;
    return monthToDate(journal.read(MOST_ENTRIES), this.#usage.thisMonth(), instanceType, now());
  }

  #budgetState({ monthToDateUsd, atThisPaceUsd, elapsedMs }: MonthToDate): BudgetState {
    const budgetUsd = this.#budgetUsd ?? Infinity;
    if (Number(monthToDateUsd) > budgetUsd) return 'passed';
    return elapsedMs >= PROJECTED_AFTER_MS && Number(atThisPaceUsd) > budgetUsd ? 'projected' : 'within';
  }

  get #budgetUsd(): number | null {
    return this.#parts.settings?.budgetUsd ?? null;
  }

  get #month(): string {
    return new Date(this.#parts.now()).toISOString().slice(0, 7);
  }
}

const NO_BILL = { monthToDateUsd: '0.00', atThisPaceUsd: '0.00', lines: [] as BillLine[] };

export interface CostAnswer extends Omit<MonthToDate, 'elapsedMs' | 'lines'> {
  readonly billedBy: 'cloudflare' | 'host';
  readonly instanceType: InstanceType | null;
  readonly lines: BillLine[];
  readonly budget: { readonly usd: string; readonly state: BudgetState } | null;
}
