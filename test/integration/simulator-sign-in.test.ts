import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { Mt5Client, proofOf } from '../support/mt5-client.ts';

let simulator: Simulator;
const clients: Mt5Client[] = [];
const connect = (): Mt5Client => {
  const client = new Mt5Client(simulator);
  clients.push(client);
  return client;
};

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
});
afterAll(() => simulator.close());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  simulator.reset();
});

const START = '/api/auth/start?version=484&agent=test&login=1000&type=manager';
const CLI_RAND = '4db98fec17aab4dc5a240bdc659e8395';

async function challenge(client: Mt5Client): Promise<string> {
  const { json } = await client.send(START);
  const random = json?.['srv_rand'];
  if (typeof random !== 'string') throw new TypeError('no srv_rand');
  return random;
}

describe('sign-in', () => {
  test.each(['GET', 'POST'] as const)('by %s, with the documented vector for cli_rand', async (method) => {
    const answer = await connect().signIn(1000, 'Password1', { method });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ retcode: '0 Done', cli_rand_answer: '1732021b1b332f51660b2b315eed3a35' });
    expect(simulator.stats().handshakes).toBe(1);
  });

  test('hex of either case is understood', async () => {
    const client = connect();
    const random = await challenge(client);
    const answer = await client.send(
      `/api/auth/answer?srv_rand_answer=${proofOf('Password1', random).toUpperCase()}&cli_rand=${CLI_RAND.toUpperCase()}`,
    );
    expect(answer.json?.['cli_rand_answer']).toBe('1732021b1b332f51660b2b315eed3a35');
  });

  test('belongs to the connection: a second one gets 403 text, also after the first is gone', async () => {
    const first = connect();
    await first.signIn();
    expect((await first.send('/api/test/access')).text).toBe('{"retcode":"0 Done"}');
    const second = connect();
    expect(await second.send('/api/test/access')).toMatchObject({
      status: 403,
      text: '403 Forbidden',
      json: undefined,
    });
    simulator.dropConnections();
    await expect.poll(() => simulator.stats().connections).toBe(0);
    expect(await first.send('/api/user/get?login=1001')).toMatchObject({ status: 403, text: '403 Forbidden' });
  });
});
