/** A bound that an account's money is beyond. */
export type CrossedBound = 'marginLevel' | 'drawdown';

/**
 * A row of the topic `equity`: an account that crossed a bound of its subscription. Decimals as text, amounts in the
 * account's currency. `entered`: beyond a bound, and it was beyond none · `changed`: beyond another one as well, or beyond
 * one less · `left`: beyond none any more, or the account left the group. In a snapshot, without `event`: who is beyond one.
 */
export interface EquityRow {
  readonly event?: 'entered' | 'changed' | 'left';
  readonly login: number;
  readonly crossed: readonly CrossedBound[];
  readonly equity: string | null;
  readonly margin: string | null;
  /** Percent. An account without margin has no margin level that could be low. */
  readonly marginLevel: string | null;
  /** Equity at the day's start: `EquityPrevDay`. The rest is null where the broker has none (a new account), or nobody asked. */
  readonly equityPreviousDay: string | null;
  /** Lost since the day's start; deposits and withdrawals of the day count as they do in equity. Negative = gained. */
  readonly drawdown: string | null;
  /** Of the equity at the day's start, cut after two places. */
  readonly drawdownPercent: string | null;
}
