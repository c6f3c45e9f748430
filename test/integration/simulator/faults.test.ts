import { once } from 'node:events';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { FaultKind } from '../../simulator/faults.ts';
import { type Simulator, startSimulator } from '../../simulator/server.ts';
import { Mt5Client } from '../../support/mt5-client.ts';
import { bodyOf, Wire } from '../../support/wire.ts';

let simulator: Simulator;
const wires: Wire[] = [];

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
});
afterAll(() => simulator.close());
afterEach(() => {
  for (const wire of wires.splice(0)) wire.close();
  simulator.reset(['counters', 'faults', 'switches', 'latency']);
  simulator.broker.feed.set({ ticksPerSecond: 0 });
});

const READ = '/api/user/get?login=1001';
const DEPOSIT = '/api/trade/balance?login=1001&type=2&balance=10.00&comment=test';

async function signedIn(): Promise<Wire> {
  const wire = await Wire.signedIn(simulator);
  wires.push(wire);
  return wire;
}

const ask = (wire: Wire, path: string): void => wire.write(`GET ${path} HTTP/1.1\r\n\r\n`);
const mutations = (): number => simulator.stats().mutations;

interface Tick {
  readonly Symbol: string;
  readonly DatetimeMsc: string;
}

/** A client that follows the feed, which runs until the test ends. */
async function quotes() {
  simulator.broker.feed.set({ ticksPerSecond: 2000 });
  const client = new Mt5Client(simulator);
  await client.signIn();
  return {
    last: async (since: number): Promise<{ transId: number; ticks: readonly Tick[] }> => {
      const { json } = await client.send(`/api/tick/last?symbol=*&trans_id=${since}`);
      return { transId: Number(json?.['trans_id']), ticks: json?.['answer'] as Tick[] };
    },
    close: () => client.close(),
  };
}

/** What each fault looks like from outside. A fault without an entry does not compile. */
const SEEN: Readonly<Record<FaultKind, () => Promise<void>>> = {
  'drop-before-execution': async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'drop-before-execution', command: 'trade/balance' });
    ask(wire, DEPOSIT);
    expect(await wire.closed).toBe('end');
    expect(wire.received).toBe('');
    expect(mutations()).toBe(0);
  },
  'drop-after-execution': async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'drop-after-execution', command: 'trade/balance' });
    ask(wire, DEPOSIT);
    expect(await wire.closed).toBe('end');
    expect(wire.received).toBe('');
    expect(mutations()).toBe(1);
  },
  'execute-late': async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'execute-late', ms: 100 });
    expect(await wire.get(READ)).toContain('"0 Done"');
    ask(wire, DEPOSIT);
    expect(await wire.closed).toBe('end');
    expect(mutations()).toBe(0);
    await expect.poll(mutations).toBe(1);
  },
  reset: async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'reset' });
    ask(wire, READ);
    expect(await wire.closed).toBe('ECONNRESET');
  },
  hang: async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'hang' });
    ask(wire, READ);
    ask(wire, '/api/test/access');
    expect(await (await signedIn()).get(READ)).toContain('"0 Done"');
    expect(wire.received).toBe('');
    simulator.switch({ idleTimeoutSeconds: 0.05 });
    expect(await wire.closed).toBe('end');
  },
  'half-open': async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'half-open' });
    ask(wire, READ);
    await expect.poll(() => simulator.stats().byCommand['user/get']).toBe(1);
    const other = await signedIn();
    simulator.switch({ idleTimeoutSeconds: 0.05 });
    await other.closed;
    expect(wire.received).toBe('');
    expect(wire.socket.closed).toBe(false);
    simulator.clearFaults();
    expect(await wire.closed).toBe('end');
  },
  status: async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'status', code: 502, command: 'trade/balance' });
    expect(await wire.get(DEPOSIT)).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n[^]*\r\n\r\n502 Bad Gateway$/);
    expect(mutations()).toBe(0);
    expect(await wire.get(READ)).toContain('"0 Done"');
  },
  html: async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'html' });
    const answer = await wire.get(READ);
    expect(answer).toContain('HTTP/1.1 200 OK');
    expect(answer).toContain('Content-Type: text/html');
    expect(bodyOf(answer)).toMatch(/^<html>/);
    expect(await wire.get(READ)).toContain('"0 Done"');
  },
  redirect: async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'redirect' });
    expect(await wire.get(READ)).toMatch(/^HTTP\/1\.1 302 Found\r\n[^]*Location: https:\/\/example\.invalid\/\r\n/);
  },
  'forbidden-once': async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'forbidden-once' });
    expect(bodyOf(await wire.get('/api/test/access'))).toContain('"0 Done"');
    expect(await wire.get(READ)).toMatch(/^HTTP\/1\.1 403 [^]*\r\n\r\n403 Forbidden$/);
    expect(await wire.get(READ)).toContain('"0 Done"');
  },
  'refuse-sign-in': async () => {
    simulator.fault({ kind: 'refuse-sign-in', code: 1012, count: 2 });
    const client = new Mt5Client(simulator);
    expect((await client.signIn()).json).toEqual({ retcode: '1012 IP address unallowed for manager' });
    expect((await client.signIn()).retcode).toBe(1012);
    expect((await client.signIn()).retcode).toBe(0);
    simulator.fault({ kind: 'refuse-sign-in', code: 403, command: 'auth/answer' });
    expect(await client.signIn()).toMatchObject({ status: 403, text: '403 Forbidden' });
    expect(simulator.stats()).toMatchObject({ handshakes: 1, handshakeFailures: 3 });
    client.close();
  },
  'wrong-cli-rand-answer': async () => {
    simulator.fault({ kind: 'wrong-cli-rand-answer' });
    const client = new Mt5Client(simulator);
    const proven = '1732021b1b332f51660b2b315eed3a35';
    expect((await client.signIn()).json?.['cli_rand_answer']).not.toBe(proven);
    expect((await client.signIn()).json?.['cli_rand_answer']).toBe(proven);
    client.close();
  },
  truncate: async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'truncate', command: 'trade/balance' });
    ask(wire, DEPOSIT);
    expect(await wire.closed).toBe('end');
    const declared = Number(/Content-Length: (\d+)/.exec(wire.received)?.[1]);
    expect(bodyOf(wire.received).length).toBe(Math.floor(declared / 2));
    expect(mutations()).toBe(1);
  },
  'wrong-length': async () => {
    const wire = await signedIn();
    const { length } = bodyOf(await wire.get(READ));
    simulator.fault({ kind: 'wrong-length' });
    ask(wire, READ);
    await wire.until(/\}\}$/);
    expect(wire.received).toContain(`Content-Length: ${length - 10}\r\n`);
    expect(bodyOf(wire.received).length).toBe(length);
  },
  'chunked-without-end': async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'chunked-without-end', command: 'test/access' });
    ask(wire, '/api/test/access');
    ask(wire, READ);
    await wire.until(/Transfer-Encoding: chunked\r\n[^]*\r\n\r\n14\r\n\{"retcode":"0 Done"\}\r\n$/);
    expect(await (await signedIn()).get(READ)).toContain('"0 Done"');
    expect(wire.received).toMatch(/\}\r\n$/);
  },
  huge: async () => {
    const client = new Mt5Client(simulator);
    await client.signIn();
    simulator.fault({ kind: 'huge' });
    const answer = await client.send(READ);
    expect(answer.text.length).toBeGreaterThan(32 * 1024 * 1024);
    expect(answer.retcode).toBe(0);
    client.close();
  },
  'slow-drip': async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'slow-drip', ms: 1, command: 'test/access' });
    const sizes: number[] = [];
    wire.socket.on('data', (text: string) => sizes.push(text.length));
    expect(bodyOf(await wire.get('/api/test/access'))).toBe('{"retcode":"0 Done"}');
    expect(sizes.length).toBeGreaterThan(10);
  },
  slow: async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'slow', ms: 80, command: 'trade/balance' });
    simulator.fault({ kind: 'slow', ms: 40, command: 'trade/balance' });
    const asked = performance.now();
    ask(wire, DEPOSIT);
    await expect.poll(mutations).toBe(1);
    expect(wire.received).toBe('');
    expect(await wire.answer()).toContain('"0 Done"');
    expect(performance.now() - asked).toBeGreaterThanOrEqual(119);
  },
  maintenance: async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'maintenance', ms: 60_000 });
    expect(await wire.closed).toBe('end');
    await expect(Wire.connect(simulator)).rejects.toThrow();
    simulator.clearFaults();
    expect(await (await signedIn()).get(READ)).toContain('"0 Done"');
    simulator.fault({ kind: 'maintenance', ms: 50 });
    await expect.poll(() => Wire.connect(simulator).then((again) => again.close())).toBeUndefined();
  },
  'silent-connect': async () => {
    const before = await signedIn();
    simulator.fault({ kind: 'silent-connect', ms: 60_000 });
    const socket = tls.connect({ host: simulator.host, port: simulator.port, ca: simulator.certificatePem });
    await once(socket, 'connect');
    expect(await before.get(READ)).toContain('"0 Done"');
    expect(socket.authorized).toBe(false);
    socket.destroy();
    simulator.clearFaults();
    expect(await (await signedIn()).get(READ)).toContain('"0 Done"');
  },
  'freeze-feed': async () => {
    const client = await quotes();
    simulator.fault({ kind: 'freeze-feed', ms: 60_000 });
    const { transId } = await client.last(0);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(await client.last(transId)).toEqual({ transId, ticks: [] });
    simulator.clearFaults();
    await expect.poll(async () => (await client.last(transId)).ticks.length).toBeGreaterThan(0);
    client.close();
  },
  gap: async () => {
    const client = await quotes();
    simulator.fault({ kind: 'gap', ms: 60_000 });
    const { transId } = await client.last(0);
    await expect.poll(async () => (await client.last(transId)).transId).toBeGreaterThan(transId);
    expect((await client.last(transId)).ticks).toEqual([]);
    client.close();
  },
  'out-of-order': async () => {
    const client = await quotes();
    let { transId, ticks } = await client.last(0);
    const latest = new Map(ticks.map((tick) => [tick.Symbol, Number(tick.DatetimeMsc)]));
    simulator.fault({ kind: 'out-of-order', ms: 60_000 });
    await expect
      .poll(async () => {
        ({ transId, ticks } = await client.last(transId));
        const late = ticks.some((tick) => Number(tick.DatetimeMsc) < (latest.get(tick.Symbol) ?? 0));
        for (const tick of ticks) latest.set(tick.Symbol, Number(tick.DatetimeMsc));
        return late;
      })
      .toBe(true);
    client.close();
  },
};

describe('each fault, seen on the wire', () => {
  test.each(Object.entries(SEEN))('%s', (_kind, see) => see());
});

describe('which request meets a fault', () => {
  test('without a command: any but the sign-in and the ping, as often as counted', async () => {
    simulator.fault({ kind: 'status', count: 2 });
    const wire = await signedIn();
    expect(await wire.get('/api/test/access')).toContain('200 OK');
    expect(await wire.get(READ)).toContain('503 Service Unavailable');
    expect(await wire.get('/api/time/server')).toContain('503 Service Unavailable');
    expect(await wire.get(READ)).toContain('200 OK');
  });

  test('by command, by the beginning of a command, or all', async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'status', code: 500, command: 'user/get' });
    simulator.fault({ kind: 'status', code: 501, command: 'time/*' });
    expect(await wire.get('/api/time/server')).toContain('501 Not Implemented');
    expect(await wire.get(READ)).toContain('500 Internal Server Error');
    simulator.fault({ kind: 'status', command: '*', count: 'always' });
    expect(await wire.get('/api/test/access')).toContain('503');
    expect(await wire.get('/api/auth/start?version=484&agent=t&login=1000&type=manager')).toContain('503');
    simulator.clearFaults();
    expect(await wire.get('/api/test/access')).toContain('200 OK');
  });

  test('delays go with any other fault; of two spoilers the second waits', async () => {
    const wire = await signedIn();
    simulator.fault({ kind: 'status', code: 500 });
    simulator.fault({ kind: 'html' });
    simulator.fault({ kind: 'slow', ms: 50 });
    const asked = performance.now();
    expect(await wire.get(READ)).toContain('500 Internal Server Error');
    expect(performance.now() - asked).toBeGreaterThanOrEqual(49);
    expect(await wire.get(READ)).toContain('<html>');
    expect(await wire.get(READ)).toContain('"0 Done"');
  });
});
