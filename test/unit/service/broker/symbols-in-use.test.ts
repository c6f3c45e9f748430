import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SymbolsInUse } from '../../../../container/service/broker/symbols-in-use.ts';
import type { Command, Dealer, Reply, Upstream } from '../../../../container/session/upstream.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function hearing() {
  const written: (readonly string[])[] = [];
  const errors: unknown[] = [];
  let fails = false;
  const symbols = new SymbolsInUse({
    state: {
      used: async (names) => {
        if (fails) throw new Error('no channel');
        written.push(names);
      },
      inUse: async () => [],
    },
    now: Date.now,
    onUsed: () => {},
    onError: (error) => errors.push(error),
  });
  const answer = async (): Promise<Reply & { generation: number }> =>
    ({ generation: 1 }) as Reply & { generation: number };
  const dealer: Dealer = { isAvailable: true, generation: 1, mutate: answer, read: answer };
  const upstream: Upstream = symbols.hearing({ read: answer, mutate: answer, dealers: [dealer] });
  const read = (command: Command) => upstream.read(command, { deadlineAtMs: 0 });
  return { upstream, read, written, errors, fail: (now: boolean) => (fails = now) };
}

it('what is quoted, streamed and traded is in use; what is looked up is not', async () => {
  const { upstream, read, written } = hearing();
  await read({
    path: 'tick/last',
    query: [
      ['symbol', 'EURUSD,GBPUSD'],
      ['trans_id', '5'],
    ],
  });
  await read({ path: 'tick/last_group', rawQuery: 'symbol=%23AAPL&group=demo' });
  await read({ path: 'symbol/get', query: [['mask', 'USDJPY']] });
  await read({ path: 'chart/get', query: [['symbol', 'USDCHF']] });
  await upstream.dealers[0].mutate(
    { path: 'dealer/send_request', body: JSON.stringify({ Action: 200, Symbol: 'XAUUSD' }) },
    { deadlineAtMs: 0 },
  );
  await vi.advanceTimersByTimeAsync(1_000);
  expect(written).toEqual([['EURUSD', 'GBPUSD', '#AAPL', 'XAUUSD']]);
});

it('what goes on being used is written down once an hour, and again where that failed', async () => {
  const { read, written, errors, fail } = hearing();
  const poll = () => read({ path: 'tick/last', query: [['symbol', 'EURUSD']] });
  fail(true);
  await poll();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(errors).toHaveLength(1);
  fail(false);
  for (let i = 0; i < 61; i++) {
    await poll();
    await vi.advanceTimersByTimeAsync(60_000);
  }
  expect(written).toEqual([['EURUSD'], ['EURUSD']]);
});
