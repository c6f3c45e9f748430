/**
 * `npm run check:engine`: the real Dockerfile, and `wrangler dev` over a real container engine, with what the process engine
 * cannot show: limits, signals to process 1, a network of its own, a paused container. Skips by name where no engine is, or
 * where the base image cannot be had.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Broker } from '../soak/broker.ts';
import { newSoakKeys, type SoakKeys } from '../soak/road.ts';
import { ChildProgram } from '../local/child-program.ts';
import { containersNamed, docker, dockerForWrangler, mustDocker } from './docker.ts';

const root = path.resolve(import.meta.dirname, '../..');
const IMAGE = 'mt5-edge-bridge:check';
const SIDECAR = 'mt5-edge-bridge-egress:check';
const PORT = 18_787;
/** lite: 1/16 vCPU, 256 MiB (cloudflare.md §4). */
const LITE = ['--cpus', '0.0625', '--memory', '256m'];
const CLASS = 'BridgeContainer';

let failures = 0;

function skip(reason: string): never {
  console.log(`skipped: ${reason}`);
  process.exit(0);
}

async function step(name: string, body: () => Promise<string> | string): Promise<void> {
  const startedAtMs = Date.now();
  try {
    console.log(`ok      ${name}: ${await body()} (${((Date.now() - startedAtMs) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failures += 1;
    console.log(`FAILED  ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

async function until(what: string, timeoutMs: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endsAtMs = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > endsAtMs) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await delay(100);
  }
}

/** `wrangler dev` as a user runs it, its containers on the engine. */
class Dev {
  readonly url = `http://127.0.0.1:${PORT}`;
  readonly #program: ChildProgram;
  readonly #keys: SoakKeys;
  readonly lines: string[] = [];

  constructor(broker: Broker, gateway: string, keys: SoakKeys) {
    this.#keys = keys;
    this.#program = new ChildProgram(
      'wrangler dev',
      [path.join(root, 'node_modules/.bin/wrangler'), 'dev', '--port', String(PORT), '--ip', '127.0.0.1'],
      (line) => this.lines.push(line),
      {
        ...process.env,
        CI: '1',
        WRANGLER_SEND_METRICS: 'false',
        CLOUDFLARE_CF_FETCH_ENABLED: 'false',
        WRANGLER_DOCKER_BIN: dockerForWrangler(),
        ...(docker('image', 'inspect', SIDECAR).ok ? { MINIFLARE_CONTAINER_EGRESS_IMAGE: SIDECAR } : {}),
        BRIDGE_API_KEYS: keys.variable,
        MT5_SERVER: `${gateway}:${broker.server.split(':').pop()}`,
        MT5_LOGIN: '1000',
        MT5_PASSWORD: broker.password,
        MT5_TLS: `pin:${broker.certificateSha256}`,
      },
    );
  }

  async read(login = 1001): Promise<{ status: number; text: string }> {
    const answer = await fetch(`${this.url}/v1/accounts/${login}`, {
      headers: { authorization: `Bearer ${this.#keys.trade}` },
      signal: AbortSignal.timeout(60_000),
    });
    return { status: answer.status, text: await answer.text() };
  }

  async admin(method: string, at: string): Promise<Record<string, unknown>> {
    const answer = await fetch(this.url + at, { method, headers: { authorization: `Bearer ${this.#keys.admin}` } });
    return (await answer.json()) as Record<string, unknown>;
  }

  async journal(): Promise<string[]> {
    const { items } = (await this.admin('GET', '/admin/journal')) as { items: { event: string }[] };
    return items.map(({ event }) => event).reverse();
  }

  async up(): Promise<void> {
    await until('wrangler dev', 180_000, () =>
      fetch(`${this.url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  }

  close(): Promise<void> {
    return this.#program.close(15_000);
  }
}

async function storm(dev: Dev, count: number): Promise<string> {
  const answers = await Promise.all(Array.from({ length: count }, (_, i) => dev.read(1001 + (i % 30))));
  const wrong = answers.filter(({ status }) => status !== 200);
  expectThat(wrong.length === 0, `${wrong.length} of ${count} were not answered: ${wrong[0]?.text.slice(0, 200)}`);
  return `${count} reads`;
}

async function drills(dev: Dev, broker: Broker): Promise<void> {
  const running = (): string => containersNamed(CLASS)[0] ?? '';
  await step('wrangler dev over the engine', async () => {
    await dev.up();
    return 'the Worker answers';
  });
  await step('cold storm', async () => {
    const told = await storm(dev, 50);
    const { handshakes } = await broker.stats();
    return `${told}, ${handshakes} sign-ins`;
  });
  await step('sleep and wake', async () => {
    await dev.admin('POST', '/admin/sleep');
    await until('the container sleeps', 20_000, () => running() === '');
    return storm(dev, 5);
  });
  await step('cron wakes', async () => {
    await dev.admin('POST', '/admin/sleep');
    await until('the container sleeps', 20_000, () => running() === '');
    await (await fetch(`${dev.url}/cdn-cgi/local/scheduled`)).body?.cancel();
    expectThat(running() !== '', 'no container runs after the cron trigger');
    return 'a container runs';
  });
  for (const [name, command] of [
    ['kill', ['kill']],
    ['stop', ['stop', '--timeout', '30']],
  ] as const)
    await step(name, async () => {
      const before = running();
      mustDocker(...command, before);
      const told = await storm(dev, 10);
      expectThat(running() !== before, 'the same container runs');
      return told;
    });
  await step('SIGTERM in the start', async () => {
    await dev.admin('POST', '/admin/sleep');
    await until('the container sleeps', 20_000, () => running() === '');
    const reading = dev.read();
    await until('a start', 20_000, () => running() !== '');
    docker('kill', '--signal', 'TERM', running());
    expectThat((await reading).status === 200, 'the read that started it was not answered');
    const events = await dev.journal();
    expectThat(!events.slice(-4).includes('error'), `a failed start: ${events.slice(-4).join(', ')}`);
    return 'answered';
  });
  await step('freeze', async () => {
    await storm(dev, 5);
    const before = running();
    mustDocker('pause', before);
    const told = await storm(dev, 20);
    expectThat(running() !== before, 'the same container runs');
    return `${told} that waited were answered by the next one`;
  });
}

/** Signals and limits of the image alone. */
async function imageDrills(broker: Broker, gateway: string, keys: SoakKeys): Promise<void> {
  const name = 'mt5-edge-bridge-check';
  docker('rm', '--force', name);
  const env = {
    BRIDGE_API_KEYS: keys.variable,
    MT5_SERVER: `${gateway}:${broker.server.split(':').pop()}`,
    MT5_LOGIN: '1000',
    MT5_PASSWORD: broker.password,
    MT5_TLS: `pin:${broker.certificateSha256}`,
  };
  const flags = Object.entries(env).flatMap(([variable, value]) => ['--env', `${variable}=${value}`]);
  await step('health check under the limits of lite, with 8 readers', async () => {
    mustDocker('run', '--detach', '--name', name, '--publish', '127.0.0.1::8080', ...LITE, ...flags, IMAGE);
    const port = mustDocker('port', name, '8080').split('\n')[0]?.split(':').pop() ?? '';
    const read = async (): Promise<number> => {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/accounts/1001`, {
        headers: { authorization: `Bearer ${keys.trade}` },
      });
      await answer.body?.cancel();
      return answer.status;
    };
    await until('a first answer', 60_000, () =>
      read().then(
        (status) => status === 200,
        () => false,
      ),
    );
    const stop = new AbortController();
    const statuses = new Map<number, number>();
    const readers = Array.from({ length: 8 }, async () => {
      while (!stop.signal.aborted) {
        const status = await read().catch(() => 0);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    const health = (): string => docker('inspect', '--format', '{{.State.Health.Status}}', name).text;
    await until('the health check to run', 100_000, () => health() !== 'starting');
    const told = health();
    stop.abort();
    await Promise.all(readers);
    expectThat(told === 'healthy', `it is ${told}`);
    return `healthy, answers ${JSON.stringify(Object.fromEntries(statuses))}`;
  });
  await step('SIGTERM ends the image with 0', () => {
    mustDocker('stop', '--timeout', '30', name);
    const code = mustDocker('inspect', '--format', '{{.State.ExitCode}}', name);
    expectThat(code === '0', `exit code ${code}`);
    return 'exit code 0';
  });
  docker('rm', '--force', name);
}

function prepare(): string {
  if (!docker('version', '--format', '{{.Server.Version}}').ok) skip('no container engine answers (docker version)');
  const [base = ''] = /(?<=^FROM )\S+/m.exec(readFileSync(path.join(root, 'Dockerfile'), 'utf8')) ?? [];
  if (!docker('image', 'inspect', base).ok && !docker('pull', base).ok) skip(`the base image ${base} cannot be had`);
  const gateway = docker('network', 'inspect', 'bridge', '--format', '{{(index .IPAM.Config 0).Gateway}}').text;
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(gateway)) skip('the engine has no bridge network with a gateway');
  if (!docker('pull', 'cloudflare/proxy-everything').ok)
    mustDocker('build', '--tag', SIDECAR, '--file', 'scripts/engine/Dockerfile', 'scripts/engine');
  return gateway;
}

const gateway = prepare();
const keys = await newSoakKeys();
const broker = await Broker.start(1, () => undefined, '0.0.0.0');
await step('build of the Dockerfile', () => {
  mustDocker('build', '--tag', IMAGE, '.');
  return mustDocker('image', 'inspect', '--format', '{{.Size}}', IMAGE).replace(/(\d+)\d{6}$/, '$1 MB');
});
await imageDrills(broker, gateway, keys);
const dev = new Dev(broker, gateway, keys);
try {
  await drills(dev, broker);
} finally {
  if (failures > 0) console.log(dev.lines.slice(-40).join('\n'));
  await dev.close();
  await broker.close();
  for (const id of docker('ps', '--all', '--quiet', '--filter', `name=${CLASS}`).text.split('\n').filter(Boolean))
    docker('rm', '--force', id);
}
console.log(failures === 0 ? 'everything held' : `${failures} did not hold`);
process.exit(failures === 0 ? 0 : 1);
