import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { ConfigError, configSecrets, loadConfig } from '../../../container/host/config.ts';
import { hashKey } from '../../../container/contract/keys.ts';

const KEYS = JSON.stringify([{ id: 'crm', hash: await hashKey('mt5k_x'), scopes: ['read'], logins: '1001,1005-1010' }]);
const GOOD = {
  MT5_SERVER: 'mt5.broker.example:443',
  MT5_LOGIN: '1000',
  MT5_PASSWORD: 'S3cretApi!',
  BRIDGE_API_KEYS: KEYS,
};

const faultsOf = (env: Record<string, string | undefined>): readonly string[] => {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
};

test('the least that is needed gives a complete configuration', () => {
  const config = loadConfig(GOOD);
  expect(config).toMatchObject({
    servers: [{ host: 'mt5.broker.example', port: 443 }],
    agent: 'MT5EdgeBridge',
    tls: { mode: 'verify' },
    port: 8080,
    poolMax: 4,
    checkpoint: 'file:mt5-edge-bridge.sqlite',
    profiling: false,
  });
  expect(config.password).toBe('S3cretApi!');
});

test('nothing has a default that would reach a broker, and every fault is told at once by name', () => {
  const faults = faultsOf({
    MT5_TLS: 'pin:12',
    POOL_MAX: '0',
    PORT: 'x',
    LOG_LEVEL: 'loud',
    MT5_PROXY: 'socks5://p:1',
  });
  for (const name of [
    'MT5_SERVER',
    'MT5_LOGIN',
    'MT5_PASSWORD',
    'MT5_TLS',
    'POOL_MAX',
    'PORT',
    'LOG_LEVEL',
    'MT5_PROXY',
    'BRIDGE_API_KEYS',
  ])
    expect(faults.filter((fault) => fault.startsWith(`${name}: `))).toHaveLength(1);
  expect(faults).toHaveLength(9);
});

test('an empty variable is one that is not set', () => {
  expect(faultsOf({ ...GOOD, MT5_TLS: '', MT5_PROXY: '', POOL_MAX: '' })).toEqual([]);
  expect(faultsOf({ ...GOOD, MT5_PASSWORD: '' })[0]).toContain('MT5_PASSWORD: is missing');
});

test('several addresses, a colon-separated pin and a proxy with credentials', () => {
  const config = loadConfig({
    ...GOOD,
    MT5_SERVER: 'a.example:443, b.example:1950,[::1]:444',
    MT5_TLS: `pin:${Array.from({ length: 32 }, () => 'AB').join(':')}`,
    MT5_PROXY: 'http://desk:p%40ss@10.0.0.1:3128',
  });
  expect(config.servers).toEqual([
    { host: 'a.example', port: 443 },
    { host: 'b.example', port: 1950 },
    { host: '::1', port: 444 },
  ]);
  expect(config.tls).toEqual({ mode: 'pin', sha256: 'ab'.repeat(32) });
  expect(config.proxy?.password).toBe('p@ss');
});

test.each(['', 'host', '[::1]', ':443', 'host:0', 'host:70000', 'https://host', 'host:443,', 'ho st:1', 'user@host:1'])(
  'MT5_SERVER=%j is refused',
  (MT5_SERVER) => {
    expect(faultsOf({ ...GOOD, MT5_SERVER })).toHaveLength(1);
  },
);

test('placeholders are no passwords', () => {
  expect(faultsOf({ ...GOOD, MT5_PASSWORD: 'changeme' })[0]).toMatch(/^MT5_PASSWORD: is a placeholder/);
  expect(faultsOf({ ...GOOD, MT5_PASSWORD: '<api password>' })).toHaveLength(1);
});

test('behind the Worker the start secret stands for the keys', () => {
  const { BRIDGE_API_KEYS: _, ...rest } = GOOD;
  expect(faultsOf({ ...rest, BRIDGE_START_SECRET: 's'.repeat(32) })).toEqual([]);
  expect(faultsOf({ ...rest, BRIDGE_START_SECRET: 'short' })[0]).toMatch(/^BRIDGE_START_SECRET: /);
});

test('no secret is shown by inspecting, printing or failing', () => {
  const config = loadConfig({
    ...GOOD,
    BRIDGE_START_SECRET: 'a-start-secret-of-enough-characters',
    MT5_PROXY: 'http://desk:pr0xypass@10.0.0.1:3128',
  });
  const secrets = configSecrets(config);
  expect(secrets).toHaveLength(3);
  for (const shown of [inspect(config, { depth: 5 }), JSON.stringify(config), String(Object.entries(config))])
    for (const secret of [...secrets, 'sha256:']) expect(shown).not.toContain(secret);
  const bad = faultsOf({
    ...GOOD,
    MT5_PROXY: 'ftp://desk:pr0xypass@host',
    BRIDGE_API_KEYS: '[{"id":"x","hash":"plain-key"}]',
  });
  expect(JSON.stringify(bad)).not.toMatch(/pr0xypass|plain-key/);
});

test('keys are checked one by one', () => {
  const keys = [
    { id: 'a', hash: 'sha256:no', scopes: ['read'] },
    { id: 'b b', hash: `sha256:${'0'.repeat(64)}`, scopes: [] },
    { id: 'c', hash: `sha256:${'0'.repeat(64)}`, scopes: ['read'], logins: '5-1' },
  ];
  const faults = faultsOf({ ...GOOD, BRIDGE_API_KEYS: JSON.stringify(keys) });
  expect(faults.map((fault) => fault.split(':')[0] ?? '').sort((a, b) => (a < b ? -1 : 1))).toEqual([
    'BRIDGE_API_KEYS[0.hash]',
    'BRIDGE_API_KEYS[1.id]',
    'BRIDGE_API_KEYS[1.scopes]',
    'BRIDGE_API_KEYS[2.logins]',
  ]);
});

/** A folder of secrets, as they are mounted. */
function mounted(files: Readonly<Record<string, string>>): (name: string) => string {
  const folder = mkdtempSync(path.join(tmpdir(), 'secrets-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return (name) => path.join(folder, name);
}

test('every secret may be given as a file; one line break at its end is not of it', () => {
  const at = mounted({
    password: ' S3cret Api!\n',
    keys: `${KEYS}\r\n`,
    proxy: 'http://desk:s3cret@proxy.example:3128',
  });
  const { MT5_SERVER, MT5_LOGIN } = GOOD;
  const config = loadConfig({
    MT5_SERVER,
    MT5_LOGIN,
    MT5_PASSWORD: '',
    MT5_PASSWORD_FILE: at('password'),
    BRIDGE_API_KEYS_FILE: at('keys'),
    MT5_PROXY_FILE: at('proxy'),
  });
  expect(config.password).toBe(' S3cret Api!');
  expect(config.apiKeys).toMatchObject([{ id: 'crm' }]);
  expect(config.proxy).toMatchObject({ host: 'proxy.example', port: 3128 });
});

test('the file of a secret that cannot be had, is empty, or comes beside its value, is named and nothing runs', () => {
  const at = mounted({ empty: '\n', password: 'planted-secret' });
  const { MT5_SERVER, MT5_LOGIN } = GOOD;
  const wrong = { MT5_SERVER, MT5_LOGIN, BRIDGE_API_KEYS: KEYS };
  expect(faultsOf({ ...wrong, MT5_PASSWORD_FILE: at('absent') })).toEqual([
    'MT5_PASSWORD_FILE: cannot be read (ENOENT)',
  ]);
  expect(faultsOf({ ...wrong, MT5_PASSWORD_FILE: at('.') })).toEqual(['MT5_PASSWORD_FILE: expected a file']);
  expect(faultsOf({ ...wrong, MT5_PASSWORD_FILE: at('empty') })).toEqual(['MT5_PASSWORD_FILE: is an empty file']);
  expect(faultsOf({ ...GOOD, MT5_PASSWORD_FILE: at('password') })).toEqual([
    'MT5_PASSWORD_FILE: expected either this or MT5_PASSWORD, not both',
  ]);
  expect(faultsOf({ ...GOOD, MT5_SERVER_FILE: at('password'), LOG_LEVEL: 'loud' })).toEqual([
    'MT5_SERVER_FILE: is no setting; MT5_SERVER is no secret and is given itself',
    'LOG_LEVEL: expected debug, info, warn, error',
  ]);
});

test('replicas: where Redis is and where they reach each other; nothing of it is shown where it is wrong', () => {
  const redisUrl = 'rediss://bridge:p%40ss@redis.internal:6380/2';
  const config = loadConfig({ ...GOOD, CLUSTER: redisUrl, CLUSTER_ADVERTISE: 'http://10.0.0.7:8080' });
  expect(config.cluster?.redisUrl).toBe(redisUrl);
  expect(config.cluster).toEqual({ advertise: 'http://10.0.0.7:8080' });
  expect(configSecrets(config)).toContain('p@ss');
  expect(inspect(config)).not.toContain('p%40ss');
  for (const wrong of [
    'redis.internal',
    'http://redis:6379',
    'redis://',
    'redis://u:S3cret%zz@host',
    'redis://host/db',
  ])
    expect(faultsOf({ ...GOOD, CLUSTER: wrong })).toEqual([
      expect.stringMatching(/^CLUSTER: expected redis:(?!.*S3cret)/),
    ]);
  for (const wrong of ['host:80', 'https://host:1', 'http://host:1/path', 'http://user@host:1'])
    expect(faultsOf({ ...GOOD, CLUSTER_ADVERTISE: wrong })).toEqual(['CLUSTER_ADVERTISE: expected http://host:port']);
  const behind = { ...GOOD, CLUSTER: redisUrl, BRIDGE_START_SECRET: 'x'.repeat(32) };
  expect(faultsOf(behind)).toEqual([expect.stringMatching(/^CLUSTER: expected nothing behind the Worker/)]);
});
