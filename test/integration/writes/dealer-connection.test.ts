import { afterEach, expect, test } from 'vitest';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { startScriptedServer, type ScriptedServer } from '../../support/scripted-server.ts';

let server: ScriptedServer;
let bridge: BridgeUnderTest;
const handled: { path: string; connection: number }[] = [];

afterEach(async () => {
  await bridge.close();
  await server.close();
  handled.length = 0;
});

async function start(max: string, delayMs = 0): Promise<void> {
  server = await startScriptedServer(({ path, connection, response, documented }) => {
    handled.push({ path, connection });
    if (path === 'kill') response.socket?.destroy();
    if (path === 'kill' || delayMs === 0 || path.startsWith('auth/')) return;
    response.writeHead(200);
    setTimeout(() => response.end(JSON.stringify(documented)), delayMs);
  });
  bridge = await startBridge({ simulator: server, env: { POOL_MAX: max } });
}

const soon = (): { deadlineAtMs: number } => ({ deadlineAtMs: Date.now() + 10_000 });
const user = { path: 'user/get', query: [['login', '1']] } as const;
const request = { path: 'dealer/send_request', body: '{}' };
const result = { path: 'dealer/get_request_result', query: [['id', '1']] } as const;

test('dealer requests and their results stay on one connection, however large the pool', async () => {
  await start('3', 20);
  const { upstream } = bridge.container;
  const reads = Array.from({ length: 60 }, () => upstream.read(user, soon()));
  const { generation } = await upstream.dealers[0].mutate(request, soon());
  for (let i = 0; i < 5; i++) await upstream.dealers[0].read(result, generation, soon());
  await Promise.all(reads);
  expect(new Set(handled.map(({ connection }) => connection)).size).toBeGreaterThan(1);
  expect(new Set(handled.filter(({ path }) => path.startsWith('dealer/')).map((h) => h.connection)).size).toBe(1);
});

test('with one connection dealing and reading take turns', async () => {
  await start('1', 2);
  const { upstream } = bridge.container;
  await upstream.warm();
  const reads = Array.from({ length: 20 }, () => upstream.read(user, soon()));
  const deals = Array.from({ length: 20 }, () => upstream.dealers[0].mutate(request, soon()));
  await Promise.all([...reads, ...deals]);
  const order = handled.filter(({ path }) => !path.startsWith('auth/')).map(({ path }) => path[0]);
  // One read was on its way before the first dealer request came.
  expect(order.slice(1).join('')).toBe('du'.repeat(19) + 'd');
});

test('when the dealer connection is lost its results are gone, and a new generation begins', async () => {
  await start('1');
  const { upstream } = bridge.container;
  const first = await upstream.dealers[0].mutate(request, soon());
  const broken = await upstream.mutate({ path: 'kill' }, soon()).catch((error: unknown) => error);
  expect(broken).toMatchObject({ kind: 'lost', dispatched: true });
  const gone = await upstream.dealers[0].read(result, first.generation, soon()).catch((error: unknown) => error);
  expect(gone).toMatchObject({ kind: 'lost', dispatched: false });
  const second = await upstream.dealers[0].mutate(request, soon());
  expect(second.generation).toBe(first.generation + 1);
  expect(handled.filter(({ path }) => path === 'dealer/get_request_result')).toEqual([]);
});

test('a dealer request that waits past its deadline is never sent', async () => {
  await start('1', 300);
  const { upstream } = bridge.container;
  await upstream.warm();
  const slow = upstream.read(user, soon());
  const late = await upstream.dealers[0]
    .mutate(request, { deadlineAtMs: Date.now() + 100 })
    .catch((error: unknown) => error);
  expect(late).toMatchObject({ kind: 'deadline', dispatched: false });
  await slow;
  await upstream.read(user, soon());
  expect(handled.some(({ path }) => path === 'dealer/send_request')).toBe(false);
});
