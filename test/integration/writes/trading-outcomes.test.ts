import { it, type TestContext } from 'vitest';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { effectsOf, QUICK_SETTLE, QUICK_SIGN_IN, TradingClient, userInBooks } from '../../support/trading.ts';

const SEND = 'dealer/send_request';

interface World {
  /** Of the test itself: several run side by side. */
  readonly expect: TestContext['expect'];
  readonly simulator: Simulator;
  readonly bridge: BridgeUnderTest;
  readonly client: TradingClient;
  readonly settled: (key: string, state: string) => Promise<void>;
}

/** A broker and a bridge of its own for each test: most of a test is waiting, so they run side by side. */
const world =
  (test: (world: World) => Promise<void>) =>
  async ({ expect }: TestContext): Promise<void> => {
    const simulator = await startSimulator({ ticksPerSecond: 1 });
    const bridge = await startBridge({
      simulator,
      settle: QUICK_SETTLE,
      signIn: QUICK_SIGN_IN,
      timings: { silenceMs: 1_000, hardLimitMs: 3_000 },
    });
    const client = new TradingClient(bridge);
    const settled = (key: string, state: string): Promise<void> =>
      expect.poll(async () => (await client.operation(key)).state, { interval: 50 }).toBe(state);
    try {
      await test({ expect, simulator, bridge, client, settled });
    } finally {
      await bridge.close();
      await simulator.close();
    }
  };

/** Each loses the connection after the request was handed to it; `executes` = the broker still carries it out. */
const LOSSES = [
  { fault: { kind: 'drop-before-execution' }, executes: false },
  { fault: { kind: 'reset' }, executes: false },
  { fault: { kind: 'hang' }, executes: false },
  { fault: { kind: 'drop-after-execution' }, executes: true },
  { fault: { kind: 'truncate' }, executes: true },
  { fault: { kind: 'execute-late', ms: 500 }, executes: true },
] as const;

for (const loss of LOSSES)
  it.concurrent(
    `an order lost by ${loss.fault.kind} is unknown, then found out, and never sent again`,
    world(async ({ expect, simulator, client, settled }) => {
      await client.order('warm-up');
      const before = simulator.stats();
      simulator.fault({ ...loss.fault, command: SEND });
      const answer = await client.order('lost', { comment: 'note' });
      expect(answer.status).toBe(202);
      expect(answer.headers.get('location')).toBe('/v1/operations/lost');
      expect(answer.body.operation).toMatchObject({ key: 'lost', state: 'unknown', outcome: 'unknown' });
      const tag = answer.body.operation?.tag ?? '';

      await settled('lost', loss.executes ? 'done' : 'not_executed');
      expect(effectsOf(simulator.books(), tag)).toBe(loss.executes ? 1 : 0);
      const after = simulator.stats();
      expect(after.mutations - before.mutations).toBe(loss.executes ? 1 : 0);
      expect((after.byCommand[SEND] ?? 0) - (before.byCommand[SEND] ?? 0)).toBe(1);

      const again = await client.order('lost', { comment: 'note' });
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect(again.status).toBe(loss.executes ? 201 : 200);
      expect(again.body.operation).toMatchObject({ tag, state: loss.executes ? 'done' : 'not_executed' });
      if (loss.executes)
        expect(again.body).toMatchObject({ order: { comment: `note ${tag}` }, deals: [{ symbol: 'EURUSD' }] });
      expect(simulator.stats().mutations).toBe(after.mutations);
    }),
  );

for (const loss of LOSSES)
  it.concurrent(
    `a balance operation lost by ${loss.fault.kind} ends as the books say`,
    world(async ({ expect, simulator, client, settled }) => {
      const before = userInBooks(simulator.books(), 1001).balance;
      simulator.fault({ ...loss.fault, command: 'trade/balance' });
      const answer = await client.balance('money', '250.00');
      expect(answer.status).toBe(202);
      await settled('money', loss.executes ? 'done' : 'not_executed');
      const after = userInBooks(simulator.books(), 1001).balance;
      expect((Number(after) - Number(before)).toFixed(2)).toBe(loss.executes ? '250.00' : '0.00');
      if (loss.executes)
        expect((await client.operation('money')).result).toMatchObject({
          deals: [{ action: 'balance', profit: '250.00' }],
        });
      expect(simulator.stats().byCommand['trade/balance']).toBe(1);
    }),
  );

it.concurrent(
  'an order whose result was lost on the way is found in the books',
  world(async ({ expect, simulator, client, settled }) => {
    simulator.fault({ kind: 'drop-after-execution', command: 'dealer/get_request_result' });
    const answer = await client.order('polled');
    expect(answer.status).toBe(202);
    await settled('polled', 'done');
    expect(simulator.stats().mutations).toBe(1);
  }),
);

it.concurrent(
  'an order that is executed after it was given up re-opens its row',
  world(async ({ expect, simulator, client, settled }) => {
    simulator.fault({ kind: 'execute-late', command: SEND, ms: 7_000 });
    const answer = await client.order('late');
    await settled('late', 'not_executed');
    expect((await client.operation('late')).looks).toBeGreaterThanOrEqual(2);
    const tag = answer.body.operation?.tag ?? '';
    await expect.poll(() => effectsOf(simulator.books(), tag)).toBe(1);
    expect(await client.reconcile('late')).toMatchObject({ state: 'done' });
    expect(simulator.stats().byCommand[SEND]).toBe(1);
  }),
);

it.concurrent(
  '50 concurrent requests with one key are one order',
  world(async ({ expect, simulator, client }) => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.order('same')));
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].every((status) => status === 201 || status === 409)).toBe(true);
    expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThanOrEqual(1);
    expect(simulator.stats().mutations).toBe(1);
    expect(await client.order('same')).toMatchObject({ status: 201, body: { operation: { key: 'same' } } });
    expect(simulator.stats().mutations).toBe(1);
  }),
);

it.concurrent(
  'cancelling and changing are found out by comparing before and after',
  world(async ({ expect, simulator, client, settled }) => {
    const { body } = await client.order('limit', { type: 'limit', price: '0.90000' });
    const ticket = (body['order'] as { ticket: string }).ticket;
    simulator.fault({ kind: 'drop-before-execution', command: SEND });
    await client.write('PATCH', `/v1/orders/${ticket}`, { price: '0.91000' }, 'change-1');
    simulator.fault({ kind: 'drop-after-execution', command: SEND });
    await client.write('PATCH', `/v1/orders/${ticket}`, { price: '0.92000', stopLoss: '0.80000' }, 'change-2');
    await settled('change-2', 'done');
    await settled('change-1', 'unresolved');
    expect((await client.operation('change-1')).detail).toContain('somebody else');

    simulator.fault({ kind: 'drop-before-execution', command: SEND });
    await client.write('DELETE', `/v1/orders/${ticket}`, undefined, 'cancel-1');
    await settled('cancel-1', 'not_executed');
    simulator.fault({ kind: 'drop-after-execution', command: SEND });
    await client.write('DELETE', `/v1/orders/${ticket}`, undefined, 'cancel-2');
    await settled('cancel-2', 'done');
    expect(simulator.stats().byCommand[SEND]).toBe(5);
  }),
);

it.concurrent(
  'account changes and passwords are found out from the record',
  world(async ({ expect, simulator, bridge, client, settled }) => {
    const lose = (kind: string, command: string): void => simulator.fault({ kind, command });
    lose('drop-after-execution', 'user/update');
    const update = await client.write('PATCH', '/v1/accounts/1001', { city: 'Porto' }, 'city');
    expect(update.status).toBe(202);
    await settled('city', 'done');
    lose('drop-before-execution', 'user/update');
    await client.write('POST', '/v1/accounts/1001/disable', undefined, 'off');
    await settled('off', 'not_executed');
    lose('drop-after-execution', 'user/add');
    const passwords = { passwordMain: 'Planted#1main', passwordInvestor: 'Planted#1inv' };
    const account = { group: 'demo\\forex', name: 'Ann Lost', leverage: 100, ...passwords };
    await client.write('POST', '/v1/accounts', account, 'new');
    await settled('new', 'done');
    const made = (await client.operation('new')).result?.['login'];
    expect(made).toEqual(expect.any(Number));
    lose('drop-after-execution', 'user/change_password');
    const change = { type: 'main', password: 'Planted#2main' };
    await client.write('POST', `/v1/accounts/${String(made)}/password`, change, 'password');
    await expect.poll(async () => (await client.operation('password')).state).toMatch(/^(done|not_executed)$/);
    const everything = await (await bridge.fetch('/v1/operations')).text();
    expect(everything).not.toContain('Planted');
    expect(JSON.stringify(bridge.log)).not.toContain('Planted');
  }),
);

it.concurrent(
  'a passed-through write that was lost ends unresolved, and says so',
  world(async ({ expect, simulator, client, settled }) => {
    simulator.fault({ kind: 'drop-after-execution', command: 'trade/balance' });
    const path = '/api/trade/balance?login=1001&type=2&balance=5&comment=raw';
    expect((await client.write('POST', path, {}, 'raw')).status).toBe(202);
    await settled('raw', 'unresolved');
    expect((await client.operation('raw')).detail).toContain('look for its effect');
    expect((await client.write('POST', path, {}, 'raw')).status).toBe(200);
    expect(simulator.stats().mutations).toBe(1);
  }),
);

it.concurrent(
  'a broker in maintenance costs no order and no duplicate',
  world(async ({ expect, simulator, bridge, client }) => {
    await client.order('before');
    simulator.fault({ kind: 'maintenance', ms: 600 });
    const during = await Promise.all(Array.from({ length: 10 }, (_, n) => client.order(`during-${n}`)));
    expect(during.map(({ status }) => status).every((status) => [201, 202, 503].includes(status))).toBe(true);
    for (const [n, { status, body }] of during.entries()) {
      if (status === 503) expect(body['outcome']).toBe('not_sent');
      if (status === 202)
        await expect.poll(async () => (await client.operation(`during-${n}`)).state).toMatch(/^(done|not_executed)$/);
    }
    await expect.poll(async () => (await client.order('during-0')).status, { interval: 200 }).toBeLessThan(202);
    const all = ((await (await bridge.fetch('/v1/operations')).json()) as { items: { state: string; tag: string }[] })
      .items;
    for (const { state, tag } of all) expect(effectsOf(simulator.books(), tag)).toBe(state === 'done' ? 1 : 0);
  }),
);

it.concurrent(
  'a final result with a number that nobody knows is told as what it is, and looked up in the books',
  world(async ({ expect, simulator, client, settled }) => {
    simulator.broker.dealer.set({ next: [10_999] });
    const answer = await client.order('odd');
    expect(answer.status).toBe(202);
    expect(answer.body.operation).toMatchObject({ state: 'unknown', outcome: 'unknown' });
    expect(answer.body.operation?.detail).toMatch(
      /^buy 0\.01 EURUSD: the broker answered 10999\b.* It was sent, and no answer tells/,
    );
    await settled('odd', 'not_executed');
    expect((await client.operation('odd')).detail).toMatch(/answered 10999\b.* the broker’s books do not hold it/);
  }),
);

it.concurrent(
  'a time-out of the dealer (10012) is unknown until the books tell; an order that is only placed (10008) is not executed',
  world(async ({ expect, simulator, client, settled }) => {
    simulator.broker.dealer.set({ next: [10_012, 10_008] });
    const timedOut = await client.order('timed-out');
    expect(timedOut.status).toBe(202);
    expect(timedOut.body.operation).toMatchObject({ state: 'unknown', outcome: 'unknown' });
    await settled('timed-out', 'not_executed');
    const placed = await client.order('placed');
    expect(placed.body['result']).toMatchObject({ retcode: 10_008, detail: 'placed', deal: null });
    expect(placed.body['deals']).toEqual([]);
  }),
);
