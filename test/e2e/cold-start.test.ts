import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { type Edge, startEdge } from './support/edge.ts';

let simulator: Simulator;
let edge: Edge;

beforeAll(async () => {
  simulator = await startSimulator();
  edge = await startEdge({ simulator });
});
afterAll(async () => {
  await edge?.close();
  await simulator?.close();
});

it('answers 200 different cold reads at once: no failure, one sign-in before the first command', async () => {
  const logins = Array.from({ length: 200 }, (_, i) => 1001 + (i % 100));
  const statuses = await Promise.all(
    logins.map(async (login) => {
      const answer = await edge.fetch(`/api/user/get?login=${login}`);
      const body = (await answer.json()) as { answer?: { Login?: string } };
      return [answer.status, body.answer?.Login];
    }),
  );
  expect(statuses).toEqual(logins.map((login) => [200, String(login)]));
  const stats = simulator.stats();
  expect(stats.handshakesAtFirstCommand).toBe(1);
  expect(stats.handshakes).toBeLessThanOrEqual(4);
  expect(edge.engine.processes).toHaveLength(1);
});
