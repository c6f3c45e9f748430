import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startStreamServer, type RunningStreamServer } from '../../../scripts/bench/floors/stream-server.ts';
import { SyntheticSource } from '../../../scripts/bench/floors/synthetic-source.ts';
import { RawStream } from '../../support/raw-stream.ts';
import { StreamClient } from '../../support/stream-client.ts';

let source: SyntheticSource;
let server: RunningStreamServer;

beforeEach(async () => {
  source = new SyntheticSource();
  server = await startStreamServer(source, { maxLagMs: 1_000, lingerMs: 0 });
});
afterEach(() => server.close());

const url = (): string => `http://127.0.0.1:${server.port}/v1/stream`;
const FAST = { interval: 10 };
let published = 0;
const publish = (topic: 'ticks' | 'deals', key: string, fill = ''): void => {
  const at = ++published;
  source.publish(topic, [{ key, id: topic === 'ticks' ? key : String(at), json: JSON.stringify({ key, at, fill }) }]);
};

describe('a client that stops reading', () => {
  test('is told and closed with 4008; the others miss nothing, and little is kept for it', async () => {
    const stalled = await RawStream.open(server.port);
    stalled.text('{"op":"subscribe","topic":"ticks","symbols":["A"]}');
    const others = await Promise.all(Array.from({ length: 5 }, () => StreamClient.open(url())));
    for (const other of others) other.send({ op: 'subscribe', topic: 'ticks', symbols: ['A'] });
    await Promise.all(others.map((other) => other.first('snapshot')));
    await expect.poll(() => stalled.messages.length, FAST).toBeGreaterThan(1);
    stalled.socket.pause();

    const fill = 'x'.repeat(20_000);
    const waiting = (): number => Math.max(...[...server.service.core.connections].map((c) => c.peer.bufferedBytes));
    let most = 0;
    let sent = 0;
    while (server.service.core.counters.slowConsumers === 0) {
      publish('ticks', 'A', fill);
      sent++;
      await new Promise((resolve) => setTimeout(resolve, 1));
      most = Math.max(most, waiting());
    }
    await expect.poll(() => others.map((other) => other.of('delta').length), FAST).toEqual(others.map(() => sent));
    for (const other of others) other.expectUnbroken('ticks');
    // `aheadBytes` and what was being written.
    expect(most).toBeLessThan(1024 * 1024 + 128 * 1024);
    stalled.socket.resume();
    await expect.poll(() => stalled.ended, FAST).toBe(true);
    // What it was told last, if the platform still held it: the reason, then the code.
    if (stalled.closeCode !== undefined) expect(stalled.closeCode).toBe(4008);
    for (const other of others) other.close();
  });

  test('gets the latest of each symbol when it reads again, and every deal', async () => {
    const client = await RawStream.open(server.port);
    client.text('{"op":"subscribe","topic":"ticks","symbols":["A"]}');
    client.text('{"op":"subscribe","topic":"deals","logins":[1]}');
    await expect.poll(() => client.messages.length, FAST).toBe(4);
    client.socket.pause();
    const first = published + 1;
    const isLagging = (): boolean => server.service.core.lagging.size > 0;
    while (!isLagging()) {
      publish('ticks', 'A', 'x'.repeat(50_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let i = 0; i < 100; i++) {
      publish('ticks', 'A');
      publish('deals', '1');
    }
    const last = published;
    client.socket.resume();
    const rows = (topic: string): number[] =>
      client.messages
        .map((text) => JSON.parse(text) as { type: string; topic: string; data: { at: number }[] })
        .filter((frame) => frame.topic === topic && frame.type === 'delta')
        .flatMap((frame) => frame.data.map(({ at }) => at));
    await expect.poll(() => rows('deals').length, FAST).toBe(100);
    await expect.poll(() => rows('ticks').at(-1), FAST).toBe(last - 1);
    expect(rows('ticks').length).toBeLessThan(last - first - 100);
    client.socket.destroy();
  });
});

describe('hostile frames', () => {
  const cases: [name: string, code: number, act: (raw: RawStream) => void][] = [
    ['a message of 2 MB', 1009, (raw) => raw.frame(0x81, Buffer.alloc(2_000_000, 0x20))],
    ['bad UTF-8', 1007, (raw) => raw.frame(0x81, Buffer.from([0x7b, 0xff, 0xfe]))],
    ['a binary message', 1003, (raw) => raw.frame(0x82, Buffer.from('{}'))],
    ['an unmasked frame', 1002, (raw) => raw.frame(0x81, Buffer.from('{}'), false)],
    [
      'a flood of pings',
      1008,
      (raw) => {
        for (let i = 0; i < 1000; i++) raw.frame(0x89, Buffer.from('ping'));
      },
    ],
    [
      'a flood of messages',
      1008,
      (raw) => {
        for (let i = 0; i < 1000; i++) raw.text('{"op":"ping"}');
      },
    ],
    [
      'a hundred bad operations',
      1008,
      (raw) => {
        for (let i = 0; i < 100; i++) raw.text('{"op":"dance"}');
      },
    ],
    [
      'fragments of one byte without end',
      1008,
      (raw) => {
        raw.frame(0x01, Buffer.from(' '));
        for (let i = 0; i < 2_000; i++) raw.frame(0x00, Buffer.from(' '));
      },
    ],
  ];
  test.each(cases)('%s closes with %d, and the server goes on', async (_name, code, act) => {
    const raw = await RawStream.open(server.port);
    act(raw);
    await expect.poll(() => raw.closeCode, FAST).toBe(code);
    raw.socket.destroy();
    const client = await StreamClient.open(url());
    client.send({ op: 'ping', id: 1 });
    expect(await client.first('heartbeat')).toMatchObject({ id: 1 });
    client.close();
  });

  test.each([
    ['{', 'malformed_request', undefined],
    ['{"op":"dance","id":7}', 'invalid_field', 'op'],
    ['{"op":"subscribe","topic":"weather","id":7}', 'invalid_field', 'topic'],
    ['{"op":"subscribe","topic":"ticks","id":7}', 'invalid_field', 'symbols'],
    ['{"op":"subscribe","topic":"ticks","symbols":["A,B"],"id":7}', 'invalid_field', 'symbols[0]'],
    ['{"op":"subscribe","topic":"ticks","symbols":["A"],"logins":[1],"id":7}', 'invalid_field', 'logins'],
    ['{"op":"subscribe","topic":"orders","logins":["1"],"id":7}', 'invalid_field', 'logins[0]'],
    ['{"op":"subscribe","topic":"ticks","symbols":["A"],"extra":1,"id":7}', 'invalid_field', 'extra'],
    ['{"op":"resume","topic":"ticks","symbols":["A"],"epoch":-1,"seq":1,"id":7}', 'invalid_field', 'epoch'],
  ])('%s is an error that names the field', async (text, code, field) => {
    const client = await StreamClient.open(url());
    client.send(text);
    const error = await client.first('error');
    expect(error.data).toMatchObject({ code, ...(field === undefined ? {} : { field }) });
    if (field !== undefined) expect(error.id).toBe(7);
    client.send({ op: 'ping' });
    await client.first('heartbeat');
    client.close();
  });

  test('a message in fragments of one byte is read', async () => {
    const raw = await RawStream.open(server.port);
    const text = Buffer.from('{"op":"ping","id":5}');
    for (const [i, byte] of text.entries())
      raw.frame((i === 0 ? 0x01 : 0x00) | (i === text.length - 1 ? 0x80 : 0), Buffer.from([byte]));
    await expect.poll(() => raw.messages[0], FAST).toContain('"id":5');
    raw.socket.destroy();
  });
});

test('subscribing and leaving 10,000 times leaves nothing behind', async () => {
  const { core } = server.service;
  const client = await StreamClient.open(url());
  const symbols = Array.from({ length: 1_000 }, (_, i) => `S${i}`);
  const connection = [...core.connections][0];
  for (let i = 0; i < 10; i++) {
    connection?.receive(JSON.stringify({ op: 'subscribe', topic: 'ticks', symbols }));
    connection?.receive(JSON.stringify({ op: 'unsubscribe', topic: 'ticks', symbols }));
  }
  core.tick();
  expect(core.stats()).toMatchObject({ selectors: 0, groups: 0, ringBytes: 0 });
  expect(core.log('ticks').slices.size).toBe(0);
  client.close();
});

describe('a client whose kernel hides that it does not read', () => {
  test('answers no ping and is closed with 4008; one that answers is not', async () => {
    const open = async (autoPong: boolean): Promise<{ socket: WebSocket; closed: Promise<number> }> => {
      const socket = new WebSocket(url().replace('http', 'ws'), { autoPong });
      const closed = new Promise<number>((resolve) => socket.on('close', resolve));
      await new Promise((resolve) => socket.on('open', resolve));
      socket.send('{"op":"subscribe","topic":"ticks","symbols":["A"]}');
      await new Promise((resolve) => socket.once('message', resolve));
      return { socket, closed };
    };
    const silent = await open(false);
    const lively = await open(true);
    const fill = 'x'.repeat(20_000);
    const feed = setInterval(() => publish('ticks', 'A', fill), 10);
    try {
      expect(await silent.closed).toBe(4008);
      expect(lively.socket.readyState).toBe(WebSocket.OPEN);
    } finally {
      clearInterval(feed);
      lively.socket.terminate();
    }
  }, 20_000);
});
