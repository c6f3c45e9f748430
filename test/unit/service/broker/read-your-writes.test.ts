import { describe, expect, it } from 'vitest';
import { ClockSource } from '../../../../container/service/broker/broker-clock.ts';
import { Broker } from '../../../../container/service/broker/broker.ts';
import { notingWrites } from '../../../../container/service/broker/noting-writes.ts';
import type { Command } from '../../../../container/session/upstream.ts';
import { fakeUpstream } from '../../../support/fake-upstream.ts';

const context = { deadlineAtMs: Date.now() + 30_000, signal: new AbortController().signal };

/** Reads wait until they are let go; the answer tells how many writes there had been when it was asked. */
function server(): { broker: Broker; write: (path: string) => Promise<unknown>; asked: Command[]; letGo: () => void } {
  let writes = 0;
  const asked: Command[] = [];
  const gate = Promise.withResolvers<void>();
  const upstream = fakeUpstream(async (command) => {
    asked.push(command);
    const answer = `{"retcode":"0 Done","answer":[{"Writes":"${writes}"}]}`;
    await gate.promise;
    return answer;
  });
  const broker = new Broker({ upstream, now: Date.now, cacheSize: 10 });
  const writer = notingWrites(
    {
      ...upstream,
      mutate: async (command, options) => {
        writes++;
        gate.resolve();
        return upstream.mutate(command, options);
      },
    },
    broker,
    new ClockSource(broker, Date.now),
  );
  return {
    broker,
    asked,
    letGo: gate.resolve,
    write: (path) => writer.mutate({ path }, context),
  };
}

describe('a read after a write', () => {
  it('does not join a read from before it', async () => {
    const { broker, write, asked, letGo } = server();
    const before = broker.list('position/get_batch', [['login', '1']], context);
    const joined = broker.list('position/get_batch', [['login', '1']], context);
    expect(asked.length).toBe(1);
    await write('trade/balance');
    const after = broker.list('position/get_batch', [['login', '1']], context);
    letGo();
    expect(await before).toEqual([{ Writes: '0' }]);
    expect(await joined).toEqual([{ Writes: '0' }]);
    expect(await after).toEqual([{ Writes: '1' }]);
  });

  it('does not take from the cache what the write may have changed, even if that was asked for before', async () => {
    const { broker, write, asked } = server();
    const early = broker.reference('symbols', 'symbol/get', [['symbol', 'A']], context);
    await write('symbol/add');
    await early;
    await broker.reference('symbols', 'symbol/get', [['symbol', 'A']], context);
    await broker.reference('symbols', 'symbol/get', [['symbol', 'A']], context);
    expect(asked.filter(({ path }) => path === 'symbol/get').length).toBe(2);
    expect(broker.statistics().byKind.symbols).toMatchObject({ hits: 1, misses: 2, invalidations: 1 });
  });
});
