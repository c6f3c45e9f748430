import { expect, it } from 'vitest';
import { Broker } from '../../../../container/service/broker/broker.ts';
import { ClockSource } from '../../../../container/service/broker/broker-clock.ts';
import { Market } from '../../../../container/service/reads/market.ts';
import type { Command, Upstream } from '../../../../container/session/upstream.ts';
import { fakeUpstream } from '../../../support/fake-upstream.ts';

/** A server that shows levels only on a connection that subscribed, with a pool that gives every read the next of them. */
function serverOfConnections(count: number): { upstream: Upstream; asked: string[] } {
  const subscribed = new Set<number>();
  const asked: string[] = [];
  const on = (connection: number, { path }: Command): string => {
    asked.push(`${path} ${connection}`);
    if (path === 'book/subscribe') subscribed.add(connection);
    if (path !== 'book/get') return '{"retcode":"0 Done","answer":{}}';
    const items = subscribed.has(connection) ? '{"Type":1,"Price":58.61,"Volume":1000}' : '';
    return `{"retcode":"0 Done","answer":[{"Symbol":"UKOIL","Datetime":1574351040,"Items":[${items}]}]}`;
  };
  let turn = 0;
  const pool = fakeUpstream((command) => on(turn++ % count, command));
  const line = fakeUpstream((command) => on(0, command));
  return { upstream: { ...pool, dealers: line.dealers }, asked };
}

it.each([1, 2, 3, 4])('a book is whole whichever of %i connections are free first', async (count) => {
  const { upstream, asked } = serverOfConnections(count);
  const now = (): number => 1_574_351_040_000;
  const broker = new Broker({ upstream, now, cacheSize: 10 });
  const market = new Market(broker, new ClockSource(broker, now));
  const context = { deadlineAtMs: now() + 10_000, signal: new AbortController().signal };
  for (let at = 0; at < 2 * count; at++)
    expect((await market.book('UKOIL', context)).items, asked.join(', ')).toHaveLength(1);
  // Once it is known where levels are shown, one question each.
  expect(asked.filter((each) => each.startsWith('book/get'))).toHaveLength(2 * count + 1);
});
