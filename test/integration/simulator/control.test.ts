import http from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/server.ts';
import { Wire } from '../../support/wire.ts';

let simulator: Simulator;
const wires: Wire[] = [];

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
});
afterAll(() => simulator.close());
afterEach(() => {
  for (const wire of wires.splice(0)) wire.close();
  simulator.reset(['counters', 'faults', 'switches', 'latency']);
});

const READ = '/api/user/get?login=1001';

async function signedIn(): Promise<Wire> {
  const wire = await Wire.signedIn(simulator);
  wires.push(wire);
  return wire;
}

describe('control port', () => {
  const call = async (method: string, path: string, body?: unknown): Promise<[number, unknown]> => {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = http.request(
        { host: simulator.host, port: simulator.controlPort, path, method, agent: false },
        (response) => {
          let received = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
          response.once('end', () => resolve([response.statusCode ?? 0, JSON.parse(received)]));
        },
      );
      request.once('error', reject);
      request.end(text);
    });
  };

  test.each([
    ['POST', '/fault', { kind: 'nope' }, 400, /^kind: expected one of drop-before-execution/],
    ['POST', '/fault', {}, 400, /^kind: /],
    ['POST', '/fault', { kind: 'slow', ms: '2' }, 400, /^ms: /],
    ['POST', '/fault', { kind: 'slow', count: 0 }, 400, /^count: /],
    ['POST', '/fault', { kind: 'status', code: 99 }, 400, /^code: expected an integer from 200 to 599/],
    ['POST', '/fault', { kind: 'slow', comand: 'user/get' }, 400, /^comand: no such field/],
    ['POST', '/fault', { kind: 'slow', command: 7 }, 400, /^command: /],
    ['POST', '/fault', undefined, 400, /^expected an object/],
    ['POST', '/fault', '{"kind":', 400, /^body: expected JSON/],
    ['POST', '/switch', { nope: 1 }, 400, /^nope: no such switch; expected one of idleTimeoutSeconds/],
    ['POST', '/switch', { resultIds: 'below' }, 400, /^resultIds: expected one of both, top, answer/],
    ['POST', '/switch', { cookie: true, idleTimeoutSeconds: -1 }, 400, /^idleTimeoutSeconds: expected a number from/],
    ['POST', '/latency', { latencyMs: 'x' }, 400, /^latencyMs: /],
    ['POST', '/latency', { other: 1 }, 400, /^other: /],
    ['POST', '/reset', { only: ['nothing'] }, 400, /^only: expected a list of counters/],
    ['GET', '/nope', undefined, 404, /^no such path; expected one of \/stats/],
    ['DELETE', '/stats', undefined, 405, /^expected GET/],
  ])('%s %s %j is refused by name', async (method, path, body, status, error) => {
    expect(await call(method, path, body)).toEqual([status, { error: expect.stringMatching(error) }]);
    expect((await call('GET', '/switch'))[1]).toMatchObject({ cookie: { value: false } });
  });

  test('faults are listed, and cleared by DELETE and by reset', async () => {
    await call('POST', '/fault', { kind: 'hang', command: '/api/user/get', count: 3 });
    const armed = { kind: 'hang', command: 'user/get', count: 3, ms: 0, code: 0 };
    expect(await call('GET', '/fault')).toEqual([200, { faults: [armed], maintenanceMs: 0, silentConnectMs: 0 }]);
    expect(await call('DELETE', '/fault')).toEqual([200, { faults: [], maintenanceMs: 0, silentConnectMs: 0 }]);
    await call('POST', '/fault', { kind: 'slow', count: 'always' });
    await call('POST', '/switch', { cookie: 'true', pageLimit: '256' });
    await call('POST', '/latency', { latencyMs: 5 });
    expect((await call('GET', '/switch'))[1]).toMatchObject({
      cookie: { value: true, default: false, values: [false, true] },
      pageLimit: { value: 256, default: 100, values: { from: 1, to: 10_000 } },
    });
    expect(await call('POST', '/reset', { only: ['faults'] })).toEqual([200, { reset: true }]);
    expect((await call('GET', '/fault'))[1]).toMatchObject({ faults: [] });
    expect((await call('GET', '/latency'))[1]).toEqual({ latencyMs: 5, authLatencyMs: 0 });
    await call('POST', '/reset');
    expect((await call('GET', '/latency'))[1]).toEqual({ latencyMs: 0, authLatencyMs: 0 });
    expect((await call('GET', '/switch'))[1]).toMatchObject({ cookie: { value: false }, pageLimit: { value: 100 } });
  });

  test('stats count, in all and for each connection', async () => {
    const wire = await signedIn();
    await wire.get(READ);
    await wire.get('/api/nonsense');
    const [, stats] = await call('GET', '/stats');
    expect(stats).toMatchObject({
      connections: 1,
      handshakes: 1,
      handshakesAtFirstCommand: 1,
      handshakeFailures: 0,
      requests: 4,
      mutations: 0,
      byCommand: { 'auth/start': 1, 'auth/answer': 1, 'user/get': 1, unknown: 1 },
      perConnection: [{ open: true, manager: 1000, handshakes: 1, requests: 4, byCommand: { 'user/get': 1 } }],
    });
    await call('POST', '/reset');
    expect((await call('GET', '/stats'))[1]).toMatchObject({
      connections: 1,
      requests: 0,
      handshakesAtFirstCommand: null,
    });
    expect(await wire.get(READ)).toContain('"0 Done"');
  });

  test('clock, feed, books and certificate', async () => {
    expect(await call('POST', '/clock', { utc: '2027-03-01T12:00:00Z', speed: 0 })).toMatchObject([200, { speed: 0 }]);
    const wire = await signedIn();
    expect(await wire.get('/api/time/server')).toContain('"time":"1803909600 2027.03.01 14:00:00"');
    expect(await call('POST', '/clock', { speed: 'x' })).toMatchObject([
      400,
      { error: expect.stringMatching(/^speed: /) },
    ]);
    expect(await call('POST', '/feed', { ticksPerSecond: 7 })).toMatchObject([200, { ticksPerSecond: 7 }]);
    expect(await call('POST', '/feed', {})).toMatchObject([400, { error: expect.stringMatching(/^ticksPerSecond: /) }]);
    const books = (await call('GET', '/books'))[1];
    expect(JSON.stringify(books)).toContain('1001');
    await call('POST', '/reset');
    expect((await call('GET', '/clock'))[1]).toMatchObject({ speed: 1 });
    expect((await call('GET', '/feed'))[1]).toMatchObject({ ticksPerSecond: 0 });
    const response = await fetch(`http://${simulator.host}:${simulator.controlPort}/certificate`);
    expect(await response.text()).toBe(simulator.certificatePem);
  });

  test('a reset of the books forgets what was to be executed late', async () => {
    const wire = await signedIn();
    await call('POST', '/fault', { kind: 'execute-late', ms: 30 });
    wire.write('GET /api/trade/balance?login=1001&type=2&balance=10.00&comment=test HTTP/1.1\r\n\r\n');
    await wire.closed;
    await call('POST', '/reset');
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(simulator.stats().mutations).toBe(0);
  });

  test('latency delays every answer, the sign-in by its own', async () => {
    await call('POST', '/latency', { latencyMs: 40, authLatencyMs: 60 });
    const started = performance.now();
    const wire = await signedIn();
    expect(performance.now() - started).toBeGreaterThanOrEqual(118);
    const asked = performance.now();
    await wire.get(READ);
    expect(performance.now() - asked).toBeGreaterThanOrEqual(39);
  });
});
