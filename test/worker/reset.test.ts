import { abortAllDurableObjects } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import type { JournalEntry } from '../../container/state/state-api.ts';
import { FakeBridge } from './fake-bridge.ts';
import { FakeContainer } from './fake-container.ts';
import type { BridgeContainer } from './worker.ts';

/**
 * In production a Durable Object is reset (new code, a moved host) while its container goes on; local workerd kills the
 * container with it, so this is seen only here.
 */
it('a reset of the Durable Object under a living container: no start, no sign-in, same epoch, nothing forgotten', async () => {
  const id = env.BRIDGE.newUniqueId();
  const bridge = (): DurableObjectStub<BridgeContainer> => env.BRIDGE.get(id) as DurableObjectStub<BridgeContainer>;
  const container = FakeContainer.of(id.toString());
  const programs: FakeBridge[] = [];
  container.program = (start) => {
    const program = new FakeBridge(start);
    programs.push(program);
    return program;
  };
  const read = async (): Promise<number> => {
    const answer = await bridge().fetch('http://bridge/v1/x', {
      headers: { 'x-bridge-caller': '{"id":"t","scopes":["read"]}', 'x-bridge-replay': 'safe' },
    });
    await answer.body?.cancel();
    return answer.status;
  };

  expect(await bridge().warm('admin')).toMatchObject({ ok: true, value: { session: { state: 'ready', epoch: 1 } } });
  await abortAllDurableObjects();

  expect(container.running).toBe(true);
  expect(await read()).toBe(200);
  expect(container.starts).toHaveLength(1);
  expect(programs[0]).toMatchObject({ hellos: 2, signIns: 1, epoch: 1 });
  const told = await bridge().answer(
    'adminJournal',
    { params: {}, query: { limit: 10 }, body: undefined, decimals: 'string' },
    { id: 't', scopes: ['admin'] },
  );
  const { items } = JSON.parse(told.ok ? told.value : '{}') as { items: JournalEntry[] };
  expect(items.map(({ event }) => event)).toEqual(['ready', 'start']);
  expect(await bridge().status()).toMatchObject({
    ready: true,
    container: { state: 'running' },
    session: { epoch: 1 },
  });
});
