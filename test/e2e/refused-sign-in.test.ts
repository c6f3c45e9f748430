import { afterEach, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { type Edge, startEdge } from './support/edge.ts';

let simulator: Simulator;
let edge: Edge;

afterEach(async () => {
  await edge.close();
  await simulator.close();
});

it('a wrong password is named by every call and by /readyz, and costs few sign-ins however many ask and crash', async () => {
  simulator = await startSimulator();
  edge = await startEdge({ simulator, vars: { MT5_PASSWORD: 'planted-wrong-password' } });
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => edge.json('/api/user/get?login=1001')));
    for (const { status, body } of answers) {
      expect(status).toBe(503);
      expect(['sign_in_refused', 'sign_in_backoff']).toContain(body['code']);
      expect(String(body['detail'])).toMatch(/password/i);
    }
    edge.engine.kill('SIGKILL');
    await expect.poll(() => edge.engine.running().length).toBe(0);
  }
  const { status, body } = await edge.json('/readyz');
  expect(status).toBe(503);
  expect(String(body['reason'])).toMatch(/password/i);
  const stats = simulator.stats();
  expect(stats.handshakes).toBe(0);
  expect(stats.handshakeFailures).toBeLessThanOrEqual(5);
  const seen = [
    ...edge.containerLog,
    ...(await Promise.all(
      ['/admin/journal', '/admin/checkpoint', '/v1/status'].map(async (path) =>
        JSON.stringify((await edge.json(path, { headers: { 'x-api-key': edge.keys.admin } })).body),
      ),
    )),
  ].join('\n');
  expect(seen).not.toContain('planted-wrong-password');
});

it('a container that cannot start is told with its exit code, and tried again less and less often', async () => {
  simulator = await startSimulator();
  edge = await startEdge({ simulator, vars: { MT5_TLS: 'nonsense' } });
  const first = await edge.fetch('/api/user/get?login=1001');
  expect(first.status).toBe(503);
  expect(Number(first.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(await first.json()).toMatchObject({
    code: 'container_unavailable',
    detail: expect.stringContaining('exit code 1') as string,
  });
  await Promise.all(Array.from({ length: 20 }, () => edge.json('/api/user/get?login=1001')));
  expect(edge.engine.processes.length).toBeLessThanOrEqual(2);
  expect((await edge.json('/readyz')).status).toBe(503);
});
