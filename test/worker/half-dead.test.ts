import { runInDurableObject, SELF } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../container/contract/frames.ts';
import type { JournalEntry } from '../../container/state/state-api.ts';
import { placeBroker } from '../../worker/placement.ts';
import { TEST_KEYS } from '../support/test-keys.ts';
import { FakeBridge, type FakeBridgeOptions } from './fake-bridge.ts';
import { FakeContainer } from './fake-container.ts';
import { FakePoller } from './fake-poller.ts';
import type { BridgeContainer } from './worker.ts';

/** A tenth of the product's patience. */
const HASTY = {
  pingEveryMs: 100,
  lateMs: 1_500,
  lookAfterMs: 200,
  lookTimeoutMs: 200,
  frozenAfterMs: 1_000,
  portGoneAfterMs: 400,
};

function newBridge(options: FakeBridgeOptions = {}) {
  const id = env.BRIDGE.newUniqueId();
  const stub = env.BRIDGE.get(id) as DurableObjectStub<BridgeContainer>;
  const container = FakeContainer.of(id.toString());
  container.heartbeat = HASTY;
  const programs: FakeBridge[] = [];
  container.program = (start) => {
    const program = new FakeBridge(start, options);
    programs.push(program);
    return program;
  };
  const inside = <T>(body: (bridge: BridgeContainer) => T | Promise<T>): Promise<T> =>
    runInDurableObject(stub, (bridge) => body(bridge));
  const journal = async (): Promise<string[]> => {
    const told = await stub.answer(
      'adminJournal',
      { params: {}, query: { limit: 100 }, body: undefined, decimals: 'string' },
      { id: 't', scopes: ['admin'] },
    );
    const { items } = JSON.parse(told.ok ? told.value : '{}') as { items: JournalEntry[] };
    return items.map(({ event, reason }) => `${event}: ${reason}`).reverse();
  };
  const freeze = (): Promise<void> =>
    inside(() => {
      container.isFrozen = true;
      const program = programs.at(-1);
      if (program) program.isDeaf = true;
    });
  return { stub, inside, container, programs, journal, freeze };
}

const read = (deadlineMs = 10_000): Request =>
  new Request('http://bridge/v1/x', {
    headers: {
      'x-bridge-caller': '{"id":"t","scopes":["read"]}',
      'x-bridge-replay': 'safe',
      'x-bridge-deadline': String(Date.now() + deadlineMs),
    },
  });
const write = (key: string, deadlineMs: number): Request =>
  new Request('http://bridge/v1/orders', {
    method: 'POST',
    body: '{}',
    headers: {
      'x-bridge-caller': '{"id":"t","scopes":["trade"]}',
      'x-bridge-deadline': String(Date.now() + deadlineMs),
      'idempotency-key': key,
    },
  });

describe('a frozen container', () => {
  it('is found by heartbeat and port, killed and replaced; reads that wait at it are answered by the next', async () => {
    const { stub, container, journal, freeze } = newBridge();
    await (await stub.fetch(read())).text();
    await freeze();
    const answers = await Promise.all(Array.from({ length: 20 }, () => stub.fetch(read())));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    await Promise.all(answers.map((answer) => answer.text()));
    expect(container.starts).toHaveLength(2);
    expect((await journal()).filter((line) => !line.startsWith('ready'))).toEqual([
      'start: request',
      'crash: The program hung: it answered nothing for ten seconds. It was killed.',
      'start: request',
    ]);
  });

  it('an order without a row in the ledger is not sent: told at its deadline, or when the container is dead', async () => {
    const { stub, programs, freeze } = newBridge();
    await (await stub.fetch(read())).text();
    await freeze();
    const [early, late] = await Promise.all([stub.fetch(write('early', 500)), stub.fetch(write('late', 8_000))]);
    for (const answer of [early, late])
      expect(await answer.json()).toMatchObject({ code: 'container_unavailable', outcome: 'not_sent', retry: 'after' });
    expect(programs.flatMap(({ requests }) => requests.map(({ method }) => method))).toEqual(['GET']);
  });

  it('a pause that ends in time costs nothing: no kill, no start', async () => {
    const { stub, inside, container, programs, freeze } = newBridge();
    await (await stub.fetch(read())).text();
    await freeze();
    const timedOut = await stub.fetch(read(500));
    expect(timedOut.status).toBe(504);
    await timedOut.text();
    await inside(() => {
      container.isFrozen = false;
      const program = programs[0];
      if (program) program.isDeaf = false;
    });
    await expect.poll(() => programs[0]?.received.filter(({ type }) => type === 'ping').length).toBeGreaterThan(3);
    expect((await stub.fetch(read())).status).toBe(200);
    expect(container.starts).toHaveLength(1);
  });

  it('a channel that brings nothing while the port answers is opened again', async () => {
    const { stub, inside, container, programs } = newBridge();
    await (await stub.fetch(read())).text();
    await inside(() => {
      const program = programs[0];
      if (program) program.isDeaf = true;
    });
    await expect.poll(() => programs[0]?.hellos).toBe(2);
    await inside(() => {
      const program = programs[0];
      if (program) program.isDeaf = false;
    });
    expect((await stub.fetch(read())).status).toBe(200);
    expect(container.starts).toHaveLength(1);
  });

  it('warming waits for the next one, and does not call the frozen one ready', async () => {
    const { stub, container, freeze } = newBridge();
    await (await stub.fetch(read())).text();
    await freeze();
    expect(await stub.warm('cron')).toMatchObject({ ok: true, value: { ready: true, session: { epoch: 2 } } });
    expect(container.starts).toHaveLength(2);
  });
});

it('a port that is gone under a greeted container: found, killed, replaced; the waiting read is answered', async () => {
  const { stub, inside, container, journal } = newBridge();
  await (await stub.fetch(read())).text();
  await inside(() => {
    container.isListening = false;
    const { program } = container;
    container.program = (start) => {
      container.isListening = true;
      return program(start);
    };
  });
  expect((await stub.fetch(read())).status).toBe(200);
  expect(container.starts).toHaveLength(2);
  expect((await journal()).filter((line) => line.startsWith('crash'))).toEqual([
    'crash: The program no longer listened at its port. It was killed.',
  ]);
});

describe('a stop', () => {
  it('during a start waits for hello, then drains: no failed start, no crash', async () => {
    const { stub, inside, container, programs, journal } = newBridge();
    container.isListening = false;
    const warming = stub.warm('admin');
    await expect.poll(() => container.starts.length).toBe(1);
    const stopping = stub.sleep();
    await inside(() => (container.isListening = true));
    await Promise.all([warming, stopping]);
    await expect.poll(async () => (await stub.status()).container.state).toBe('stopped');
    expect(programs[0]?.received.map(({ type }) => type)).toContain('drain');
    const lines = (await journal()).filter((line) => !line.startsWith('ready'));
    expect(lines).toEqual(['start: admin', 'sleep: An administrator asked for it.']);
  });

  it.each([0, 143])('by the platform during a start (exit %i) is followed by a start, not by a wait', async (code) => {
    const { stub, container, journal } = newBridge();
    const { program } = container;
    container.program = (start) => {
      container.program = program;
      setTimeout(() => start.exit(code), 50);
      return { fetch: () => new Promise<Response>(() => undefined) };
    };
    expect((await stub.fetch(read())).status).toBe(200);
    expect(container.starts).toHaveLength(2);
    const lines = (await journal()).filter((line) => !line.startsWith('ready'));
    expect(lines).toEqual(['stop: It was asked to end while it started.', 'start: request']);
  });
});

it('streams tell stale and session_lost when the container hangs, and go on with the next one', async () => {
  const id = env.BRIDGE.idFromName(placeBroker('main', 1));
  const bridge = env.BRIDGE.get(id) as DurableObjectStub<BridgeContainer>;
  const container = FakeContainer.of(id.toString());
  container.heartbeat = HASTY;
  const pollers: FakePoller[] = [];
  container.program = (start) => {
    const poller = new FakePoller(start);
    pollers.push(poller);
    return poller.bridge;
  };
  const { webSocket } = await SELF.fetch('http://bridge/v1/stream', {
    headers: { upgrade: 'websocket', 'x-api-key': TEST_KEYS.read },
  });
  const frames: Frame[] = [];
  webSocket?.accept();
  webSocket?.addEventListener('message', ({ data }) => {
    frames.push(JSON.parse(String(data)) as Frame);
  });
  webSocket?.send(JSON.stringify({ op: 'subscribe', topic: 'ticks', symbols: ['EURUSD'] }));
  const seen = (what: string): boolean =>
    frames.some(({ type, data }) => type === what || (data as { event?: string } | undefined)?.event === what);
  await expect.poll(() => seen('snapshot')).toBe(true);
  frames.length = 0;
  await runInDurableObject(bridge, () => {
    container.isFrozen = true;
    const poller = pollers[0];
    if (poller) poller.bridge.isDeaf = true;
  });
  for (const what of ['session_lost', 'stale', 'session_replaced', 'gap', 'snapshot'])
    await expect.poll(() => seen(what)).toBe(true);
  expect(frames.find(({ type }) => type === 'stale')?.data).toEqual({ symbols: ['EURUSD'] });
  expect(pollers).toHaveLength(2);
  webSocket?.close();
});

describe('a road that fails every request', () => {
  it('is left alone, each caller answered at once; one request a wait tries it', async () => {
    let isBroken = true;
    const answer = (): Response => {
      if (isBroken) throw new Error('Network connection lost.');
      return new Response('fine');
    };
    const { stub, inside, programs, journal } = newBridge({ answer });
    const asked = (): number => programs.reduce((sum, { requests }) => sum + requests.length, 0);
    const code = async (): Promise<unknown> => (await (await stub.fetch(read())).json<{ code: string }>()).code;
    const codes: unknown[] = [];
    for (let i = 0; i < 6; i++) codes.push(await code());
    expect(codes).toEqual([...Array.from({ length: 5 }, () => 'container_unavailable'), 'circuit_open']);
    const before = asked();
    const held = await stub.fetch(read());
    expect([held.status, held.headers.get('retry-after')]).toEqual([503, '1']);
    await held.text();
    expect(asked()).toBe(before);
    expect(await stub.status()).toMatchObject({ ready: false, circuits: { road: { state: 'open', failures: 5 } } });
    isBroken = false;
    await inside((bridge) => (bridge.nowMs = Date.now() + 1_000));
    expect(await (await stub.fetch(read())).text()).toBe('fine');
    expect(await stub.status()).toMatchObject({ ready: true, circuits: { road: { state: 'closed' } } });
    expect((await journal()).filter((line) => line.startsWith('circuit'))).toEqual([
      'circuit: The circuit of the road to the container opened: The connection to the container broke.',
      'circuit: The road to the container carries again: its circuit closed.',
    ]);
  });
});
