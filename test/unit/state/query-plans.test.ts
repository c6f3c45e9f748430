import { beforeEach, expect, it } from 'vitest';
import { SqliteFile } from '../../../container/host/sqlite-file.ts';
import { BridgeState } from '../../../container/state/bridge-state.ts';
import type { Sql, SqlRow, SqlValue } from '../../../container/state/sql.ts';
import type { BeginRequest } from '../../../container/state/state-api.ts';

/**
 * Found by the soak: a look at a ledger of 3,000 operations without an index, once for each of 3,000 tags, stopped the
 * process (and the Durable Object with everybody's requests) for ten seconds. A ledger grows to millions of rows.
 */

/** Every statement that was run, and what SQLite does for it. */
class Explained implements Sql {
  readonly plans = new Map<string, readonly string[]>();
  readonly #sql = SqliteFile.open('memory:');

  run(statement: string, ...parameters: SqlValue[]): SqlRow[] {
    if (/^\s*(SELECT|UPDATE|DELETE)/i.test(statement))
      this.plans.set(
        statement.replaceAll(/\s+/g, ' ').trim(),
        this.#sql.run(`EXPLAIN QUERY PLAN ${statement}`, ...parameters).map(({ detail }) => String(detail)),
      );
    return this.#sql.run(statement, ...parameters);
  }

  transaction<T>(body: () => T): T {
    return this.#sql.transaction(body);
  }
}

let sql: Explained;
let state: BridgeState;
beforeEach(() => {
  sql = new Explained();
  state = new BridgeState(sql);
  // What is done once, when a file is opened, may look at everything.
  sql.plans.clear();
});

const request = (key: string, changes: Partial<BeginRequest> = {}): BeginRequest => ({
  caller: 'desk',
  key,
  kind: 'order',
  tag: `tag-${key}`,
  login: 1001,
  fingerprint: 'f1',
  request: '{}',
  instanceId: 'a',
  deadlineAtMs: Date.now() + 10_000,
  trading: true,
  budget: 'desk',
  ...changes,
});

it('no statement of a running bridge goes through the whole ledger', async () => {
  const { operations } = state;
  await operations.begin(request('1'));
  await operations.waiting();
  const limits = {
    ordersPerMinute: 5,
    maxPositions: { most: 5, held: 0 },
    maxExposure: { most: '1000', held: '0' },
    reducible: '1000',
    maxAmountPerDay: '1000',
    readForMs: 10,
  };
  const trade = { side: 'buy', volume: '100' } as const;
  await operations.begin(request('2', { symbol: 'EURUSD', trade, limits }));
  await operations.begin(request('3', { symbol: 'EURUSD', trade: { ...trade, reduces: '7' }, limits }));
  await operations.begin(request('4', { amount: '10', limits }));
  await operations.recall('desk', '1', 'f1');
  await operations.move('desk', '1', { to: 'unknown' });
  await operations.move('desk', '1', { to: 'done', answer: { status: 200, body: '{}' } });
  await operations.drop('desk', '2', 'tag-2');
  await operations.get('desk', '1');
  await operations.parts('desk', '1');
  await operations.list({ limit: 10 });
  await operations.list({ limit: 10, caller: 'desk' });
  await operations.list({ limit: 10, caller: 'desk', state: 'done' });
  await operations.list({ limit: 10, login: 1001 });
  await operations.unsettled(10);
  await operations.orphan('b');
  await operations.latest();
  expect(await operations.unknownTags(['tag-1', 'tag-none'])).toEqual(['tag-none']);
  expect(sql.plans.size).toBeGreaterThan(10);
  const scans = [...sql.plans].filter(([, plan]) =>
    // In the order of its rows, with a limit, is no going through all.
    plan.some((step) => /^SCAN operations(?! USING (COVERING )?INDEX)/.test(step)),
  );
  const inOrder = scans.filter(([statement]) => !/ORDER BY id( DESC)? LIMIT/i.test(statement));
  expect(inOrder).toEqual([]);
});
