import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Frame } from '../../../container/contract/frames.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { StreamClient } from '../../support/stream-client.ts';

let simulator: Simulator;
let bridge: BridgeUnderTest;

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 100 });
  bridge = await startBridge({ simulator, streamLimits: { staleAfterMs: 1_500 } });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

const LONG = { interval: 20 };
const connect = (key = bridge.readKey): Promise<StreamClient> => StreamClient.open(`${bridge.url}/v1/stream`, { key });
const json = async (path: string, init?: RequestInit): Promise<Record<string, unknown>> =>
  (await (await bridge.fetch(path, init)).json()) as Record<string, unknown>;
const post = (path: string, body: object, key?: string): Promise<Record<string, unknown>> =>
  json(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: {
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
      ...(key ? { authorization: `Bearer ${key}` } : {}),
    },
  });

describe('ticks', () => {
  test('come as ack, snapshot, then deltas whose prev is the seq before', async () => {
    const client = await connect();
    client.send({ op: 'subscribe', id: 1, topic: 'ticks', symbols: ['EURUSD', 'GBPUSD'] });
    await expect.poll(() => client.of('delta').length, LONG).toBeGreaterThan(2);
    expect(client.frames[0]).toMatchObject({ type: 'ack', topic: 'ticks', id: 1, data: { silenceLimitMs: 10_000 } });
    const snapshot = await client.first('snapshot');
    expect(snapshot).toMatchObject({ prev: 0, data: [{ symbol: 'EURUSD' }, { symbol: 'GBPUSD' }] });
    client.expectUnbroken('ticks');
    client.close();
  });

  test('follow masks, less what they exclude', async () => {
    const client = await connect();
    client.send({ op: 'subscribe', topic: 'ticks', symbols: ['Forex\\*', '!*JPY'] });
    const { data } = await client.first('snapshot');
    const symbols = (data as { symbol: string }[]).map(({ symbol }) => symbol);
    expect(symbols).toContain('EURUSD');
    expect(symbols).not.toContain('USDJPY');
    client.close();
  });

  test('that stop while the socket lives are stale after the stated limit, and live when they are back', async () => {
    const client = await connect();
    client.send({ op: 'subscribe', topic: 'ticks', symbols: ['EURUSD'] });
    expect((await client.first('ack')).data).toMatchObject({ staleAfterMs: 1_500 });
    await client.first('delta');
    simulator.fault({ kind: 'freeze-feed', ms: 60_000 });
    await client.first('stale');
    simulator.clearFaults();
    expect(client.of('stale')[0]?.data).toEqual({ symbols: ['EURUSD'] });
    expect((await client.first('live')).data).toEqual({ symbols: ['EURUSD'] });
    client.expectUnbroken('ticks');
    client.close();
  });

  test('are resumed after a disconnection: nothing is missing, nothing comes twice', async () => {
    const [steady, first] = await Promise.all([connect(), connect()]);
    for (const client of [steady, first])
      client.send({ op: 'subscribe', topic: 'ticks', symbols: ['EURUSD', 'USDJPY'] });
    await expect.poll(() => first.of('delta').length, LONG).toBeGreaterThan(1);
    first.close();
    const last = first.frames.findLast(({ topic }) => topic === 'ticks') as Frame;
    await expect.poll(() => (steady.frames.at(-1)?.seq ?? 0) > last.seq + 10, LONG).toBe(true);
    const second = await connect();
    const { epoch, seq } = last;
    second.send({ op: 'resume', topic: 'ticks', epoch, seq, symbols: ['EURUSD', 'USDJPY'] });
    await expect.poll(() => second.of('delta').length, LONG).toBeGreaterThan(2);
    expect(second.of('gap')).toEqual([]);
    expect(second.of('delta')[0]?.prev).toBe(seq);
    const rows = (client: StreamClient): string[] =>
      client
        .of('delta')
        .filter((frame) => frame.seq > seq)
        .flatMap(({ data }) => (data as object[]).map((row) => JSON.stringify(row)));
    const resumed = rows(second);
    await expect.poll(() => rows(steady).length, LONG).toBeGreaterThanOrEqual(resumed.length);
    expect(resumed).toEqual(rows(steady).slice(0, resumed.length));
    const old = await connect();
    old.send({ op: 'resume', topic: 'ticks', epoch, seq: 0, symbols: ['EURUSD'] });
    expect(await old.first('gap')).toMatchObject({ topic: 'ticks' });
    await old.first('snapshot');
    for (const client of [steady, second, old]) client.close();
  });
});

describe('logins', () => {
  test('an order shows as deal, position and account, once each', async () => {
    const client = await connect();
    for (const topic of ['accounts', 'positions', 'orders', 'deals'])
      client.send({ op: 'subscribe', topic, logins: [1007] });
    await expect.poll(() => client.of('snapshot').length, LONG).toBe(4);
    expect(client.of('snapshot', 'accounts')[0]).toMatchObject({ data: [{ login: 1007 }] });
    const answer = await post('/v1/orders', {
      login: 1007,
      symbol: 'EURUSD',
      side: 'buy',
      type: 'market',
      volume: '0.10',
    });
    const [done] = answer['deals'] as { ticket: string }[];
    const told = (): string[] =>
      client.of('delta', 'deals').flatMap(({ data }) => (data as { ticket: string }[]).map(({ ticket }) => ticket));
    await expect.poll(told, LONG).toContain(done?.ticket);
    const opened = (): unknown[] =>
      client
        .of('delta', 'positions')
        .flatMap(({ data }) => data as { event: string }[])
        .filter(({ event }) => event === 'opened');
    await expect.poll(() => opened().length, LONG).toBe(1);
    await expect.poll(() => client.of('delta', 'accounts').length, LONG).toBeGreaterThan(0);
    expect(told()).toEqual([done?.ticket]);
    for (const topic of ['accounts', 'positions', 'deals']) client.expectUnbroken(topic);
    client.close();
  });

  test('of a group are followed as one: an order of any of its accounts shows once', async () => {
    const client = await connect();
    for (const topic of ['accounts', 'positions', 'deals']) client.send({ op: 'subscribe', topic, groups: ['*'] });
    await expect.poll(() => client.of('snapshot').length, LONG).toBe(3);
    const accounts = client.of('snapshot', 'accounts').flatMap(({ data }) => data as { login: number }[]);
    expect(accounts.map(({ login }) => login)).toContain(1008);
    const order = { login: 1008, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.10' };
    const [done] = (await post('/v1/orders', order))['deals'] as { ticket: string }[];
    const own = (topic: string): { ticket: string; event?: string }[] =>
      client
        .of('delta', topic)
        .flatMap(({ data }) => data as { login: number; ticket: string; event?: string }[])
        .filter(({ login }) => login === 1008);
    await expect.poll(() => own('deals').map(({ ticket }) => ticket), LONG).toEqual([done?.ticket]);
    await expect.poll(() => own('positions').filter(({ event }) => event === 'opened').length, LONG).toBe(1);
    client.send({ op: 'subscribe', id: 9, topic: 'deals', logins: [1008] });
    expect(await client.first('error')).toMatchObject({ id: 9, data: { code: 'invalid_field', field: 'groups' } });
    for (const topic of ['accounts', 'positions', 'deals']) client.expectUnbroken(topic);
    client.close();
  });

  test('a trader sees only the own login, and is closed with 4001 within 5 s of the revocation', async () => {
    const session = await post('/v1/sessions', { login: 1009, password: 'Client1009!' }, bridge.tradeKey);
    const client = await connect(String(session['token']));
    client.send({ op: 'subscribe', id: 1, topic: 'positions', logins: [1010] });
    expect((await client.first('error')).data).toMatchObject({ code: 'login_not_allowed' });
    client.send({ op: 'subscribe', id: 2, topic: 'positions' });
    await client.first('snapshot');
    const revokedAtMs = Date.now();
    await bridge.fetch('/v1/sessions/current', {
      method: 'DELETE',
      headers: { authorization: `Bearer ${String(session['token'])}` },
    });
    await expect.poll(() => client.closed?.code, LONG).toBe(4001);
    expect(Date.now() - revokedAtMs).toBeLessThan(5_000);
  });
});

test('more connections than MAX_CONNECTIONS are refused before they are opened', async () => {
  const small = await startBridge({ simulator, env: { MAX_CONNECTIONS: '1' } });
  const url = `${small.url}/v1/stream`;
  const first = await StreamClient.open(url, { key: small.readKey });
  await expect(StreamClient.open(url, { key: small.readKey })).rejects.toThrow('503');
  expect((await small.fetch('/v1/stream')).status).toBe(426);
  first.close();
  await small.close();
});

describe('server-sent events', () => {
  test('carry the same frames and resume by Last-Event-ID', async () => {
    const read = async (headers: Record<string, string>, enough: RegExp): Promise<string> => {
      const abort = new AbortController();
      const answer = await bridge.fetch('/v1/stream/sse?topics=ticks&symbols=EURUSD', {
        headers,
        signal: abort.signal,
      });
      expect(answer.headers.get('x-accel-buffering')).toBe('no');
      let text = '';
      for await (const bytes of answer.body ?? []) {
        text += new TextDecoder().decode(bytes as Uint8Array);
        if (enough.test(text)) break;
      }
      abort.abort();
      return text;
    };
    const first = await read({}, /"type":"delta"[^\n]*\n\n/);
    const id = [...first.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? '';
    expect(id).toMatch(/^\d+:ticks=\d+$/);
    const second = await read({ 'last-event-id': id }, /"type":"delta"[^\n]*\n\n/);
    expect(second).not.toContain('"type":"snapshot"');
    expect(second).toContain(`"prev":${id.split('=')[1]}`);
  });

  test('refuse bad questions by name', async () => {
    expect(await json('/v1/stream/sse?topics=weather')).toMatchObject({ code: 'invalid_field', field: 'query.topics' });
    expect(await json('/v1/stream/sse?topics=orders&logins=x')).toMatchObject({ field: 'query.logins' });
  });
});
