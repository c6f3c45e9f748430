/**
 * `npm start`: the whole bridge on this machine, without Docker, account or broker. A simulated broker, the Worker in
 * real workerd, its container as a local process. With MT5_SERVER set it signs in to that server instead, with BROKERS to
 * those: their `passwordSecret`s are variables of the environment then. The other settings (`/docs#configuration`) are taken
 * from the environment as well. `PORT` (8787), `SIM_PORT` (8443) and `SIM_CONTROL_PORT` (8444) move it; 0 = any free port.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { API_KEY_PREFIX, hashKey } from '../container/contract/keys.ts';
import { SETTINGS } from '../container/contract/settings.ts';
import { brokersSchema } from '../worker/brokers.ts';
import { bundledBridgeProgram } from './local/bridge-program.ts';
import { ChildProgram } from './local/child-program.ts';
import { type LocalEdge, startLocalEdge } from './local/local-edge.ts';
import { inWords, step } from './local/terminal.ts';

const HOST = '127.0.0.1';
/** The container drains within 8 s and is killed after that. */
const STOP_GRACE_MS = 9000;
/** What is set here, by the broker or the demo key. */
const OWN: ReadonlySet<string> = new Set(['MT5_SERVER', 'MT5_LOGIN', 'MT5_PASSWORD', 'BROKERS', 'BRIDGE_API_KEYS']);
/** Every other setting of a bridge behind the Worker may come from the environment. */
const OPTIONAL = SETTINGS.filter(({ name, where }) => where !== 'vps' && !OWN.has(name)).map(({ name }) => name);

/** One demo key is used by everything that is tried here, load generators included: its limits are out of the way. */
const DEMO_LIMITS = { RATE_LIMIT_PER_SECOND: '100000', RATE_LIMIT_BURST: '100000' };

class StartFault extends Error {}

interface Ports {
  readonly edge: number;
  readonly simulator: number;
  readonly control: number;
}

/** Every line where `LOG_LEVEL` is set; else what needs a look. */
const log = (source: string) => (line: string) => {
  const text = process.env['LOG_LEVEL'] ? line : inWords(line);
  if (text !== undefined) console.error(`[${source}] ${text}`);
};

function port(name: string, fallback: number): number {
  const text = process.env[name] ?? '';
  if (text === '') return fallback;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new StartFault(`${name}: expected a port number, got "${text}"`);
}

async function requireFree(number: number, name: string): Promise<void> {
  if (number === 0) return;
  const probe = createServer();
  try {
    probe.listen(number, HOST);
    await once(probe, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${code})`;
    throw new StartFault(`port ${number} ${why}; set ${name} to another one`);
  }
  probe.close();
  await once(probe, 'close');
}

/** The broker that the environment names. */
function givenBroker(server: string): Record<string, string> {
  const names = ['MT5_LOGIN', 'MT5_PASSWORD'] as const;
  const missing = names.filter((name) => !process.env[name]);
  if (missing.length > 0) throw new StartFault(`MT5_SERVER is set, and with it ${missing.join(' and ')} must be`);
  return { MT5_SERVER: server, ...Object.fromEntries(names.map((name) => [name, process.env[name] ?? ''])) };
}

/** The brokers that the environment names, with their passwords. */
function givenBrokers(brokers: string): Record<string, string> {
  const parsed = brokersSchema.safeParse(brokers);
  if (!parsed.success) throw new StartFault(parsed.error.issues.map(({ message }) => `BROKERS: ${message}`).join('; '));
  const names = parsed.data.map(({ passwordSecret }) => passwordSecret);
  const missing = names.filter((name) => !process.env[name]);
  if (missing.length > 0) throw new StartFault(`BROKERS is set, and with it ${missing.join(' and ')} must be`);
  return { BROKERS: brokers, ...Object.fromEntries(names.map((name) => [name, process.env[name] ?? ''])) };
}

/** The simulator as a process of its own, and how to sign in to it. */
async function startSimulator(
  ports: Ports,
  own: (child: ChildProgram) => void,
): Promise<{ control: string; broker: Record<string, string> }> {
  const signIn = Promise.withResolvers<Record<string, string>>();
  const lines: string[] = [];
  const control = Promise.withResolvers<string>();
  const simulator = new ChildProgram(
    'simulator',
    [
      process.execPath,
      path.resolve(import.meta.dirname, '../test/simulator/main.ts'),
      '--port',
      String(ports.simulator),
      '--control-port',
      String(ports.control),
    ],
    (line) => {
      lines.push(line);
      const url = /^control\s+(http:\/\/[\d.:]+)/.exec(line)?.[1];
      if (url !== undefined) control.resolve(url);
      const variables = [...line.matchAll(/(MT5_[A-Z]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]);
      if (variables.length > 0) signIn.resolve(Object.fromEntries(variables) as Record<string, string>);
    },
  );
  own(simulator);
  try {
    const [url, broker] = await simulator.until(Promise.all([control.promise, signIn.promise]));
    return { control: url, broker };
  } catch (error) {
    for (const line of lines) console.error(`[simulator] ${line}`);
    throw error;
  }
}

async function main(): Promise<void> {
  let simulator: ChildProgram | undefined;
  let edge: LocalEdge | undefined;
  let stopping: Promise<void> | undefined;
  const stop = (exitCode: number): Promise<void> => (stopping ??= close(exitCode));
  async function close(exitCode: number): Promise<void> {
    if (edge) {
      const { engine } = edge;
      engine.kill('SIGTERM');
      const endsAtMs = Date.now() + STOP_GRACE_MS;
      while (engine.running().length > 0 && Date.now() < endsAtMs) await delay(20);
      await edge.close();
    }
    await simulator?.close(STOP_GRACE_MS);
    process.exit(exitCode);
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0));
  endWithNpm(() => void stop(0));

  try {
    const ports: Ports = {
      edge: port('PORT', 8787),
      simulator: port('SIM_PORT', 8443),
      control: port('SIM_CONTROL_PORT', 8444),
    };
    await requireFree(ports.edge, 'PORT');
    const server = process.env['MT5_SERVER'] ?? '';
    const brokers = process.env['BROKERS'] ?? '';
    let control: string | undefined;
    let broker: Record<string, string>;
    if (brokers !== '') broker = givenBrokers(brokers);
    else if (server === '') {
      await requireFree(ports.simulator, 'SIM_PORT');
      await requireFree(ports.control, 'SIM_CONTROL_PORT');
      const started = startSimulator(ports, (child) => (simulator = child));
      ({ control, broker } = await step('simulator', started, simulatorInWords));
    } else broker = givenBroker(server);

    const key = API_KEY_PREFIX + randomBytes(32).toString('base64url');
    const set = OPTIONAL.flatMap((name) => (process.env[name] ? [[name, process.env[name]] as const] : []));
    const program = await step('program', bundledBridgeProgram(), () => 'the container program as one file');
    const starting = startLocalEdge({
      port: ports.edge,
      program,
      page: true,
      onLine: log('container'),
      onWorkerLog: log('worker'),
      vars: {
        ...DEMO_LIMITS,
        ...Object.fromEntries(set),
        ...broker,
        BRIDGE_API_KEYS: JSON.stringify([{ id: 'demo', hash: await hashKey(key), scopes: ['admin'] }]),
      },
    });
    edge = await step('worker', starting, () => 'in workerd; the container starts with the first request');
    if (stopping) return;
    const probe = await fetch(`${edge.url}/healthz`);
    if (!probe.ok) throw new StartFault(`the Worker answers ${probe.status}: ${await probe.text()}`);
    await probe.body?.cancel();
    console.log(`ready ${edge.url} key=${key}${control === undefined ? '' : ` control=${control}`}`);
    const example = control === undefined ? '/v1/server' : '/v1/accounts/1001';
    console.log(`curl -H 'Authorization: Bearer ${key}' '${edge.url}${example}'`);
    await tellPlaces(edge.url);
  } catch (error) {
    if (!stopping) console.error(`start: ${error instanceof StartFault ? error.message : String(error)}`);
    await stop(1);
  }
}

const simulatorInWords = ({ broker }: { readonly broker: Record<string, string> }): string =>
  `a broker at ${broker['MT5_SERVER']}, clients 1001 and on with passwords like Client1001!`;

/** Where to look, to click. */
async function tellPlaces(url: string): Promise<void> {
  const page = await fetch(url).catch(() => undefined);
  await page?.body?.cancel();
  const places = [
    ...(page?.ok ? [['page', `${url}/`]] : []),
    ['docs', `${url}/docs`],
    ['cron', `curl '${url}/cdn-cgi/local/scheduled'`],
  ];
  for (const [name = '', place = ''] of places) console.error(`  ${name.padEnd(12)} ${place}`);
  console.error('  LOG_LEVEL=info npm start shows every request; Ctrl-C stops everything.');
}

/** npm does not pass on every signal it dies of: its end is ours. */
function endWithNpm(end: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    end();
  }, 500);
  look.unref();
}

await main();
