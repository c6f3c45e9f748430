import { expect, it } from 'vitest';
import { SqliteFile } from '../../../container/host/sqlite-file.ts';
import { BridgeState } from '../../../container/state/bridge-state.ts';

it('symbols are in use for a fortnight after their last use, over restarts, a hundred at most', async () => {
  const file = SqliteFile.open('memory:', () => {});
  let nowMs = 0;
  const state = (): BridgeState => new BridgeState(file, { now: () => nowMs });
  await state().symbols.used(['EURUSD', 'GBPUSD']);
  nowMs += 10 * 86_400_000;
  await state().symbols.used(['EURUSD', 'AUDUSD']);
  expect(await state().symbols.inUse()).toEqual(['AUDUSD', 'EURUSD', 'GBPUSD']);
  nowMs += 5 * 86_400_000;
  expect(await state().symbols.inUse()).toEqual(['AUDUSD', 'EURUSD']);
  nowMs += 1;
  await state().symbols.used(Array.from({ length: 100 }, (_, i) => `S${i}`));
  expect(await state().symbols.inUse()).toHaveLength(100);
  expect(await state().symbols.inUse()).not.toContain('EURUSD');
  file.close();
});
