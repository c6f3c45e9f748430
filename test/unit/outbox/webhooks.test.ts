import { beforeEach, expect, it } from 'vitest';
import { Webhook as Verifier } from 'standardwebhooks';
import type { BridgeEvent } from '../../../container/contract/events.ts';
import { SqliteFile } from '../../../container/host/sqlite-file.ts';
import { Outbox } from '../../../container/outbox/outbox.ts';
import type { DeliveryPolicy, WebhookSender } from '../../../container/outbox/webhooks/deliveries.ts';
import { requireTarget } from '../../../container/outbox/webhooks/targets.ts';
import type { WebhookWish } from '../../../container/outbox/webhooks/webhooks.ts';
import type { Sql } from '../../../container/state/sql.ts';

type Sent = Parameters<WebhookSender['send']>[0];

let nowMs = 0;
let sql: Sql;
let sent: BridgeEvent[];
/** How a receiver answers; throws where none does. */
let receive: (request: Sent) => number | Promise<number>;
beforeEach(() => {
  nowMs = Date.parse('2026-11-28T12:00:00Z');
  sql = SqliteFile.open('memory:');
  sent = [];
  receive = () => 204;
});

const open = (policy: Partial<DeliveryPolicy> = {}): Outbox =>
  new Outbox({
    sql,
    broker: 'main',
    now: () => nowMs,
    random: () => 0.5,
    warn: () => {},
    webhooks: {
      policy,
      allowedOrigins: [],
      sender: {
        send: async (request) => {
          sent.push(JSON.parse(request.body) as BridgeEvent);
          return { status: await receive(request) };
        },
      },
    },
  });

const by = { caller: 'admin' };
const create = (outbox: Outbox, wish: Partial<WebhookWish> = {}) =>
  outbox.webhooks.create({ url: 'https://hooks.broker.com/mt5', events: ['operation.*'], ...wish }, by, []);

let told = 0;
function take(
  outbox: Outbox,
  events: readonly { login?: number; type?: string; data?: Record<string, unknown> }[],
): void {
  const batch = events.map(({ login, type = 'operation.done', data = {} }) => {
    const seq = ++told;
    const id = `evt_${String(seq).padStart(32, '0')}`;
    const event = {
      id,
      type,
      time: new Date(nowMs).toISOString(),
      timeMs: nowMs,
      broker: 'main',
      caller: 'desk',
      data,
    };
    return { seq, text: JSON.stringify(login === undefined ? event : { ...event, login }) };
  });
  outbox.take({ source: 'a', events: batch });
}

/** Works until nothing waits or the time is over. */
async function live(outbox: Outbox, untilMs: number): Promise<void> {
  for (let dueMs = await outbox.work(); dueMs !== null && dueMs <= untilMs; dueMs = await outbox.work())
    nowMs = Math.max(nowMs, dueMs);
}
const DAY_MS = 86_400_000;
const typesOf = (): string[] =>
  sql
    .run('SELECT event FROM event_log ORDER BY seq')
    .map(({ event }) => (JSON.parse(String(event)) as BridgeEvent).type);

it('signs as the Standard Webhooks library verifies', async () => {
  const outbox = open();
  const { secret } = create(outbox);
  // The library goes by the clock of the machine.
  nowMs = Date.now();
  const verified: unknown[] = [];
  receive = ({ headers, body }) => {
    verified.push(new Verifier(secret).verify(body, headers));
    expect(() => new Verifier(secret).verify(`${body} `, headers)).toThrow();
    return 200;
  };
  take(outbox, [{ login: 1001 }]);
  await outbox.work();
  expect(verified).toMatchObject([{ type: 'operation.done', login: 1001 }]);
  expect(outbox.deliveries.dueAtMs).toBeNull();
});

it.each([
  ['not a URL', 'it is not a URL'],
  ['http://hooks.broker.com/', 'it is not https'],
  ['ftp://hooks.broker.com/', 'it is not https'],
  ['https://hooks.broker.com:8443/', 'port other than 443'],
  ['https://127.0.0.1/', 'an address'],
  ['https://0x7f.1/', 'an address'],
  ['https://2130706433/', 'an address'],
  ['https://017700000001/', 'an address'],
  ['https://169.254.169.254/latest/meta-data', 'an address'],
  ['https://[::1]/', 'an address'],
  ['https://[::ffff:10.0.0.1]/', 'an address'],
  ['https://8.8.8.8/', 'an address'],
  ['https://localhost/', 'not one of the internet'],
  ['https://LOCALHOST./', 'not one of the internet'],
  ['https://db/', 'not one of the internet'],
  ['https://metadata.google.internal/', 'not one of the internet'],
  ['https://printer.local/', 'not one of the internet'],
  ['https://1.0.0.127.in-addr.arpa/', 'not one of the internet'],
  ['https://user:password@hooks.broker.com/', 'a user or a password'],
  ['https://@hooks.broker.com/', 'a user or a password'],
  ['https://hooks.broker.com/#part', 'a fragment'],
  ['https://bridge.broker.com/v1/orders', 'the bridge itself'],
  ['https://BRIDGE.broker.com./', 'the bridge itself'],
])('is not sent to %s', (url, why) => {
  const rules = { allowedOrigins: ['http://receiver.internal:8080'], ownHosts: ['bridge.broker.com', '127.0.0.1'] };
  expect(() => requireTarget(url, rules)).toThrow(why);
  expect(() => requireTarget('http://receiver.internal:8080/mt5', rules)).not.toThrow();
  expect(() => requireTarget('https://hooks.broker.com:443/mt5?key=1', rules)).not.toThrow();
});

it('goes on through failures and the end of its program: nothing lost, in order for each login, twice only with the same id', async () => {
  let seed = 7;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  let outbox = open();
  create(outbox);
  const taken: BridgeEvent[] = [];
  const busy = new Set<unknown>();
  receive = async ({ body }) => {
    const event = JSON.parse(body) as BridgeEvent;
    expect(busy.has(event.login), 'two of one login at once').toBe(false);
    busy.add(event.login);
    await Promise.resolve();
    busy.delete(event.login);
    const luck = random();
    if (luck < 0.2) return 500;
    if (luck < 0.3) throw new Error('reset');
    taken.push(event);
    // Taken, and the answer is lost.
    if (luck < 0.4) throw new Error('no answer');
    return 200;
  };
  for (let round = 0; round < 20; round++) {
    take(
      outbox,
      Array.from({ length: 10 }, (_, i) => ({ login: 1001 + ((round + i) % 4) })),
    );
    if (round % 3 === 0) outbox = open();
    await outbox.work();
  }
  await live(outbox, nowMs + DAY_MS);
  const logged = sql
    .run('SELECT event FROM event_log ORDER BY seq')
    .map(({ event }) => JSON.parse(String(event)) as BridgeEvent)
    .filter(({ type }) => type === 'operation.done');
  expect(logged).toHaveLength(200);
  for (const login of [1001, 1002, 1003, 1004]) {
    const ids = (events: readonly BridgeEvent[]): string[] =>
      events.filter((event) => event.login === login).map(({ id }) => id);
    // Without repetitions, which come one after the other.
    expect(ids(taken).filter((id, i, all) => all[i - 1] !== id)).toEqual(ids(logged));
  }
});

it('a receiver that fails keeps no other waiting, is asked ever more seldom, and after a day is disabled, with an event', async () => {
  const outbox = open();
  const dead = create(outbox, { url: 'https://dead.broker.com/' });
  create(outbox, { url: 'https://well.broker.com/', events: ['*'] });
  let [deadCalls, wellCalls] = [0, 0];
  receive = ({ url }) => {
    if (url.includes('well')) wellCalls++;
    else deadCalls++;
    return url.includes('well') ? 200 : 503;
  };
  take(outbox, [{ login: 1001 }, { login: 1001 }, { login: 1002 }]);
  const startedMs = nowMs;
  await outbox.work();
  // The first of each login; and what was told of the two receivers themselves.
  expect([deadCalls, wellCalls]).toEqual([2, 4]);
  await live(outbox, nowMs + 2 * DAY_MS);
  expect(nowMs - startedMs).toBe(DAY_MS);
  expect(deadCalls).toBeLessThan(40);
  expect(outbox.webhooks.require(dead.id)).toMatchObject({
    disabledAtMs: nowMs,
    disabledReason: expect.stringContaining('for a day: it answered 503'),
  });
  expect(typesOf().at(-1)).toBe('admin.webhook_disabled');
  expect(outbox.deliveries.attempts.of(dead.id, 1)).toMatchObject([{ status: 503, type: 'operation.done' }]);
  expect(outbox.deliveries.backlogOf(dead.id).pending).toBe(0);
});

it('410 Gone ends it at once; enabled again, it is told what it missed', async () => {
  const outbox = open();
  const { id } = create(outbox);
  receive = () => 410;
  take(outbox, [{ login: 1001 }, { login: 1002 }, { login: 1003 }]);
  await outbox.work();
  expect(outbox.webhooks.require(id).disabledReason).toBe('it answered 410 Gone');
  take(outbox, [{ login: 1004 }]);
  receive = () => 200;
  sent = [];
  outbox.webhooks.enable(id, by);
  await outbox.work();
  expect(sent).toEqual([]);
  const first = sql.run(`SELECT id FROM event_log WHERE event LIKE '%"login":1002%'`)[0]?.['id'];
  expect(outbox.replay(outbox.webhooks.require(id), String(first))).toBe(3);
  await outbox.work();
  expect(sent.map(({ login }) => login)).toEqual([1002, 1003, 1004]);
  expect(() => outbox.replay(outbox.webhooks.require(id), `evt_${'f'.repeat(32)}`)).toThrow('not kept');
});

it('a receiver for which too much waits is given up, and holds up nothing that is told', () => {
  const outbox = open({ most: 500 });
  const dead = create(outbox);
  take(
    outbox,
    Array.from({ length: 1_000 }, (_, i) => ({ login: 1001 + (i % 7) })),
  );
  expect(outbox.webhooks.require(dead.id).disabledReason).toContain('more than 500 events waited');
  expect(outbox.deliveries.backlogOf(dead.id)).toEqual({ pending: 0, oldestAtMs: null });
  expect(typesOf().filter((type) => type === 'operation.done')).toHaveLength(1_000);
  expect(typesOf().at(-1)).toBe('admin.webhook_disabled');
});

it('what came of many deliveries is written down at once, and a round goes to each login in turn', async () => {
  const outbox = open();
  create(outbox);
  let transactions = 0;
  const within = sql.transaction.bind(sql);
  sql.transaction = <T>(body: () => T): T => {
    transactions += 1;
    return within(body);
  };
  take(
    outbox,
    Array.from({ length: 200 }, (_, i) => ({ login: 1001 + (i % 50) })),
  );
  transactions = 0;
  await outbox.work();
  expect(sent).toHaveLength(200);
  expect(transactions).toBeLessThan(10);
});

it('is told what it asked for: types, logins, groups', async () => {
  const outbox = open();
  create(outbox, { url: 'https://a.broker.com/', events: ['operation.done', 'key.*'], logins: '1001-1005' });
  create(outbox, { url: 'https://b.broker.com/', events: ['*'], groups: ['real\\*'] });
  const got: string[] = [];
  receive = ({ url, body }) => {
    const { type, login } = JSON.parse(body) as BridgeEvent;
    got.push(`${new URL(url).host[0]} ${type} ${login}`);
    return 200;
  };
  take(outbox, [
    { login: 1001 },
    { login: 1009 },
    { type: 'key.changed' },
    { login: 1002, type: 'operation.sending', data: { group: 'real\\usd' } },
    { login: 1003, data: { group: 'demo\\usd' } },
  ]);
  await outbox.work();
  expect(got.sort()).toEqual(['a operation.done 1001', 'a operation.done 1003', 'b operation.sending 1002']);
});

it('a test is sent at once and says what came of it; a secret is shown by nothing else', async () => {
  const outbox = open();
  const webhook = create(outbox);
  receive = () => 302;
  expect(await outbox.test(webhook, by)).toMatchObject({ status: 302, type: 'admin.webhook_test', attempt: 1 });
  expect(sent).toMatchObject([{ caller: 'admin', data: { id: webhook.id } }]);
  expect(JSON.stringify(sql.run('SELECT * FROM event_log'))).not.toContain(webhook.secret.slice(6));
});
