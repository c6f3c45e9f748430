import { afterEach, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { type Edge, startEdge } from './support/edge.ts';

/** What happens to fifty readers when their container goes away, one way after the other. One connection: one sign-in. */
let simulator: Simulator;
let edge: Edge;

async function start(options: { restartOnFailure?: boolean } = {}): Promise<void> {
  simulator = await startSimulator();
  edge = await startEdge({ simulator, vars: { POOL_MAX: '1' }, ...options });
}
afterEach(async () => {
  await edge.close();
  await simulator.close();
});

/** Fifty clients that read without pause. @returns what each answer was that was not right */
function readers(): { answered: () => number; stop: () => Promise<string[]> } {
  const stop = new AbortController();
  let answered = 0;
  const wrong: string[] = [];
  const loops = Array.from({ length: 50 }, async (_, i) => {
    const login = 1001 + i;
    while (!stop.signal.aborted) {
      const answer = await edge.fetch(`/api/user/get?login=${login}`);
      const text = await answer.text();
      if (answer.status !== 200 || !text.includes(`"Login":"${login}"`))
        wrong.push(`${answer.status} ${text.slice(0, 300)}`);
      answered += 1;
    }
  });
  return {
    answered: () => answered,
    stop: async () => {
      stop.abort();
      await Promise.all(loops);
      return wrong;
    },
  };
}

/** Waits until the readers have had two answers each, from now on. */
async function moreAnswers(reading: { answered: () => number }): Promise<void> {
  const target = reading.answered() + 100;
  await expect.poll(reading.answered).toBeGreaterThan(target);
}

async function journal(): Promise<string[]> {
  const { body } = await edge.json('/admin/journal', { headers: { 'x-api-key': edge.keys.admin } });
  return (body['items'] as { event: string }[]).map(({ event }) => event).reverse();
}

const epoch = async (): Promise<unknown> =>
  ((await edge.json('/v1/status')).body['session'] as { epoch: number }).epoch;

it.each([
  ['kill -9', 'crash', async () => edge.engine.kill('SIGKILL')],
  ['SIGTERM', 'stop', async () => edge.engine.kill('SIGTERM')],
  [
    'sleep',
    'sleep',
    async () => {
      await edge.fetch('/admin/sleep', { method: 'POST', headers: { 'x-api-key': edge.keys.admin } });
    },
  ],
] as const)('%s under readers costs them time only: one sign-in, epoch + 1, told as %s', async (_, event, end) => {
  await start();
  const reading = readers();
  await moreAnswers(reading);
  await end();
  await expect.poll(() => edge.engine.processes.length).toBe(2);
  await moreAnswers(reading);
  expect(await reading.stop()).toEqual([]);
  expect(simulator.stats().handshakes).toBe(2);
  expect(await epoch()).toBe(2);
  expect(await journal()).toEqual(['start', 'ready', event, 'start', 'ready']);
});

it('a restart in place under readers is met like any other end', async () => {
  await start({ restartOnFailure: true });
  const reading = readers();
  await moreAnswers(reading);
  edge.engine.kill('SIGKILL');
  await expect.poll(() => edge.engine.processes.length).toBe(2);
  await moreAnswers(reading);
  expect(await reading.stop()).toEqual([]);
  expect(simulator.stats().handshakes).toBe(2);
  expect(await epoch()).toBe(2);
});
