import { expect, test } from 'vitest';
import { type Held, Lease, LEASE_MS, type Ledger, type LeaseStore, LOOK_MS } from '../../../container/cluster/lease.ts';
import type { LedgerMark } from '../../../container/state/ledger-fence.ts';

/** Redis as far as the lease needs it, on the clock of the test. */
class FakeRedis implements LeaseStore {
  nowMs = 0;
  isGone = false;
  isApart = false;
  ledgerId: string | null = null;
  #held: { held: Held; untilMs: number } | undefined;
  #token = 0;

  async read(): Promise<Held | null> {
    this.#asked();
    return this.#held && this.#held.untilMs > this.nowMs ? this.#held.held : null;
  }

  async acquire(self: { id: string; url: string }, mark: LedgerMark, leastToken: number): Promise<Held | null> {
    const known = await this.read();
    if (known) return known;
    if (this.#token < leastToken) return null;
    this.#token = Math.max(this.#token, mark.token) + 1;
    this.#held = { held: { ...self, token: this.#token }, untilMs: this.nowMs + LEASE_MS };
    return this.#held.held;
  }

  async ledger(): Promise<string | null> {
    return this.ledgerId;
  }

  async tellLedger(id: string): Promise<void> {
    this.ledgerId = id;
  }

  async renew(held: Held): Promise<'lost' | 'shared' | 'apart'> {
    this.#asked();
    if (this.#token > held.token) return 'lost';
    this.#held = { held, untilMs: this.nowMs + LEASE_MS };
    return this.isApart ? 'apart' : 'shared';
  }

  async release(held: Held): Promise<void> {
    this.#asked();
    if (this.#held?.held.token === held.token) this.#held = undefined;
  }

  forget(): void {
    this.#held = undefined;
    this.#token = 0;
    this.ledgerId = null;
  }

  #asked(): void {
    if (this.isGone) throw new Error('Redis is gone.');
  }
}

class FakeLedger implements Ledger {
  state: { id: string | null; token: number } = { id: null, token: 0 };
  isUnreadable = false;
  distrust: string | null = null;

  mark(): LedgerMark {
    if (this.isUnreadable) throw new Error('The volume is gone.');
    return { ...this.state };
  }

  takeOver(token: number): { id: string; distrust: string | null } {
    if (token < this.state.token) throw new Error('fenced');
    this.state = { id: this.state.id ?? `ledger ${Math.random()}`, token };
    return { id: this.state.id ?? '', distrust: this.distrust };
  }
}

interface Told {
  readonly elected: { token: number; distrust: string | null }[];
  readonly lost: string[];
  readonly holders: (string | undefined)[];
}

function replica(id: string, redis: FakeRedis, ledger: FakeLedger | undefined) {
  const told: Told = { elected: [], lost: [], holders: [] };
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const lease = new Lease({
    store: redis,
    self: { id, url: `http://${id}` },
    ledger,
    onElected: ({ token }, distrust) => told.elected.push({ token, distrust }),
    onLost: (reason) => told.lost.push(reason),
    onHolder: (held) => told.holders.push(held?.id),
    now: () => redis.nowMs,
    log,
  });
  return { lease, told };
}

/** So long, everybody looking as often as replicas do. */
async function pass(redis: FakeRedis, ms: number, ...looking: { lease: Lease }[]): Promise<void> {
  for (const endMs = redis.nowMs + ms; redis.nowMs < endMs;) {
    redis.nowMs += LOOK_MS;
    for (const { lease } of looking) await lease.look();
  }
}

test('the first that looks holds, and stays it as long as it says so; the others know who it is', async () => {
  const redis = new FakeRedis();
  const ledger = new FakeLedger();
  const [a, b] = [replica('a', redis, ledger), replica('b', redis, ledger)];
  await pass(redis, 10 * LEASE_MS, a, b);
  expect(a.told).toEqual({ elected: [{ token: 1, distrust: null }], lost: [], holders: ['a'] });
  expect(b.told).toEqual({ elected: [], lost: [], holders: ['a'] });
  expect(b.lease.status).toMatchObject({
    role: 'follower',
    holder: { replica: 'a', token: 1 },
    leaseAgeMs: 0,
    fault: null,
  });
});

test('another begins within five seconds of the holder’s last word, under a higher token, on the same ledger', async () => {
  const redis = new FakeRedis();
  const ledger = new FakeLedger();
  const [a, b] = [replica('a', redis, ledger), replica('b', redis, ledger)];
  await pass(redis, LEASE_MS, a, b);
  a.lease.begun();
  await pass(redis, LOOK_MS, a, b);
  await pass(redis, LEASE_MS + LOOK_MS, b);
  expect(LEASE_MS + LOOK_MS).toBeLessThan(5_000);
  expect(b.told.elected).toEqual([{ token: 2, distrust: null }]);
  // The old one was only stopped: when it wakes it sees that it is another's.
  await pass(redis, LOOK_MS, a);
  expect(a.told.lost).toHaveLength(1);
});

test('a lease that is released is the next one’s at once', async () => {
  const redis = new FakeRedis();
  const ledger = new FakeLedger();
  const [a, b] = [replica('a', redis, ledger), replica('b', redis, ledger)];
  await pass(redis, LOOK_MS, a, b);
  await a.lease.release();
  await pass(redis, LOOK_MS, b);
  expect(b.told.elected).toEqual([{ token: 2, distrust: null }]);
});

test('who has another ledger than the holder before begins halted, and is remembered only once that is written', async () => {
  const redis = new FakeRedis();
  const [a, b] = [replica('a', redis, new FakeLedger()), replica('b', redis, new FakeLedger())];
  await pass(redis, LOOK_MS, a, b);
  a.lease.begun();
  await pass(redis, LOOK_MS, a, b);
  const first = redis.ledgerId;
  await a.lease.release();
  await pass(redis, LOOK_MS, b);
  expect(b.told.elected[0]?.distrust).toMatch(/another ledger/);
  await pass(redis, LOOK_MS, b);
  expect(redis.ledgerId).toBe(first);
  b.lease.begun();
  await pass(redis, LOOK_MS, b);
  expect(redis.ledgerId).not.toBe(first);
});

test('who has no ledger that outlives it, or cannot read it, never holds', async () => {
  const redis = new FakeRedis();
  const unreadable = new FakeLedger();
  unreadable.isUnreadable = true;
  const [a, b] = [replica('a', redis, undefined), replica('b', redis, unreadable)];
  await pass(redis, 10 * LEASE_MS, a, b);
  expect([a.told.elected, b.told.elected]).toEqual([[], []]);
  expect(b.lease.status.fault).toBe('The volume is gone.');
});

test('without Redis the holder goes on: the ledger shows that nobody else has begun', async () => {
  const redis = new FakeRedis();
  const ledger = new FakeLedger();
  const [a, b] = [replica('a', redis, ledger), replica('b', redis, ledger)];
  await pass(redis, LEASE_MS, a, b);
  redis.isGone = true;
  await pass(redis, 20 * LEASE_MS, a, b);
  expect(a.told.lost).toEqual([]);
  expect(b.lease.holder?.id).toBe('a');
  expect(b.lease.status.leaseAgeMs).toBe(20 * LEASE_MS);
  redis.isGone = false;
  await pass(redis, LEASE_MS, a, b);
  expect(a.lease.isOurs).toBe(true);
  expect(b.told.elected).toEqual([]);
});

test('a Redis that forgot everything is told again by the holder; where there is none, another begins a lease later', async () => {
  const redis = new FakeRedis();
  const ledger = new FakeLedger();
  const [a, b] = [replica('a', redis, ledger), replica('b', redis, ledger)];
  await pass(redis, LEASE_MS, a, b);
  redis.forget();
  // The follower asks first.
  await pass(redis, 2 * LEASE_MS, b, a);
  expect([a.told.lost, b.told.elected]).toEqual([[], []]);
  redis.forget();
  await pass(redis, LEASE_MS - LOOK_MS, b);
  expect(b.told.elected).toEqual([]);
  await pass(redis, 2 * LOOK_MS, b);
  expect(b.told.elected).toEqual([{ token: 2, distrust: null }]);
});

test('without Redis, and with a replica that may hold on another ledger, the session ends before the lease does', async () => {
  const redis = new FakeRedis();
  const a = replica('a', redis, new FakeLedger());
  redis.isApart = true;
  await pass(redis, LEASE_MS, a);
  redis.isGone = true;
  const goneAtMs = redis.nowMs;
  while (a.told.lost.length === 0 && redis.nowMs < goneAtMs + 10 * LEASE_MS) await pass(redis, LOOK_MS, a);
  expect(a.told.lost).toHaveLength(1);
  expect(redis.nowMs - goneAtMs).toBeLessThan(LEASE_MS);
});

test('a ledger that shows another token ends the session, whatever Redis says', async () => {
  const redis = new FakeRedis();
  const ledger = new FakeLedger();
  const a = replica('a', redis, ledger);
  await pass(redis, LEASE_MS, a);
  ledger.takeOver(7);
  await pass(redis, LOOK_MS, a);
  expect(a.told.lost).toEqual(['Another replica has begun on the ledger.']);
});

test('a candidate that stood still between the lease and its ledger does not begin', async () => {
  const redis = new FakeRedis();
  const ledger = new FakeLedger();
  const a = replica('a', redis, ledger);
  const acquire = redis.acquire.bind(redis);
  redis.acquire = async (self, mark, least) => {
    const held = await acquire(self, mark, least);
    ledger.takeOver((held?.token ?? 0) + 1);
    return held;
  };
  await pass(redis, LOOK_MS, a);
  expect(a.told).toEqual({ elected: [], lost: [], holders: [] });
  expect(a.lease.isOurs).toBe(false);
});
