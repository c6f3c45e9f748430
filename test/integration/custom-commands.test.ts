import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../container/host/config.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { type BridgeUnderTest, keyRecord, startBridge } from '../support/bridge.ts';

/** Commands of the broker's plug-ins: known by configuration alone. */
const COMMANDS = [
  { path: 'PLUGIN_ECHO', scope: 'read', logins: 'accounts' },
  { path: 'plugin_echo', scope: 'manage', write: true },
];

let simulator: Simulator;
let bridge: BridgeUnderTest;
beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  bridge = await startBridge({
    simulator,
    env: {
      MT5_CUSTOM_COMMANDS: JSON.stringify(COMMANDS),
      BRIDGE_API_KEYS: JSON.stringify([
        await keyRecord('all', 'meb_all-for-tests-only', ['admin']),
        await keyRecord('own', 'meb_own-for-tests-only', ['read'], '1001,1005-1010'),
      ]),
    },
  });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

const as = (key: 'all' | 'own', path: string, init: RequestInit = {}): Promise<Response> => {
  const headers = new Headers(init.headers);
  headers.set('x-api-key', `meb_${key}-for-tests-only`);
  return bridge.fetch(path, { ...init, headers });
};
const codeOf = async (answer: Response): Promise<unknown> => ((await answer.json()) as { code?: string }).code;

test('reach the broker at their own path, byte for byte, and need their scope', async () => {
  const answer = await as('all', '/api/PLUGIN_ECHO?text=a%20b&accounts=77777');
  expect([answer.status, await answer.json()]).toEqual([
    200,
    { retcode: '0 Done', answer: { Accounts: '77777', Text: 'a b' } },
  ]);
  expect(await codeOf(await as('own', '/api/plugin_echo', { method: 'POST' }))).toBe('scope_missing');
  expect(await codeOf(await as('all', '/api/Plugin_Echo'))).toBe('command_not_passed');
});

test('those that write are sent once for each key', async () => {
  expect(await codeOf(await as('all', '/api/plugin_echo', { method: 'POST' }))).toBe('idempotency_key_required');
  const once = { method: 'POST', headers: { 'idempotency-key': 'custom-1' } };
  const before = simulator.stats().byCommand['plugin_echo'] ?? 0;
  for (const replayed of [null, 'true']) {
    const answer = await as('all', '/api/plugin_echo?text=once', once);
    expect([answer.status, answer.headers.get('idempotency-replayed')]).toEqual([200, replayed]);
  }
  expect(simulator.stats().byCommand['plugin_echo']).toBe(before + 1);
});

test.each([
  ['?accounts=1001,1005&text=x', 200],
  ['?accounts=1002&text=x', 403],
  ['?text=x', 403],
  ['?accounts=1001&Accounts=1002', 403],
  ['?accounts=1001&%61ccounts=1002', 403],
])('a key with a login mask names its own logins in the parameter that is configured: %s', async (query, status) => {
  expect((await as('own', `/api/PLUGIN_ECHO${query}`)).status).toBe(status);
});

test.each([
  ['no JSON', '{', 'expected a JSON list'],
  ['a name of the server', '[{"path":"USER_ADD","scope":"manage"}]', 'own commands'],
  ['a path', '[{"path":"../user/add","scope":"manage"}]', 'the name of a plug-in’s command'],
  ['a write that anyone may', '[{"path":"A","scope":"read","write":true}]', 'more than read'],
  ['a typing error', '[{"path":"A","scope":"read","writes":true}]', 'writes'],
  ['one twice', '[{"path":"A","scope":"read"},{"path":"A","scope":"manage"}]', 'each path once'],
])('the configuration is refused with %s', (_what, text, says) => {
  expect(() => loadConfig({ MT5_CUSTOM_COMMANDS: text })).toThrow(/MT5_CUSTOM_COMMANDS/);
  expect(() => loadConfig({ MT5_CUSTOM_COMMANDS: text })).toThrow(says);
});
