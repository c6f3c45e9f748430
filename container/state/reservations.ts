import type { Sql, SqlRow } from './sql.ts';
import type { BeginDecision, BeginRequest } from './state-api.ts';

/**
 * Limits of a key, held against the broker's books as they were read and against everything that is on its way, in the
 * transaction that writes the row: orders that are sent side by side cannot pass a limit together.
 */

const DAY_MS = 86_400_000;
/** What was settled this long before the reading of the books began is in them. */
const SETTLED_MARGIN_MS = 1000;
/** On its way, or executed after the books were read. */
const COUNTED = `(state IN ('sending', 'pending', 'unknown') OR (state = 'done' AND settled_at_ms >= ?))`;

const units = (rows: readonly SqlRow[], name: string): bigint =>
  rows.reduce((sum, row) => sum + (typeof row[name] === 'string' ? BigInt(row[name]) : 0n), 0n);
/** 1/100 000 000 as a decimal. */
const decimal = (text: string): string => {
  const padded = text.padStart(9, '0');
  return `${padded.slice(0, -8)}.${padded.slice(-8)}`.replace(/\.?0+$/, '');
};

type OverLimit = Extract<BeginDecision, { kind: 'over_limit' }>;
const over = (limit: string, detail: string): OverLimit => ({ kind: 'over_limit', limit, detail });

/** The first limit that the request would exceed. Call it inside the transaction. */
export function overLimit(sql: Sql, request: BeginRequest, nowMs: number): OverLimit | undefined {
  const { limits, trade, amount } = request;
  if (!limits) return undefined;
  const sinceMs = nowMs - limits.readForMs - SETTLED_MARGIN_MS;
  if (trade && !trade.reduces) {
    const opening = sql.run(
      `SELECT symbol, side, volume FROM operations
         WHERE login = ? AND volume IS NOT NULL AND reduces IS NULL AND ${COUNTED}`,
      request.login,
      sinceMs,
    );
    const { maxPositions, maxExposure } = limits;
    if (maxPositions && maxPositions.held + opening.length + 1 > maxPositions.most)
      return over('maxPositions', `The key may hold at most ${maxPositions.most} positions and orders per account.`);
    const alike = opening.filter(({ symbol, side }) => symbol === request.symbol && side === trade.side);
    if (
      maxExposure &&
      BigInt(maxExposure.held) + units(alike, 'volume') + BigInt(trade.volume) > BigInt(maxExposure.most)
    )
      return over(
        'maxExposureLots',
        `The key may hold at most ${decimal(maxExposure.most)} lots of ${request.symbol ?? 'a symbol'} in one direction.`,
      );
  }
  if (trade?.reduces !== undefined && limits.reducible !== undefined) {
    const reducing = sql.run(
      `SELECT volume FROM operations WHERE login = ? AND reduces = ? AND ${COUNTED}`,
      request.login,
      trade.reduces,
      sinceMs,
    );
    if (units(reducing, 'volume') + BigInt(trade.volume) > BigInt(limits.reducible))
      return over('reduceOnly', 'The key may only make positions smaller, and more is on its way than is held.');
  }
  if (amount !== undefined && limits.maxAmountPerDay !== undefined) {
    const moved = sql.run(
      `SELECT amount FROM operations WHERE budget = ? AND amount IS NOT NULL AND created_at_ms > ?
         AND state NOT IN ('refused', 'not_executed')`,
      request.budget,
      nowMs - DAY_MS,
    );
    if (units(moved, 'amount') + BigInt(amount) > BigInt(limits.maxAmountPerDay))
      return over('maxAmountPerDay', `The key may move at most ${decimal(limits.maxAmountPerDay)} in 24 hours.`);
  }
  return undefined;
}
