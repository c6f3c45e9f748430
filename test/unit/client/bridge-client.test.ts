import { describe, expect, it } from 'vitest';
import { BridgeRequestError, createBridgeClient, type Problem } from '../../../container/client/index.ts';
import { asBridgeError, BridgeError, toProblem, type ErrorCode } from '../../../container/contract/errors.ts';

const problem = (code: ErrorCode, more: { retryAfterMs?: number } = {}): Response => {
  const body = toProblem(asBridgeError(new BridgeError(code, { detail: 'so it is', ...more })), 'r1');
  return new Response(JSON.stringify(body), {
    status: body.status,
    headers: { 'content-type': 'application/problem+json' },
  });
};
const ok = (body: unknown): Response =>
  new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } });

function clientOf(answers: (() => Response)[]): {
  client: ReturnType<typeof createBridgeClient>;
  requests: Request[];
  waits: number[];
} {
  const requests: Request[] = [];
  const waits: number[] = [];
  const client = createBridgeClient({
    baseUrl: 'http://bridge.test',
    key: 'mt5k_x',
    fetch: async (request) => {
      requests.push(request);
      return (answers[requests.length - 1] ?? answers.at(-1) ?? (() => ok({})))();
    },
    random: () => 0,
    sleep: async (ms) => void waits.push(ms),
  });
  return { client, requests, waits };
}

const balance = {
  params: { path: { login: 1001 } },
  body: { kind: 'balance', amount: '1.00' },
} as const;

describe('the client', () => {
  it('sends the key, and throws what the bridge refuses, typed', async () => {
    const { client, requests } = clientOf([() => problem('login_not_allowed')]);
    const error: unknown = await client.GET('/v1/server').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BridgeRequestError);
    expect(error).toMatchObject({
      status: 403,
      code: 'login_not_allowed' satisfies Problem['code'],
      retry: 'no',
      outcome: 'not_sent',
    });
    expect(requests[0]?.headers.get('authorization')).toBe('Bearer mt5k_x');
    expect(requests.length).toBe(1);
  });

  it('reads again where that is safe, as long as the bridge asks', async () => {
    const { client, requests, waits } = clientOf([
      () => problem('session_lost'),
      () => problem('rate_limited', { retryAfterMs: 1500 }),
      () => ok({ id: 'k' }),
    ]);
    expect((await client.GET('/v1/keys/self')).data).toEqual({ id: 'k' });
    expect(requests.length).toBe(3);
    expect(waits).toEqual([200, 1500]);
  });

  it('gives up after its tries, and where the wait is too long', async () => {
    const always = clientOf([() => problem('session_lost')]);
    await expect(always.client.GET('/v1/server')).rejects.toMatchObject({ code: 'session_lost' });
    expect(always.requests.length).toBe(3);
    const long = clientOf([() => problem('sign_in_backoff', { retryAfterMs: 60_000 })]);
    await expect(long.client.GET('/v1/server')).rejects.toMatchObject({ code: 'sign_in_backoff' });
    expect(long.requests.length).toBe(1);
  });

  it('never sends a write twice, and names its key', async () => {
    const { client, requests } = clientOf([() => problem('session_lost')]);
    const error: unknown = await client
      .POST('/v1/accounts/{login}/balance', balance)
      .catch((thrown: unknown) => thrown);
    const key = requests[0]?.headers.get('idempotency-key');
    expect(requests.length).toBe(1);
    expect(key).toMatch(/^[0-9a-f-]{36}$/);
    expect(error).toMatchObject({ idempotencyKey: key });
    await client
      .POST('/v1/accounts/{login}/balance', { ...balance, headers: { 'Idempotency-Key': 'mine' } })
      .catch(() => undefined);
    expect(requests[1]?.headers.get('idempotency-key')).toBe('mine');
  });

  it('says that a write is to be looked at where a proxy answers in the bridge’s place', async () => {
    const { client } = clientOf([() => new Response('<h1>Bad gateway</h1>', { status: 502 })]);
    await expect(client.POST('/v1/accounts/{login}/balance', balance)).rejects.toMatchObject({
      code: undefined,
      retry: 'check',
      outcome: 'unknown',
    });
  });

  it('reads again where no answer came; of a write it tells the key to look it up by', async () => {
    const silent = (): Response => {
      throw new TypeError('fetch failed');
    };
    const read = clientOf([silent, () => ok({ id: 'k' })]);
    expect((await read.client.GET('/v1/keys/self')).data).toEqual({ id: 'k' });
    const write = clientOf([silent, () => ok({})]);
    const mine = { ...balance, headers: { 'Idempotency-Key': 'mine' } };
    await expect(write.client.POST('/v1/accounts/{login}/balance', mine)).rejects.toMatchObject({
      status: 0,
      outcome: 'unknown',
      idempotencyKey: 'mine',
    });
    expect(write.requests.length).toBe(1);
  });

  it('waits for an operation until its fate is known', async () => {
    const states = ['sending', 'unknown', 'done'];
    const { client, requests } = clientOf(states.map((state) => () => ok({ state })));
    expect(await client.waitForOperation('order 1')).toMatchObject({ state: 'done' });
    expect(requests.map(({ url }) => new URL(url).pathname)).toEqual(Array(3).fill('/v1/operations/order%201'));
    const never = clientOf([() => ok({ state: 'unknown' })]).client;
    await expect(never.waitForOperation('order-2', { timeoutMs: 1 })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('walks lists page by page', async () => {
    const { client, requests } = clientOf([
      () => ok({ items: [1001, 1002], nextCursor: 'abc' }),
      () => ok({ items: [], nextCursor: 'def' }),
      () => ok({ items: [1003], nextCursor: null }),
    ]);
    const logins: number[] = [];
    for await (const login of client.each('/v1/logins', { query: { group: '*' } })) logins.push(login);
    expect(logins).toEqual([1001, 1002, 1003]);
    expect(requests.map(({ url }) => new URL(url).search)).toEqual([
      '?group=*',
      '?group=*&cursor=abc',
      '?group=*&cursor=def',
    ]);
  });
});
