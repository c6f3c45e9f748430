import type { Sql } from './sql.ts';
import type { WaitingOperations } from './state-api.ts';

/** By the index of states: those that wait are few, whatever the ledger holds. */
export function waitingOperations(sql: Sql): WaitingOperations {
  const rows = sql.run(
    `SELECT state = 'unresolved' AS lost, trading, count(*) AS n FROM operations
      WHERE state IN ('pending', 'unknown', 'unresolved') GROUP BY 1, 2`,
  );
  const count = (wanted: (row: (typeof rows)[number]) => boolean): number =>
    rows.filter(wanted).reduce((sum, { n }) => sum + Number(n), 0);
  return {
    unsettled: count(({ lost }) => lost === 0),
    needLook: {
      orders: count(({ lost, trading }) => lost === 1 && trading === 1),
      others: count(({ lost, trading }) => lost === 1 && trading !== 1),
    },
  };
}
