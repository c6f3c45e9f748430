import https from 'node:https';
import net from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/server.ts';
import { Mt5Client, proofOf } from '../../support/mt5-client.ts';
import { bodyOf, Wire } from '../../support/wire.ts';

let simulator: Simulator;
const open: { close(): void }[] = [];
const connect = (): Mt5Client => {
  const client = new Mt5Client(simulator);
  open.push(client);
  return client;
};

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
});
afterAll(() => simulator.close());
afterEach(() => {
  for (const client of open.splice(0)) client.close();
  simulator.reset(['counters', 'faults', 'switches', 'latency']);
});

const START = '/api/auth/start?version=484&agent=test&login=1000&type=manager';
const CLI_RAND = '4db98fec17aab4dc5a240bdc659e8395';
const CLI_RAND_ANSWER = '1732021b1b332f51660b2b315eed3a35';
const FORBIDDEN = { status: 403, text: '403 Forbidden', json: undefined };

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
    expect(answer.json).toEqual({
      retcode: '0 Done',
      version_access: expect.stringMatching(/^\d+$/),
      version_trade: expect.stringMatching(/^\d+$/),
      cli_rand_answer: CLI_RAND_ANSWER,
    });
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(simulator.stats().handshakes).toBe(1);
  });

  test('hex of either case is understood', async () => {
    const client = connect();
    const proof = proofOf('Password1', await challenge(client)).toUpperCase();
    const answer = await client.send(`/api/auth/answer?srv_rand_answer=${proof}&cli_rand=${CLI_RAND.toUpperCase()}`);
    expect(answer.json?.['cli_rand_answer']).toBe(CLI_RAND_ANSWER);
  });

  test('parameters may be in a JSON body, and win over the query', async () => {
    const client = connect();
    const { json } = await client.send('/api/auth/start?version=1&login=7&type=manager', {
      method: 'POST',
      body: '{"version":"3470","agent":"WebAPI","login":1000}',
      contentType: 'application/x-www-form-urlencoded',
    });
    const body = JSON.stringify({
      srv_rand_answer: proofOf('Password1', String(json?.['srv_rand'])),
      cli_rand: CLI_RAND,
    });
    const answer = await client.send('/api/auth/answer', { method: 'POST', body, contentType: 'application/json' });
    expect(answer.json?.['cli_rand_answer']).toBe(CLI_RAND_ANSWER);
  });

  test('the outdated paths of old clients', async () => {
    const client = connect();
    const { json } = await client.send('/auth_start?VERSION=484&AGENT=test&LOGIN=1000&TYPE=Manager', {
      method: 'POST',
    });
    const proof = proofOf('Password1', String(json?.['srv_rand']));
    expect((await client.send(`/auth_answer?srv_rand_answer=${proof}&cli_rand=${CLI_RAND}`)).retcode).toBe(0);
    expect((await client.send('/test_access')).text).toBe('{"retcode":"0 Done"}');
    expect((await client.send('/user_get?login=1001')).json).toMatchObject({ answer: { Login: '1001' } });
    expect((await client.send('/quit')).text).toBe('{"retcode":"0 Done"}');
  });

  test('srv_rand is new for each start, and a second start begins again', async () => {
    const client = connect();
    const first = await challenge(client);
    const second = await challenge(client);
    expect(second).not.toBe(first);
    expect(
      await client.send(`/api/auth/answer?srv_rand_answer=${proofOf('Password1', first)}&cli_rand=${CLI_RAND}`),
    ).toMatchObject(FORBIDDEN);
    expect((await client.signIn()).retcode).toBe(0);
    await challenge(client);
    expect(await client.send('/api/test/access')).toMatchObject(FORBIDDEN);
    expect((await client.signIn()).retcode).toBe(0);
  });

  test.each([
    ['version=483&agent=t&login=1000&type=manager', 1010],
    ['version=x&agent=t&login=1000&type=manager', 3],
    ['agent=t&login=1000&type=manager', 3],
    ['version=484&agent=&login=1000&type=manager', 3],
    ['version=484&agent=a%20b&login=1000&type=manager', 3],
    ['version=484&login=1000&type=manager', 3],
    ['version=484&agent=t&type=manager', 3],
    ['version=484&agent=t&login=abc&type=manager', 3],
    ['version=484&agent=t&login=1000', 3],
    ['version=484&agent=t&login=1000&type=client', 3],
    ['version=484&agent=t&login=1001&type=manager', 1001],
    ['version=484&agent=t&login=4242&type=manager', 1001],
    ['version=484&agent=t&login=996&type=manager', 1002],
    ['version=484&agent=t&login=995&type=manager', 1011],
    ['version=484&agent=t&login=994&type=manager', 1012],
    ['version=484&agent=t&login=993&type=manager', 1034],
    ['version=484&agent=t&login=992&type=manager', 1024],
  ])('auth/start?%s is refused with %i', async (query, retcode) => {
    const client = connect();
    const answer = await client.send(`/api/auth/start?${query}`);
    expect(answer).toMatchObject({ status: 200, retcode });
    expect(answer.json).not.toHaveProperty('srv_rand');
    expect(simulator.stats()).toMatchObject({ handshakes: 0, handshakeFailures: 1 });
    expect(await client.send('/api/test/access')).toMatchObject(FORBIDDEN);
  });

  test('a wrong answer is 403 text and the end of the connection', async () => {
    const client = connect();
    expect(await client.signIn(1000, 'Password2')).toMatchObject(FORBIDDEN);
    await expect.poll(() => simulator.stats().connections).toBe(0);
    expect(simulator.stats()).toMatchObject({ handshakes: 0, handshakeFailures: 1 });
  });

  test('the main password is not the API password', async () => {
    expect(await connect().signIn(1000, 'Client1000!')).toMatchObject(FORBIDDEN);
  });

  test('an answer without a start, without its parameters or too late is 403', async () => {
    const client = connect();
    expect(await client.send(`/api/auth/answer?srv_rand_answer=${CLI_RAND}&cli_rand=${CLI_RAND}`)).toMatchObject(
      FORBIDDEN,
    );
    await challenge(client);
    expect(await client.send('/api/auth/answer?cli_rand=x')).toMatchObject(FORBIDDEN);
    simulator.switch({ authWindowSeconds: 0.05 });
    const random = await challenge(client);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(
      await client.send(`/api/auth/answer?srv_rand_answer=${proofOf('Password1', random)}&cli_rand=${CLI_RAND}`),
    ).toMatchObject(FORBIDDEN);
  });

  test('while challenged any other command is 403, and the challenge stays', async () => {
    const client = connect();
    const random = await challenge(client);
    expect(await client.send('/api/user/get?login=1001')).toMatchObject(FORBIDDEN);
    expect(await client.send('/api/no/such')).toMatchObject(FORBIDDEN);
    const answer = await client.send(
      `/api/auth/answer?srv_rand_answer=${proofOf('Password1', random)}&cli_rand=${CLI_RAND}`,
    );
    expect(answer.retcode).toBe(0);
  });
});

describe('the session is the connection', () => {
  test('a second connection gets 403 text, and so does the first when it is replaced', async () => {
    const first = connect();
    await first.signIn();
    expect((await first.send('/api/test/access')).text).toBe('{"retcode":"0 Done"}');
    expect(await connect().send('/api/test/access')).toMatchObject(FORBIDDEN);
    simulator.dropConnections();
    await expect.poll(() => simulator.stats().connections).toBe(0);
    expect(await first.send('/api/user/get?login=1001')).toMatchObject(FORBIDDEN);
  });

  test('the official sample agent (no keepAlive) loses it after a pause', async () => {
    const agent = new https.Agent({ maxSockets: 1 });
    const get = (path: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const options = { host: simulator.host, port: simulator.port, ca: simulator.certificatePem, agent, path };
        const request = https.get(options, (answer) => {
          answer.resume();
          answer.once('end', () => resolve(answer.statusCode ?? 0));
        });
        request.once('error', reject);
      });
    const [one, two] = await Promise.all([get(START), get('/api/test/access')]);
    expect([one, two]).toEqual([200, 403]);
    expect(simulator.stats().perConnection.at(-1)?.requests).toBeLessThanOrEqual(2);
    await get('/api/test/access');
    expect(simulator.stats().perConnection.length).toBeGreaterThan(1);
    agent.destroy();
  });

  test('several connections of one manager live side by side', async () => {
    const [one, other] = [connect(), connect()];
    await one.signIn();
    await other.signIn();
    expect((await one.send('/api/test/access')).retcode).toBe(0);
    expect((await other.send('/api/test/access')).retcode).toBe(0);
    expect(simulator.stats()).toMatchObject({ connections: 2, handshakes: 2 });
  });

  test('quit answers, then closes', async () => {
    const wire = await Wire.signedIn(simulator);
    const answer = await wire.get('/api/quit');
    expect(bodyOf(answer)).toBe('{"retcode":"0 Done"}');
    expect(answer).toContain('Connection: close');
    expect(await wire.closed).toBe('end');
  });

  test('silence ends it', async () => {
    const wire = await Wire.signedIn(simulator);
    simulator.switch({ idleTimeoutSeconds: 0.05 });
    expect(await wire.closed).toBe('end');
  });

  test('a raw client on the TLS port is closed; its frame inside TLS is 400', async () => {
    const raw = net.connect(simulator.port, simulator.host);
    raw.write('MT5WEBAPI000800010TEST');
    raw.resume();
    await once(raw, 'close');
    const wire = await Wire.connect(simulator);
    wire.write('MT5WEBAPI000800010TEST_TEST_TEST');
    expect(await wire.answer()).toMatch(/^HTTP\/1\.1 400 Bad Request[^]*400 Bad Request$/);
    expect(await wire.closed).toBe('end');
  });
});

test('handshakesAtFirstCommand is taken when the first command arrives', async () => {
  expect(simulator.stats().handshakesAtFirstCommand).toBeNull();
  const client = connect();
  await client.signIn();
  await client.signIn();
  expect(simulator.stats().handshakesAtFirstCommand).toBeNull();
  await client.send('/api/user/get?login=1001');
  await client.signIn();
  expect(simulator.stats()).toMatchObject({ handshakesAtFirstCommand: 2, handshakes: 3 });
});
