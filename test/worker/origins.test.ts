import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { BeginDecision, JournalEntry } from '../../container/state/state-api.ts';
import { FakeBridge, type FakeBridgeOptions } from './fake-bridge.ts';
import { FakeContainer } from './fake-container.ts';
import { FakeVps } from './fake-vps.ts';
import type { BridgeContainer } from './worker.ts';

const KEY = 'a-key-that-both-know-of-32-or-more';

/** Tells what the ledger says to a write, and which side it was; dies of one whose key begins with `lost`, once it is begun. */
const begins =
  (side: string) =>
  async (request: Request, bridge: FakeBridge): Promise<Response> => {
    const key = request.headers.get('idempotency-key');
    if (key === null) return Response.json({ side });
    const begun = await bridge.call<BeginDecision>('operations.begin', {
      caller: 't',
      key,
      kind: 'order',
      tag: `MEB-${key}`,
      login: 1001,
      fingerprint: 'f',
      request: '{}',
      instanceId: bridge.instanceId,
      deadlineAtMs: Date.now() + 10_000,
      trading: true,
      budget: 't',
    });
    const { kind } = begun;
    if (kind === 'started' && key.startsWith('lost')) {
      bridge.exit(137);
      return new Promise(() => undefined);
    }
    return Response.json({ side, kind, state: 'operation' in begun ? begun.operation.state : undefined });
  };

/** A bridge of its own, its container and its VPS. */
function newWorld(variables: Record<string, string> = {}, options: FakeBridgeOptions = {}) {
  const id = env.BRIDGE.newUniqueId();
  const container = FakeContainer.of(id.toString());
  const vps = new FakeVps(KEY, { answer: begins('vps'), ...options });
  container.vps = vps;
  container.variables = {
    FALLBACK_ORIGIN: 'https://vps.example',
    FALLBACK_KEY: KEY,
    FALLBACK_AFTER_MS: '300',
    ...variables,
  };
  const world = {
    container,
    vps,
    stub: env.BRIDGE.get(id) as DurableObjectStub<BridgeContainer>,
    /** No container can be had. */
    isGone: false,
  };
  container.program = (start) => {
    if (world.isGone) container.failNextStart = new Error('Container exited with unexpected exit code: 3');
    return new FakeBridge(start, { answer: begins('container') });
  };
  const ask = async (init: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> }) => {
    const answer = await world.stub.fetch('http://bridge/v1/x', {
      ...init,
      headers: {
        'x-bridge-caller': '{"id":"t","scopes":["trade"]}',
        'x-bridge-deadline': String(Date.now() + 10_000),
        ...init.headers,
      },
    });
    return {
      status: answer.status,
      origin: answer.headers.get('x-bridge-origin'),
      body: await answer.json<Record<string, unknown>>(),
    };
  };
  return Object.assign(world, {
    read: () => ask({ headers: { 'x-bridge-replay': 'safe' } }),
    write: (key: string, forMs = 10_000) =>
      ask({
        method: 'POST',
        body: '{}',
        headers: { 'idempotency-key': key, 'x-bridge-deadline': String(Date.now() + forMs) },
      }),
    origin: async () => (await world.stub.status()).origin,
    inside: <T>(body: (bridge: BridgeContainer) => T | Promise<T>): Promise<T> =>
      runInDurableObject(world.stub, (bridge) => body(bridge)),
    journal: async (): Promise<string[]> => {
      const told = await world.stub.answer(
        'adminJournal',
        { params: {}, query: { limit: 100 }, body: undefined, decimals: 'string' },
        { id: 't', scopes: ['admin'] },
      );
      const { items } = JSON.parse(told.ok ? told.value : '{}') as { items: JournalEntry[] };
      return items.map(({ event, reason }) => `${event}: ${reason}`).reverse();
    },
  });
}

describe('a fallback', () => {
  it('answers reads when no container can be had, says so, and gives the session back by itself', async () => {
    const world = newWorld();
    world.isGone = true;
    expect(await world.read()).toMatchObject({ status: 200, origin: 'fallback', body: { side: 'vps' } });
    expect(await world.origin()).toMatchObject({
      name: 'fallback',
      reason: expect.stringContaining('exit code 3') as string,
    });
    expect(await world.stub.status()).toMatchObject({
      ready: true,
      level: 'look',
      verdict: expect.stringContaining('The fallback answers.') as string,
      session: { epoch: 1 },
    });
    // Not allowed to write there.
    expect(await world.write('one')).toMatchObject({ status: 503, body: { outcome: 'not_sent' } });
    world.isGone = false;
    await world.inside((bridge) => (bridge.nowMs = Date.now() + 60_000));
    await expect.poll(async () => (await world.origin()).name).toBe('container');
    expect(await world.read()).toMatchObject({ origin: 'container', body: { side: 'container' } });
    expect(world.vps.programs).toHaveLength(2);
    await expect.poll(async () => (await world.stub.status()).session.epoch).toBe(2);
    const lines = (await world.journal()).filter((line) => /^(ready|hand_over)/.test(line));
    expect(lines).toEqual([
      expect.stringMatching(/^hand_over: The fallback holds the session: The container could not be started/) as string,
      'ready: signed in to broker:443',
      'hand_over: The container is back: it holds the session again.',
      'ready: signed in to broker:443',
    ]);
  });

  it('answers when the container is not ready in time; the container takes over when it is', async () => {
    const world = newWorld();
    world.container.isListening = false;
    const answer = await world.read();
    expect(answer).toMatchObject({ status: 200, origin: 'fallback' });
    expect((await world.origin()).reason).toBe('The container was not ready within 0.3 s.');
    await world.inside(() => (world.container.isListening = true));
    await expect.poll(async () => (await world.read()).origin).toBe('container');
    expect(world.container.starts).toHaveLength(1);
  });

  it('takes writes where they are allowed; what one side has in the ledger the other never sends', async () => {
    const world = newWorld({ FALLBACK_WRITES: 'on' });
    expect(await world.write('a')).toMatchObject({ origin: 'container', body: { kind: 'started' } });
    world.isGone = true;
    await world.inside(() => world.container.exit(137));
    expect(await world.write('b')).toMatchObject({ origin: 'fallback', body: { kind: 'started' } });
    expect(await world.write('a')).toMatchObject({ origin: 'fallback', body: { kind: 'replay' } });
    world.isGone = false;
    await world.inside((bridge) => (bridge.nowMs = Date.now() + 60_000));
    await expect.poll(async () => (await world.origin()).name).toBe('container');
    for (const key of ['a', 'b'])
      expect(await world.write(key)).toMatchObject({ origin: 'container', body: { kind: 'replay' } });
  });

  it('never begins what the container may have begun: it is unknown there, too, for as long as the ledger says so', async () => {
    const world = newWorld({ FALLBACK_WRITES: 'on' });
    await world.read();
    world.isGone = true;
    expect(await world.write('lost', 500)).toMatchObject({
      status: 202,
      body: { operation: { key: 'lost', state: 'unknown', outcome: 'unknown' } },
    });
    expect(await world.read()).toMatchObject({ origin: 'fallback' });
    const unknown = { origin: 'fallback', body: { kind: 'replay', state: 'unknown' } };
    // Claimed for the container until the deadline of the first: nobody else is asked before.
    await expect.poll(() => world.write('lost', 500), { timeout: 15_000 }).toMatchObject(unknown);
    expect(await world.write('other')).toMatchObject({ origin: 'fallback', body: { kind: 'started' } });
  });

  it('that cannot be had either leaves the reason of the container; with another key it is not spoken to', async () => {
    const world = newWorld();
    world.isGone = true;
    world.vps.isDown = true;
    expect(await world.read()).toMatchObject({
      status: 503,
      body: { detail: expect.stringContaining('exit code 3') as string },
    });
    const other = newWorld({ FALLBACK_KEY: KEY.replace('a-key', 'no-key') });
    other.isGone = true;
    expect((await other.read()).status).toBe(503);
    expect(other.vps.programs[0]?.requests).toEqual([]);
  });

  it('is where the hub’s stream goes, too', async () => {
    const world = newWorld();
    world.isGone = true;
    await world.read();
    const stream = await world.stub.fetch('http://bridge/internal/stream', { headers: { upgrade: 'websocket' } });
    expect(stream.status).toBe(200);
    expect(world.vps.urls).toContain('https://vps.example/internal/stream');
    await stream.text();
  });
});

describe('ORIGIN=vps', () => {
  it('no container is started: the VPS answers, holds the session and has its memory here', async () => {
    const world = newWorld({ ORIGIN: 'vps', VPS_ORIGIN: 'https://main.example', VPS_KEY: KEY, FALLBACK_ORIGIN: '' });
    expect(await world.read()).toMatchObject({ status: 200, origin: 'vps', body: { side: 'vps' } });
    expect(await world.write('a')).toMatchObject({ body: { kind: 'started' } });
    expect(world.vps.urls[0]).toBe('https://main.example/internal/control');
    expect(await world.stub.warm('admin')).toMatchObject({ ok: true, value: { ready: true, origin: { name: 'vps' } } });
    expect(world.container.starts).toEqual([]);
    world.vps.isDown = true;
    await world.inside(() => world.vps.programs[0]?.dropChannel());
    expect(await world.read()).toMatchObject({
      status: 503,
      body: { detail: expect.stringContaining('VPS cannot be reached') as string },
    });
  });

  it('the container may be its fallback', async () => {
    const world = newWorld({
      ORIGIN: 'vps',
      VPS_ORIGIN: 'https://main.example',
      VPS_KEY: KEY,
      FALLBACK_ORIGIN: 'container',
    });
    world.vps.isDown = true;
    expect(await world.read()).toMatchObject({ origin: 'fallback', body: { side: 'container' } });
    world.vps.isDown = false;
    await world.inside((bridge) => (bridge.nowMs = Date.now() + 60_000));
    await expect.poll(async () => (await world.read()).origin).toBe('vps');
    await expect.poll(() => world.container.running).toBe(false);
  });
});
