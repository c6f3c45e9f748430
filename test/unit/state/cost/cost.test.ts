import { expect, it } from 'vitest';
import { SqliteFile } from '../../../../container/host/sqlite-file.ts';
import { BridgeState } from '../../../../container/state/bridge-state.ts';

const at = (text: string): number => Date.parse(`${text}Z`);

function running(budgetUsd: number | null) {
  const file = SqliteFile.open('memory:');
  const warnings: string[] = [];
  const clock = { nowMs: at('2026-11-01T00:00') };
  const open = (): BridgeState =>
    new BridgeState(file, {
      now: () => clock.nowMs,
      cost: { instanceType: 'basic', budgetUsd },
      warn: (message) => warnings.push(message),
    });
  let state = open();
  state.journal.write({ event: 'start', reason: 'request', instanceId: 'a', epoch: null, phasesMs: null });
  return {
    clock,
    warnings,
    count: (time: string): void => {
      clock.nowMs = at(time);
      state.cost.count({ objectRequests: 1 });
    },
    restart: (): void => void (state = open()),
    cost: () => state.cost.monthToDate(),
    state: () => state,
    budgetEvents: async () =>
      (await state.journal.list(100)).filter(({ event }) => event === 'budget').map(({ reason }) => reason),
  };
}

it('tells once that the month will cost more than the budget, once that it does, and begins anew with the next', async () => {
  const { count, restart, cost, state, budgetEvents, warnings } = running(10);
  // Always on, basic: 12.78 a month. The first hours tell nothing of it.
  count('2026-11-01T23:00');
  expect((await cost()).budget).toEqual({ usd: '10.00', state: 'within' });
  count('2026-11-02T01:00');
  restart();
  count('2026-11-03T01:00');
  expect(await budgetEvents()).toEqual([expect.stringMatching(/^At this pace the month costs 12\.\d\d USD/)]);
  expect(state().cost.warning()).toMatchObject({ state: 'projected', sinceMs: at('2026-11-02T01:00') });
  count('2026-11-27T00:00');
  restart();
  count('2026-11-28T00:00');
  expect(await budgetEvents()).toEqual([expect.stringContaining('so far costs 11.'), expect.anything()]);
  expect(warnings).toEqual((await budgetEvents()).toReversed());
  expect((await cost()).budget).toEqual({ usd: '10.00', state: 'passed' });
  // Nothing is halted by it.
  expect(state().haltReason).toBeNull();
  count('2026-12-01T10:00');
  expect(state().cost.warning()).toBeNull();
});

it('without a budget nothing is told; counts are kept over restarts and belong to their month', async () => {
  const { clock, count, restart, cost, state, budgetEvents } = running(null);
  const used = async (part: string) => (await cost()).lines.find((line) => line.part === part)?.used;
  state().cost.count({ workerRequests: 3, rowsWritten: 5 });
  state().cost.count({ workerRequests: 4 });
  expect(await used('Worker requests')).toBe(7);
  count('2026-11-01T00:02');
  restart();
  expect([await used('Worker requests'), await used('SQLite rows written')]).toEqual([7, 5]);
  clock.nowMs = at('2026-12-01T00:00');
  expect(await used('Worker requests')).toBe(0);
  count('2026-12-20T00:00');
  expect(await cost()).toMatchObject({ budget: null, instanceType: 'basic' });
  expect(await budgetEvents()).toEqual([]);
});

it('alone on a VPS Cloudflare bills nothing; what it would bill is told to who asks', async () => {
  const cost = new BridgeState(SqliteFile.open('memory:'), { now: () => at('2026-11-11T00:00') }).cost;
  cost.count({ rowsWritten: 5 });
  expect(await cost.monthToDate()).toMatchObject({
    billedBy: 'host',
    instanceType: null,
    monthToDateUsd: '0.00',
    lines: [],
    budget: null,
  });
  expect(await cost.monthToDate('basic')).toMatchObject({ billedBy: 'host', monthToDateUsd: '5.00' });
  expect(cost.warning()).toBeNull();
});
