import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/server.ts';
import { Mt5Client } from '../../support/mt5-client.ts';
import { bodyOf, Wire } from '../../support/wire.ts';

let simulator: Simulator;
let client: Mt5Client;

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  client = new Mt5Client(simulator);
  await client.signIn();
});
afterAll(async () => {
  client.close();
  await simulator.close();
});
afterEach(() => simulator.reset(['counters', 'faults', 'switches', 'latency']));

const USER_1001 = { status: 200, json: { retcode: '0 Done', answer: { Login: '1001' } } };

describe('one command, however it is asked', () => {
  test.each([
    ['GET with a query', '/api/user/get?login=1001', {}],
    ['POST with a query and no body', '/api/user/get?login=1001', { method: 'POST' }],
    ['POST with an empty body', '/api/user/get?login=1001', { method: 'POST', body: '' }],
    [
      'JSON body, form content type',
      '/api/user/get',
      { method: 'POST', body: '{"Login":"1001"}', contentType: 'application/x-www-form-urlencoded' },
    ],
    [
      'JSON body, JSON content type',
      '/api/user/get',
      { method: 'POST', body: '{"Login":1001}', contentType: 'application/json; charset=utf-8' },
    ],
    ['JSON body without content type', '/api/user/get', { method: 'POST', body: '{"login":1001}' }],
    ['JSON body on a GET', '/api/user/get', { method: 'GET', body: '{"Login":1001}', contentType: 'application/json' }],
    [
      'form body',
      '/api/user/get',
      { method: 'POST', body: 'login=1001', contentType: 'application/x-www-form-urlencoded' },
    ],
    ['body over query', '/api/user/get?login=1002', { method: 'POST', body: '{"Login":"1001"}' }],
    ['name in capitals', '/api/user/get?LOGIN=1001', {}],
    ['body with a byte order mark', '/api/user/get', { method: 'POST', body: '\uFEFF{"Login":1001}' }],
  ] as const)('%s', async (_name, path, request) => {
    expect(await client.send(path, request)).toMatchObject(USER_1001);
  });
});

describe('what a real server does with what it does not understand', () => {
  test.each([
    ['unknown command', '/api/user/no_such', 400, '400 Bad Request'],
    ['path without /api', '/user/get?login=1001', 400, '400 Bad Request'],
    ['the root', '/', 400, '400 Bad Request'],
    ['path in capitals', '/API/USER/GET?login=1001', 400, '400 Bad Request'],
    ['broken percent-encoding', '/api/user/get?login=%zz', 400, '400 Bad Request'],
    ['missing parameter', '/api/user/get', 200, '{"retcode":"3 Invalid parameters"}'],
    ['parameter of a wrong type', '/api/user/get?login=abc', 200, '{"retcode":"3 Invalid parameters"}'],
    ['unknown object', '/api/user/get?login=4242', 200, '{"retcode":"13 Not found"}'],
    ['administration', '/api/server/restart', 200, '{"retcode":"8 Not enough permissions"}'],
  ])('%s', async (_name, path, status, text) => {
    expect(await client.send(path)).toMatchObject({ status, text });
    expect((await client.send('/api/test/access')).retcode).toBe(0);
  });

  test('a body that starts like JSON but cannot be parsed is 3', async () => {
    const answer = await client.send('/api/user/get?login=1001', { method: 'POST', body: '{"Login":1001' });
    expect(answer).toMatchObject({ status: 200, retcode: 3 });
  });

  test('field names in another case, and wrapped objects, are not seen', async () => {
    for (const body of ['{"LOGIN":1001}', '{"User":{"Login":1001}}']) {
      expect(await client.send('/api/user/get', { method: 'POST', body })).toMatchObject({ retcode: 3 });
    }
  });
});

test('a body nested a million deep is refused and harms nobody', async () => {
  const deep = `{"login":${'['.repeat(1e6)}${']'.repeat(1e6)}}`;
  for (const path of ['/api/user/get', '/api/dealer/send_request', '/api/user/add', '/api/order/get_batch']) {
    expect((await client.send(path, { method: 'POST', body: deep })).retcode).toBe(3);
  }
  const other = new Mt5Client(simulator);
  const start = '/api/auth/start?version=484&agent=test&type=manager';
  expect((await other.send(start, { method: 'POST', body: deep })).retcode).toBe(3);
  other.close();
});

test('requests sent ahead are answered one by one and in order', async () => {
  const wire = await Wire.signedIn(simulator);
  const asks = Array.from({ length: 50 }, (_, index) => `GET /api/user/get?login=${1001 + index} HTTP/1.1\r\n\r\n`);
  wire.write(asks.join(''));
  for (let login = 1001; login <= 1050; login += 1) {
    expect(bodyOf(await wire.answer())).toContain(`"Login":"${login}"`);
  }
  wire.close();
});

test('a request in pieces, with a body the client holds back for 100 Continue', async () => {
  const wire = await Wire.signedIn(simulator);
  wire.write('POST /api/user/get HTTP/1.1\r\nContent-Length: 14\r\nExpect: 100-co');
  wire.write('ntinue\r\n\r\n');
  await wire.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  wire.received = '';
  wire.write('{"Login"');
  wire.write(':1001}');
  expect(bodyOf(await wire.answer())).toContain('"Login":"1001"');
  wire.close();
});

test('Connection: close is honoured', async () => {
  const wire = await Wire.signedIn(simulator);
  wire.write('GET /api/test/access HTTP/1.1\r\nConnection: close\r\n\r\n');
  expect(await wire.answer()).toContain('Connection: close');
  expect(await wire.closed).toBe('end');
});

test('a manager without rights is refused with 8', async () => {
  const weak = new Mt5Client(simulator);
  await weak.signIn(998);
  expect(await weak.send('/api/user/get?login=1001')).toMatchObject({ status: 200, retcode: 8 });
  expect(await weak.send('/api/test/access')).toMatchObject({ retcode: 0 });
  weak.close();
});

test('the journal tells each request, its connection and its answer', async () => {
  const lines: string[] = [];
  const told = await startSimulator({ ticksPerSecond: 0, journal: (line) => lines.push(line) });
  const other = new Mt5Client(told);
  await other.send('/api/user/get', { method: 'POST', body: '{"Login":1001}' });
  expect(lines).toEqual(['#1 - POST /api/user/get {"Login":1001}', '#1 → 403 403 Forbidden']);
  other.close();
  await told.close();
});
