import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSimulator, type FaultRequest, type Simulator } from '../../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { effectsOf, QUICK_SETTLE, QUICK_SIGN_IN, TradingClient, type WriteAnswer } from '../../support/trading.ts';

/** `TRADING_OPERATIONS=2000 npm test -- trading-random` for the long run. */
const OPERATIONS = Number(process.env['TRADING_OPERATIONS'] ?? 150);
const SEED = Number(process.env['TRADING_SEED'] ?? 20_261_121);
const AT_ONCE = 8;

/** mulberry32: the same faults in the same order for a seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const KINDS = [
  { kind: 'drop-before-execution' },
  { kind: 'drop-after-execution' },
  { kind: 'execute-late', ms: 300 },
  { kind: 'reset' },
  { kind: 'truncate' },
  { kind: 'html' },
  { kind: 'forbidden-once' },
  { kind: 'status', code: 503 },
  { kind: 'slow', ms: 60 },
] as const satisfies readonly FaultRequest[];
const COMMANDS = ['dealer/send_request', 'dealer/send_request', 'trade/balance', 'dealer/get_request_result'];
const DEALER = ['requote', 'reject', 'timeout', 'partial', 'prices-off'] as const;

let simulator: Simulator;
let bridge: BridgeUnderTest;
let client: TradingClient;
beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 1 });
  bridge = await startBridge({
    simulator,
    settle: QUICK_SETTLE,
    signIn: QUICK_SIGN_IN,
    timings: { silenceMs: 1_000, hardLimitMs: 3_000 },
    env: { DEALER_CONNECTIONS: '2' },
  });
  client = new TradingClient(bridge);
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

interface Write {
  readonly key: string;
  readonly send: () => Promise<WriteAnswer>;
}

function randomWrite(n: number, random: () => number): Write {
  const key = `random-${n}`;
  const login = 1001 + Math.floor(random() * 5);
  const amount = (1 + Math.floor(random() * 100)).toFixed(2);
  const side = random() < 0.5 ? 'buy' : 'sell';
  const volume = (0.01 * (1 + Math.floor(random() * 4))).toFixed(2);
  const what = random();
  if (what < 0.35) return { key, send: () => client.balance(key, amount, login) };
  // A partial answer of the dealer needs a filling that allows it.
  const order = { login, side, volume, filling: 'ioc' };
  if (what < 0.75) return { key, send: () => client.order(key, order) };
  const price = side === 'buy' ? '0.90000' : '1.90000';
  return { key, send: () => client.order(key, { login, side, volume, type: 'limit', price }) };
}

function disturb(random: () => number): void {
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
  const what = random();
  const fault = pick(KINDS);
  const command = pick(COMMANDS);
  if (what < 0.22 && fault && command) simulator.fault({ ...fault, command });
  else if (what < 0.32) simulator.broker.dealer.set({ next: [pick(DEALER)] });
  else if (what < 0.33) simulator.fault({ kind: 'maintenance', ms: 80 });
}

/** As a client should: what was surely not sent is sent again under its key, after a while. */
async function sendUntilTaken(key: string, send: () => Promise<WriteAnswer>): Promise<number> {
  for (;;) {
    const { status, body } = await send();
    if (status < 500) return status;
    expect(body, key).toMatchObject({ outcome: 'not_sent' });
    await pause(20);
  }
}

it(
  `${OPERATIONS} operations under random faults: no duplicate, none lost, ledger and books equal`,
  { timeout: 60_000 + OPERATIONS * 400 },
  async () => {
    const random = randomFrom(SEED);
    const writes = Array.from({ length: OPERATIONS }, (_, n) => randomWrite(n, random));
    const answers = new Map<string, number>();
    for (let at = 0; at < writes.length; at += AT_ONCE)
      await Promise.all(
        writes.slice(at, at + AT_ONCE).map(async ({ key, send }) => {
          disturb(random);
          answers.set(key, await sendUntilTaken(key, send));
        }),
      );
    simulator.clearFaults();
    simulator.broker.dealer.set({ next: [] });

    const states = new Map<string, { state: string; tag: string }>();
    const readLedger = async (): Promise<string[]> => {
      let cursor: string | null = '';
      while (cursor !== null) {
        const response = await bridge.fetch(`/v1/operations?limit=1000${cursor ? `&cursor=${cursor}` : ''}`);
        const page = (await response.json()) as {
          items: { key: string; state: string; tag: string }[];
          nextCursor: string | null;
        };
        for (const { key, state, tag } of page.items) states.set(key, { state, tag });
        cursor = page.nextCursor;
      }
      return [...states].filter(([, { state }]) => !/^(done|refused|not_executed)$/.test(state)).map(([key]) => key);
    };
    await expect.poll(readLedger, { timeout: 30_000 + OPERATIONS * 100, interval: 300 }).toEqual([]);

    const books = simulator.books();
    for (const [key, { state, tag }] of states)
      expect(effectsOf(books, tag), `${key} is ${state}`).toBe(state === 'done' ? 1 : 0);
    const done = [...states.values()].filter(({ state }) => state === 'done').length;
    const { mutations } = simulator.stats();
    expect(mutations).toBe(done);
    for (const { key } of writes) {
      const status = answers.get(key) ?? 0;
      if (status < 300) expect(states.has(key), `${key} answered ${status}`).toBe(true);
      if (status === 201) expect(states.get(key)?.state).toBe('done');
    }

    // Sending all of it again sends nothing that was sent before.
    const sentBefore = states.size;
    const known = writes.filter(({ key }) => states.has(key));
    for (let at = 0; at < known.length; at += AT_ONCE)
      await Promise.all(known.slice(at, at + AT_ONCE).map(({ send }) => send()));
    expect(simulator.stats().mutations).toBe(mutations);
    expect(known).toHaveLength(sentBefore);
    // The run saw every end there is, and most operations got through.
    const ends = Map.groupBy(states.values(), ({ state }) => state);
    expect([...ends.keys()].sort()).toEqual(['done', 'not_executed', 'refused']);
    expect(done).toBeGreaterThan(OPERATIONS / 2);
    if (process.env['TRADING_OPERATIONS'] !== undefined)
      process.stdout.write(`${JSON.stringify([...ends].map(([state, rows]) => [state, rows.length]))}\n`);
  },
);
