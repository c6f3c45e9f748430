import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { LOG_FIELDS } from '../../container/contract/logger.ts';
import { throughReset } from '../../worker/door/forward.ts';
import { answer } from '../../worker/door/router.ts';
import { TEST_KEYS } from '../support/test-keys.ts';

/** The Worker's variables as another deployment would set them. */
const withVariables = (changes: Record<string, unknown>): Env => ({ ...env, ...changes });

describe('configuration', () => {
  const ask = (changes: Record<string, unknown>, path = '/v1/accounts/1001', key: string = TEST_KEYS.read) =>
    answer(
      new Request(`https://bridge.example${path}`, { headers: { authorization: `Bearer ${key}` } }),
      withVariables(changes),
    );

  it.each([
    ['no keys', { BRIDGE_API_KEYS: undefined }, 'BRIDGE_API_KEYS: is missing'],
    ['keys that are no list', { BRIDGE_API_KEYS: 'secret-planted' }, 'BRIDGE_API_KEYS: expected a JSON list'],
    ['no password', { MT5_PASSWORD: '' }, 'MT5_PASSWORD: is missing'],
    ['a sleep time that the library throws at', { SLEEP_AFTER: '1d' }, 'SLEEP_AFTER: expected whole seconds'],
    ['a budget that is no amount', { BUDGET_USD: '25 USD' }, 'BUDGET_USD: expected US dollars a month'],
    ['an instance type that is none', { INSTANCE_TYPE: 'big' }, 'INSTANCE_TYPE: expected lite, basic'],
    ['a region that Cloudflare does not have', { BROKER_REGION: 'mars' }, 'BROKER_REGION: expected one of wnam'],
    ['a VPS without its origin', { ORIGIN: 'vps', VPS_KEY: 'k'.repeat(32) }, 'VPS_ORIGIN: is missing'],
    ['a VPS without its key', { ORIGIN: 'vps', VPS_ORIGIN: 'https://vps.example' }, 'VPS_KEY: is missing'],
    ['a fallback in clear', { FALLBACK_ORIGIN: 'http://vps.example' }, 'FALLBACK_ORIGIN: '],
    ['a fallback without its key', { FALLBACK_ORIGIN: 'https://vps.example' }, 'FALLBACK_KEY: is missing'],
    ['a container that is its own fallback', { FALLBACK_ORIGIN: 'container' }, 'FALLBACK_ORIGIN: expected an origin'],
    ['an origin that is none', { CORS_ORIGINS: 'desk.example' }, 'CORS_ORIGINS: expected origins'],
    [
      'a plug-in’s command that is the server’s own',
      { MT5_CUSTOM_COMMANDS: '[{"path":"USER_ADD","scope":"manage"}]' },
      'MT5_CUSTOM_COMMANDS.0.path: is a name of the server’s own commands',
    ],
  ])('%s: nobody is let in, and the variable is named', async (_, changes, fault) => {
    const refused = await ask(changes);
    expect(refused.status).toBe(503);
    const body = await refused.json<{ code: string; detail: string }>();
    expect(body.code).toBe('misconfigured');
    expect(body.detail).toContain(fault);
    expect(JSON.stringify(body)).not.toContain('planted');
    expect((await ask(changes, '/healthz')).status).toBe(200);
  });

  it('a plug-in’s command is known at the door, and refused there to keys without its scope', async () => {
    const codeOf = async (changes: Record<string, unknown>): Promise<unknown> =>
      (await (await ask(changes, '/api/PLUGIN_ECHO')).json<{ code: string }>()).code;
    expect(await codeOf({})).toBe('command_not_passed');
    const commands = '[{"path":"PLUGIN_ECHO","scope":"manage"}]';
    expect(await codeOf({ MT5_CUSTOM_COMMANDS: commands })).toBe('scope_missing');
  });

  it('a rate limit refuses one key with 429 and leaves the other alone', async () => {
    const slow = { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '2' };
    const changed = withVariables(slow);
    const self = (key: string) =>
      answer(new Request('https://bridge.example/v1/keys/self', { headers: { 'x-api-key': key } }), changed);
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await self(TEST_KEYS.trade)).status);
    expect(statuses.slice(2)).toContain(429);
    const refused = await self(TEST_KEYS.trade);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(refused.headers.get('ratelimit')).toBe('"key";r=0;t=1');
    expect((await self(TEST_KEYS.admin)).status).toBe(200);
  });

  it('an origin that is named may read answers and send preflights', async () => {
    const changed = withVariables({ CORS_ORIGINS: 'https://desk.example' });
    const preflight = await answer(
      new Request('https://bridge.example/v1/orders', {
        method: 'OPTIONS',
        headers: { origin: 'https://desk.example', 'access-control-request-method': 'POST' },
      }),
      changed,
    );
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://desk.example',
    ]);
    const read = await answer(
      new Request('https://bridge.example/v1/keys/self', {
        headers: { origin: 'https://desk.example', 'x-api-key': TEST_KEYS.read },
      }),
      changed,
    );
    expect(read.headers.get('access-control-allow-origin')).toBe('https://desk.example');
    expect(read.headers.get('access-control-allow-credentials')).toBeNull();
  });
});

describe('a Durable Object that is replaced under a request', () => {
  const failing = (failures: number) => {
    let sent = 0;
    return {
      sent: () => sent,
      send: async () => {
        sent += 1;
        if (sent <= failures) throw new Error('Durable Object reset because its code was updated.');
        return new Response('ok');
      },
    };
  };

  it('a read is asked again once', async () => {
    const once = failing(1);
    expect(await (await throughReset(once.send, true)).text()).toBe('ok');
    const always = failing(9);
    await expect(throughReset(always.send, true)).rejects.toMatchObject({ code: 'container_unavailable' });
    expect([once.sent(), always.sent()]).toEqual([2, 2]);
  });

  it('a write is not, and is told as unknown', async () => {
    const once = failing(1);
    await expect(throughReset(once.send, false)).rejects.toMatchObject({ code: 'outcome_unknown', outcome: 'unknown' });
    expect(once.sent()).toBe(1);
  });
});

describe('the log of the door', () => {
  it('has one line a request, which names route and caller, and never what was asked or with what', async () => {
    const written = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    try {
      const answered = await answer(
        new Request('https://bridge.example/v1/keys/self?planted=secret', {
          headers: {
            authorization: `Bearer ${TEST_KEYS.read}`,
            cookie: 'planted=secret',
            'x-request-id': 'my-request',
            traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
          },
        }),
        withVariables({ LOG_LEVEL: 'info' }),
      );
      await answered.body?.cancel();
      const lines = written.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>);
      expect(lines).toEqual([
        expect.objectContaining({
          level: 'info',
          event: 'request',
          requestId: 'my-request',
          traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
          broker: 'main',
          caller: 'read',
          method: 'GET',
          route: '/v1/keys/self',
          status: 422,
          code: 'invalid_field',
        }),
      ]);
      const allowed: readonly string[] = ['time', 'level', 'event', ...LOG_FIELDS];
      for (const line of lines) expect(allowed).toEqual(expect.arrayContaining(Object.keys(line)));
      expect(JSON.stringify(lines)).not.toMatch(/planted|secret|mt5k_/);
    } finally {
      written.mockRestore();
    }
  });
});
