/**
 * `npm run deploy [-- --env staging] [--config FILE] [--secrets-file FILE] [--dry-run]`: looks at everything that would fail
 * late, builds the image, and only then lets wrangler make the Worker live. wrangler alone makes the Worker live first: a build
 * that fails then leaves a new Worker over the old image. Without `containers` in the configuration (`ORIGIN=vps`) there is no
 * image, and Docker is not needed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs, parseEnv } from 'node:util';
import { unstable_readConfig } from 'wrangler';
import { bundleConsole } from './local/bundle-console.ts';
import { brokersSchema } from '../worker/brokers.ts';
import { variableFaults } from '../worker/variables.ts';

const root = path.resolve(import.meta.dirname, '..');
const wrangler = path.join(root, 'node_modules/.bin/wrangler');

interface Options {
  readonly env: string | undefined;
  /** In place of wrangler.jsonc. */
  readonly config: string;
  readonly secretsFile: string | undefined;
  readonly dryRun: boolean;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      env: { type: 'string' },
      config: { type: 'string', default: path.join(root, 'wrangler.jsonc') },
      'secrets-file': { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
    },
  });
  const config = path.resolve(values.config);
  return { env: values.env, config, secretsFile: values['secrets-file'], dryRun: values['dry-run'] };
}

/** Standard output of a command that worked; `undefined` where it did not, or is not there. */
function output(command: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return status === 0 ? stdout : undefined;
}

type Config = ReturnType<typeof unstable_readConfig>;

const readConfig = ({ config, env }: Options): Config =>
  unstable_readConfig({ config, ...(env === undefined ? {} : { env }) });

const hasImage = ({ containers = [] }: Config): boolean => containers.length > 0;

/** Everything that is wrong, all at once. */
function faultsOf(options: Options, config: Config): string[] {
  const vars = config.vars as Record<string, unknown>;
  const brokers = brokersSchema.safeParse(vars['BROKERS']).data ?? [];
  const listed = (config.secrets as { required?: readonly string[] } | undefined)?.required ?? [];
  const services = (config as { readonly vpc_services?: readonly { readonly binding: string }[] }).vpc_services ?? [];
  const binding = services.some(({ binding: name }) => name === 'VPS') ? { VPS: {} } : {};
  const fallback = vars['FALLBACK_ORIGIN'] ?? '';
  const required = new Set([
    ...listed,
    ...brokers.map(({ passwordSecret }) => passwordSecret),
    ...(vars['ORIGIN'] === 'vps' ? ['VPS_KEY'] : []),
    ...(fallback === '' || fallback === 'container' ? [] : ['FALLBACK_KEY']),
  ]);
  return [
    ...variableFaults({ ...vars, ...binding }),
    ...containerFaults(vars, config),
    ...instanceFaults(brokers.length, config.containers ?? []),
    ...typeFaults(vars['INSTANCE_TYPE'], config.containers ?? []),
    ...secretFaults([...required], options),
    ...(options.dryRun || !hasImage(config) ? [] : toolFaults()),
  ];
}

/** Only before a VPS alone there may be none. */
function containerFaults(vars: Record<string, unknown>, config: Config): string[] {
  const isVpsAlone = vars['ORIGIN'] === 'vps' && vars['FALLBACK_ORIGIN'] !== 'container';
  return isVpsAlone || hasImage(config)
    ? []
    : ['containers: are missing; a Worker without any needs ORIGIN=vps, and no FALLBACK_ORIGIN=container'];
}

/** Each broker has a container of its own; without BROKERS there is one. */
function instanceFaults(brokers: number, containers: readonly { readonly max_instances?: number }[]): string[] {
  return containers
    .filter(({ max_instances: most = 1 }) => most < brokers)
    .map(
      ({ max_instances: most = 1 }) =>
        `max_instances: ${most} is less than the ${brokers} brokers of BROKERS, each of which has a container of its own`,
    );
}

/** The program cannot see its own type: it reckons its cost by the variable. */
function typeFaults(told: unknown, containers: readonly { readonly instance_type?: unknown }[]): string[] {
  return containers
    .filter(({ instance_type: type }) => typeof type === 'string' && type !== told)
    .map(
      ({ instance_type: type }) =>
        `INSTANCE_TYPE: is ${String(told)}, instance_type of the container is ${String(type)}`,
    );
}

function secretFaults(required: readonly string[], options: Options): string[] {
  const { secretsFile, dryRun } = options;
  const given = new Map<string, string>();
  if (secretsFile !== undefined) {
    if (!existsSync(secretsFile)) return [`--secrets-file: ${secretsFile} is not there`];
    const text = readFileSync(secretsFile, 'utf8');
    const isJson = text.trimStart().startsWith('{');
    for (const [name, value] of Object.entries(isJson ? (JSON.parse(text) as object) : parseEnv(text)))
      given.set(name, String(value));
  }
  const named = given.size > 0 || dryRun ? [] : secretNames(options);
  const missing = required.filter((name) => !given.get(name) && !named.includes(name));
  if (dryRun && secretsFile === undefined) return [];
  const faults = missing.map(
    (name) =>
      `${name}: the secret is missing; put it into a file for --secrets-file, or: npx wrangler secret put ${name}`,
  );
  const keys = given.get('BRIDGE_API_KEYS');
  return [...faults, ...(keys === undefined ? [] : variableFaults({ BRIDGE_API_KEYS: keys }, ['BRIDGE_API_KEYS']))];
}

/** Which Worker is meant, for wrangler. */
const which = ({ env, config }: Options): string[] => [
  '--config',
  config,
  ...(env === undefined ? [] : ['--env', env]),
];

/** Of the Worker that is deployed; none where there is none yet, or nobody is logged in. */
function secretNames(options: Options): string[] {
  const told = output(wrangler, ['secret', 'list', '--format', 'json', ...which(options)]);
  try {
    return (JSON.parse(told ?? '[]') as { name: string }[]).map(({ name }) => name);
  } catch {
    return [];
  }
}

function toolFaults(): string[] {
  if (output('docker', ['version', '--format', '{{.Server.Version}}']) === undefined)
    return ['Docker: no engine answers (docker version); the image is built on this machine'];
  return output('docker', ['buildx', 'version']) === undefined
    ? ['Docker: buildx is missing (docker buildx version); wrangler builds with it']
    : [];
}

function run(command: string, args: readonly string[]): void {
  console.log(`$ ${[path.basename(command), ...args].join(' ')}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const options = readOptions();
const config = readConfig(options);
const faults = faultsOf(options, config);
if (faults.length > 0) {
  console.error(`deploy: nothing was changed. To be mended first:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  process.exit(1);
}
await bundleConsole();
if (!options.dryRun && hasImage(config))
  run('docker', ['build', '--platform', 'linux/amd64', '--tag', 'mt5-edge-bridge:deploy', '.']);
run(wrangler, [
  'deploy',
  ...which(options),
  ...(options.secretsFile === undefined ? [] : ['--secrets-file', options.secretsFile]),
  ...(options.dryRun ? ['--dry-run', '--containers-rollout=none'] : []),
]);
if (!options.dryRun) console.log('Now: npm run smoke -- https://<the address above> --key <a key>');
