import { evictDurableObject, runDurableObjectAlarm, runInDurableObject, SELF } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Frame } from '../../container/contract/frames.ts';
import { placeBroker } from '../../worker/placement.ts';
import { TEST_KEYS } from '../support/test-keys.ts';
import { FakeContainer } from './fake-container.ts';
import { FakePoller } from './fake-poller.ts';

const name = placeBroker('main', 1);
const bridge = env.BRIDGE.getByName(name);
const hub = env.STREAM_HUB.getByName(name);
let pollers: FakePoller[] = [];

/** What touches sockets of the container must run inside the object that owns it. */
const inside = <T>(body: () => T): Promise<T> => runInDurableObject(bridge, body);
const poller = (): FakePoller => pollers.at(-1) as FakePoller;

beforeEach(() => {
  pollers = [];
  FakeContainer.of(env.BRIDGE.idFromName(name).toString()).program = (start) => {
    const poller = new FakePoller(start);
    pollers.push(poller);
    return poller.bridge;
  };
});
/** Everybody leaves; the hub lets go of the container; the process ends. */
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.close();
  await expect.poll(() => pollers.at(-1)?.open ?? 0).toBe(0);
  await inside(() => pollers.at(-1)?.crash());
});

const clients: Client[] = [];

class Client {
  readonly frames: Frame[] = [];
  readonly socket: WebSocket;
  closed: number | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    clients.push(this);
    socket.accept();
    socket.addEventListener('message', ({ data }) => {
      this.frames.push(JSON.parse(String(data)) as Frame);
    });
    socket.addEventListener('close', ({ code }) => {
      this.closed = code;
    });
  }

  send(operation: object): void {
    this.socket.send(JSON.stringify(operation));
  }

  async until(type: Frame['type'], count = 1): Promise<Frame> {
    const found = (): Frame[] => this.frames.filter((frame) => frame.type === type);
    await expect.poll(() => found().length).toBeGreaterThanOrEqual(count);
    return found()[count - 1] as Frame;
  }

  async untilEvent(event: string): Promise<Frame> {
    const found = (): Frame | undefined =>
      this.frames.find(({ type, data }) => type === 'system' && (data as { event: string }).event === event);
    await expect.poll(found).toBeDefined();
    return found() as Frame;
  }
}

async function connect(headers: Record<string, string> = { 'x-api-key': TEST_KEYS.read }): Promise<Client> {
  const answer = await SELF.fetch('http://bridge/v1/stream', { headers: { upgrade: 'websocket', ...headers } });
  expect(answer.status).toBe(101);
  return new Client(answer.webSocket as WebSocket);
}

describe('the hub', () => {
  it('passes on what the container sends, with the sequence that the container gave', async () => {
    const client = await connect();
    client.send({ op: 'subscribe', id: 'a', topic: 'ticks', symbols: ['EURUSD'] });
    expect(await client.until('ack')).toMatchObject({ id: 'a', topic: 'ticks' });
    const snapshot = await client.until('snapshot');
    expect(snapshot).toMatchObject({ epoch: poller().bridge.epoch, data: [{ symbol: 'EURUSD' }] });
    await inside(() => poller().change('ticks', 'EURUSD', { symbol: 'EURUSD', bid: '1.1' }));
    expect(await client.until('delta')).toMatchObject({ prev: snapshot.seq, seq: snapshot.seq + 1 });
  });

  it('follows groups as the container does, for a bound key those of its logins', async () => {
    const [wide, bound] = [await connect(), await connect({ 'x-api-key': TEST_KEYS.masked })];
    for (const client of [wide, bound]) {
      client.send({ op: 'subscribe', topic: 'positions', groups: ['real\\*', '!real\\test*'] });
      await client.until('snapshot');
    }
    expect(poller().wanted).toEqual([
      'want positions group::real\\*,!real\\test*',
      'want positions group:1001,1005-1010:real\\*,!real\\test*',
    ]);
  });

  it('keeps clients over the death of the container: replaced, gap, snapshot, and on', async () => {
    const client = await connect();
    client.send({ op: 'subscribe', topic: 'ticks', symbols: ['EURUSD'] });
    const { epoch } = await client.until('snapshot');
    client.frames.length = 0;
    await inside(() => poller().crash());
    await client.untilEvent('session_lost');
    expect(await client.untilEvent('session_replaced')).toMatchObject({ epoch: epoch + 1 });
    const gap = await client.until('gap');
    expect(gap).toMatchObject({ topic: 'ticks', epoch: epoch + 1, prev: 0 });
    expect(await client.until('snapshot')).toMatchObject({ epoch: epoch + 1, prev: gap.seq });
    await inside(() => poller().change('ticks', 'EURUSD', { bid: '2' }));
    expect(await client.until('delta')).toMatchObject({ prev: gap.seq });
    expect(client.closed).toBe(undefined);
  });

  it('sleeps with its clients connected, answers their pings asleep, and wakes with gap and snapshot', async () => {
    const client = await connect();
    client.send({ op: 'subscribe', topic: 'ticks', symbols: ['EURUSD'] });
    const { seq, epoch } = await client.until('snapshot');
    await inside(() =>
      poller().emit({ kind: 'system', event: 'market_closed', data: { opensAtMs: Date.now() + 60_000 } }),
    );
    await client.untilEvent('market_closed');
    expect(await client.until('stale')).toMatchObject({ topic: 'ticks', data: { symbols: ['EURUSD'] } });
    // The upstream is closed: the container may sleep.
    await expect.poll(() => poller().open).toBe(0);
    await evictDurableObject(hub);
    client.frames.length = 0;
    client.socket.send('{"op":"ping"}');
    expect(await client.until('heartbeat')).toMatchObject({ topic: 'system', epoch });
    expect(poller().open).toBe(0);
    // The market opens.
    expect(await runDurableObjectAlarm(hub)).toBe(true);
    expect(await client.until('gap')).toMatchObject({ topic: 'ticks', prev: seq });
    expect(await client.until('snapshot')).toMatchObject({ topic: 'ticks', data: [{ symbol: 'EURUSD' }] });
    expect(client.closed).toBe(undefined);
  });

  it('resumes a client that was away: all that it missed, once, and no gap', async () => {
    const away = await connect();
    away.send({ op: 'subscribe', topic: 'deals', logins: [1001] });
    const { epoch, seq } = await away.until('snapshot');
    const stays = await connect();
    stays.send({ op: 'subscribe', topic: 'deals', logins: [1001] });
    await stays.until('snapshot');
    away.socket.close();
    for (const ticket of ['1', '2', '3']) await inside(() => poller().change('deals', '1001', { ticket }));
    await stays.until('delta', 3);
    const back = await connect();
    back.send({ op: 'resume', topic: 'deals', logins: [1001], epoch, seq });
    expect(await back.until('delta')).toMatchObject({
      prev: seq,
      data: [{ ticket: '1' }, { ticket: '2' }, { ticket: '3' }],
    });
    expect(back.frames.filter(({ type }) => type === 'gap')).toEqual([]);
  });

  it.each(['{', '{"kind":"change","topic":"ticks","seq":9,"changes":[{}]}', '{"kind":"other"}'])(
    'opens the link again where the container sends something that is not an event: %s',
    async (text) => {
      const client = await connect();
      client.send({ op: 'subscribe', topic: 'ticks', symbols: ['EURUSD'] });
      await client.until('snapshot');
      await inside(() => poller().send(text));
      await client.untilEvent('session_lost');
      await client.untilEvent('session_restored');
      await inside(() => poller().change('ticks', 'EURUSD', { bid: '2' }));
      await client.until('delta');
      expect(client.closed).toBeUndefined();
    },
  );

  it('lets go of the container when nobody listens', async () => {
    const client = await connect();
    client.send({ op: 'subscribe', topic: 'positions', logins: [1001] });
    await client.until('snapshot');
    expect(poller().open).toBe(1);
    client.socket.close();
    await expect.poll(() => poller().open).toBe(0);
  });

  it('closes a client that is sent much and shows no sign of reading, keeps one that pings, and says so at first', async () => {
    const silent = await connect();
    silent.send({ op: 'subscribe', topic: 'ticks', symbols: ['EURUSD'] });
    expect(await silent.until('ack')).toMatchObject({ data: { pingWithinBytes: 262_144, maxLagMs: 1_000 } });
    await silent.until('snapshot');
    const lively = await connect();
    lively.send({ op: 'subscribe', topic: 'ticks', symbols: ['EURUSD'] });
    await lively.until('snapshot');
    const fill = 'x'.repeat(50_000);
    await expect
      .poll(
        async () => {
          lively.send({ op: 'ping' });
          await inside(() => poller().change('ticks', 'EURUSD', { fill }));
          return silent.closed;
        },
        { interval: 50 },
      )
      .toBe(4008);
    expect(lively.closed).toBeUndefined();
    lively.socket.close();
  });

  it('takes a key as first message or subprotocol, never echoes it, and refuses a wrong one with 4001', async () => {
    const first = await connect({});
    first.send({ op: 'subscribe', topic: 'system' });
    expect(await first.until('error')).toMatchObject({ data: { code: 'unauthenticated' } });
    first.send({ op: 'auth', key: TEST_KEYS.read });
    expect(await first.until('ack')).toMatchObject({ topic: 'system', data: { silenceLimitMs: 10_000 } });
    const wrong = await connect({});
    wrong.send({ op: 'auth', key: 'nonsense' });
    await expect.poll(() => wrong.closed).toBe(4001);
    const answer = await SELF.fetch('http://bridge/v1/stream', {
      headers: { upgrade: 'websocket', 'sec-websocket-protocol': `mt5-edge-bridge, bearer.${TEST_KEYS.read}` },
    });
    expect(answer.headers.get('sec-websocket-protocol')).toBe('mt5-edge-bridge');
    const browser = new Client(answer.webSocket as WebSocket);
    await browser.until('ack');
    // Keys were looked at and nothing was asked for: the container was not started.
    expect(pollers).toEqual([]);
  });

  it('closes the streams of a session that was revoked', async () => {
    const caller = { id: 'session:s1', sessionId: 's1', scopes: ['read'], logins: [[1001, 1001]] };
    const answer = await hub.fetch('http://hub/v1/stream', {
      headers: { upgrade: 'websocket', 'x-bridge-caller': JSON.stringify(caller), 'x-bridge-proof': 'sha256:x' },
    });
    const client = new Client(answer.webSocket as WebSocket);
    client.send({ op: 'subscribe', topic: 'orders', logins: [1002] });
    expect(await client.until('error')).toMatchObject({ data: { code: 'login_not_allowed' } });
    await hub.ended(['session:s1']);
    await expect.poll(() => client.closed).toBe(4001);
  });

  it('speaks server-sent events too', async () => {
    const answer = await SELF.fetch('http://bridge/v1/stream/sse?topics=ticks&symbols=EURUSD', {
      headers: { 'x-api-key': TEST_KEYS.read },
    });
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('"type":"snapshot"')) text += (await reader?.read())?.value ?? '';
    expect(text).toMatch(/id: \d+:ticks=\d+\ndata: \{"type":"snapshot","topic":"ticks"/);
    await reader?.cancel();
  });
});
