import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Held } from '../../../container/cluster/lease.ts';
import { Redis } from '../../../container/cluster/redis.ts';
import type { ClusterMessage } from '../../../container/contract/cluster.ts';
import { hasRedis, NO_REDIS, RedisServer } from '../../support/redis.ts';

/** The scripts in a real Redis; what replicas make of them: `test/unit/cluster`, and whole ones: `test/e2e/replicas.test.ts`. */
describe.skipIf(!hasRedis)(hasRedis ? 'the lease in Redis' : NO_REDIS, () => {
  let server: RedisServer;
  let broker = 0;
  const replicas: Redis[] = [];
  const messages: ClusterMessage[] = [];
  const replica = (proof = 'shared'): Redis => {
    const made = new Redis({
      url: server.url,
      broker: `broker-${broker}`,
      proofOf: ({ id, url }) => `${proof} ${id} ${url}`,
      onMessage: (message) => messages.push(message),
      onGap: () => undefined,
      onReady: () => undefined,
      onFault: () => undefined,
    });
    made.start();
    replicas.push(made);
    return made;
  };
  const A = { id: 'a', url: 'http://a:1' };
  const B = { id: 'b', url: 'http://b:2' };
  const SHARED = { id: 'ledger', token: 0 };
  const held = async (asked: Promise<Held | null>): Promise<Held> => {
    const found = await asked;
    if (!found) throw new Error('nobody has the lease');
    return found;
  };
  const connected = (of: Redis): Promise<unknown> =>
    expect
      .poll(() =>
        of.read().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);

  beforeAll(async () => void (server = await RedisServer.start()));
  afterAll(() => server.end());
  beforeEach(() => void broker++);
  afterEach(() => {
    for (const made of replicas.splice(0)) made.close();
    messages.length = 0;
  });

  test('one of many that ask at once has it; the others are told who', async () => {
    const asking = Array.from({ length: 5 }, () => replica());
    await Promise.all(asking.map(connected));
    const all = await Promise.all(
      asking.map((redis, i) => redis.acquire({ id: `r${i}`, url: `http://r${i}` }, SHARED, 0)),
    );
    expect(new Set(all.map((held) => held?.id)).size).toBe(1);
    expect(all[0]?.token).toBe(1);
    expect(await asking[4]?.read()).toEqual(all[0]);
  });

  test('tokens rise over releases, above what a ledger has seen', async () => {
    const redis = replica();
    await connected(redis);
    const first = await held(redis.acquire(A, { id: 'ledger', token: 41 }, 0));
    expect(first).toEqual({ ...A, token: 42 });
    expect(await redis.renew(first)).toBe('shared');
    await redis.release(first);
    expect(await redis.read()).toBeNull();
    const second = await held(redis.acquire(B, SHARED, 0));
    expect(second.token).toBe(43);
    expect(await redis.renew(first)).toBe('lost');
    // Who lost it cannot release it.
    await redis.release(first);
    expect(await redis.read()).toEqual(second);
  });

  test('what Redis forgot is the same holder’s still; what another had meanwhile is not', async () => {
    const redis = replica();
    await connected(redis);
    const first = await held(redis.acquire(A, SHARED, 0));
    await server.end();
    await expect(redis.renew(first)).rejects.toThrow();
    expect(await server.begin()).toBe(true);
    await connected(redis);
    expect(await redis.read()).toBeNull();
    // Who knows of a higher token sees that it forgot.
    expect(await redis.acquire(B, SHARED, first.token)).toBeNull();
    expect(await redis.renew(first)).toBe('shared');
    expect(await redis.acquire(B, SHARED, 0)).toEqual(first);
    await redis.release(first);
    const second = await held(redis.acquire(B, SHARED, 0));
    await redis.release(second);
    expect(await redis.renew(first)).toBe('lost');
  });

  test('a candidate with another ledger is told to the holder', async () => {
    const redis = replica();
    await connected(redis);
    const first = await held(redis.acquire(A, SHARED, 0));
    await redis.tellLedger('ledger');
    expect(await redis.ledger()).toBe('ledger');
    await redis.acquire(B, SHARED, 0);
    expect(await redis.renew(first)).toBe('shared');
    await redis.acquire(B, { id: 'another', token: 0 }, 0);
    expect(await redis.renew(first)).toBe('apart');
  });

  test('who has not the secret of the replicas is no holder to them', async () => {
    const [stranger, redis] = [replica('stranger'), replica()];
    await connected(stranger);
    await connected(redis);
    await stranger.acquire(A, SHARED, 0);
    expect(await redis.read()).toBeNull();
    await expect(redis.acquire(B, SHARED, 0)).rejects.toThrow(/names no replica/);
  });

  test('beats, invalidations and ends are heard by all', async () => {
    const redis = replica();
    await connected(redis);
    const first = await held(redis.acquire(A, SHARED, 0));
    await expect.poll(async () => (await redis.renew(first), messages.length)).toBeGreaterThan(0);
    messages.length = 0;
    await redis.publish({ changed: ['symbols'] });
    await redis.publish({ ended: ['key:desk'] });
    await redis.release(first);
    await expect
      .poll(() => messages.filter((message) => !('beat' in message)))
      .toEqual([{ changed: ['symbols'] }, { ended: ['key:desk'] }, { released: first.token }]);
  });
});
