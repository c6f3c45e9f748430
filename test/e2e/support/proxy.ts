import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Agent, type Dispatcher, request } from 'undici';
import { makeCertificate } from '../../simulator/certificate.ts';
import { freePort } from '../../support/free-port.ts';

/** nginx and Caddy with the files of `scripts/deploy`, on ports of their own, in a folder that is gone afterwards. */

const DEPLOY = path.resolve(import.meta.dirname, '../../../scripts/deploy');

export interface Proxy {
  /** `https://localhost:…` */
  readonly url: string;
  /** The authority to trust. */
  readonly ca: string;
  readonly dispatcher: Dispatcher;
  /** Takes its files anew, as after a change of them. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export interface ProxyKind {
  readonly name: 'nginx' | 'Caddy';
  /** What is to be installed. */
  readonly package: string;
  readonly isThere: boolean;
  readonly start: (upstreamPorts: readonly number[]) => Promise<Proxy>;
}

const versionOf = (command: string, argument: string): string | undefined => {
  const { status, stdout, stderr } = spawnSync(command, [argument], { encoding: 'utf8' });
  return status === 0 ? `${stdout}${stderr}` : undefined;
};

interface Started {
  readonly folder: string;
  readonly child: ChildProcess;
  readonly port: number;
  readonly ca: () => string;
  readonly reload: () => Promise<void>;
}

/** Resolves when a request gets through. */
async function running({ folder, child, port, ca, reload }: Started): Promise<Proxy> {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-4_000)));
  const exited = once(child, 'exit');
  const url = `https://localhost:${port}`;
  const endsAtMs = Date.now() + 15_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the proxy ended: ${output}`);
    try {
      const trusted = ca();
      const dispatcher = new Agent({ connect: { ca: trusted }, connections: 32 });
      const { statusCode, body } = await request(`${url}/healthz`, { dispatcher });
      await body.dump();
      if (statusCode !== 200) throw new Error(`healthz: ${statusCode}`);
      const close = async (): Promise<void> => {
        await dispatcher.destroy();
        child.kill('SIGKILL');
        await exited;
        rmSync(folder, { recursive: true, force: true });
      };
      return { url, ca: trusted, dispatcher, reload, close };
    } catch (error) {
      if (Date.now() > endsAtMs) throw new Error(`the proxy does not answer: ${output}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** What `envsubst` does in nginx's image. */
export const filledIn = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replaceAll(/\$\{([A-Z_]+)\}/g, (whole, name: string) => values[name] ?? whole);

/** The template as the only site of an nginx that touches nothing outside its folder. */
export function writeNginxFiles(folder: string, values: Readonly<Record<string, string>>): string {
  const site = path.join(folder, 'site.conf');
  writeFileSync(
    site,
    filledIn(readFileSync(path.join(DEPLOY, 'nginx/mt5-edge-bridge.conf.template'), 'utf8'), {
      SITE: 'localhost',
      CERTIFICATES: folder,
      ...values,
    }),
  );
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (of) => `${of}_temp_path ${folder}/${of};`,
  );
  const file = path.join(folder, 'nginx.conf');
  const lines = [
    // Its workers may use the folder of who started it.
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    'daemon off;',
    'worker_processes 1;',
    'error_log stderr;',
    `pid ${folder}/pid;`,
    'events {}',
    `http { access_log off; ${temporary.join(' ')} include ${site}; }`,
  ];
  writeFileSync(file, lines.join('\n'));
  return file;
}

async function startNginx(upstreamPorts: readonly number[]): Promise<Proxy> {
  const folder = mkdtempSync(path.join(tmpdir(), 'nginx-'));
  const [{ key, cert }, httpPort, port] = await Promise.all([makeCertificate(), freePort(), freePort()]);
  writeFileSync(path.join(folder, 'fullchain.pem'), cert);
  writeFileSync(path.join(folder, 'privkey.pem'), key);
  const config = writeNginxFiles(folder, {
    BRIDGE_SERVERS: upstreamPorts.map((upstream) => `server 127.0.0.1:${upstream} fail_timeout=2s;`).join(' '),
    HTTP_PORT: `127.0.0.1:${httpPort}`,
    HTTPS_PORT: `127.0.0.1:${port}`,
  });
  const child = spawn('nginx', ['-p', folder, '-c', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  const reload = async (): Promise<void> => {
    child.kill('SIGHUP');
    // The workers of before end when their connections do: a new one is there when a new connection gets through.
    const fresh = new Agent({ connect: { ca: cert } });
    await (await request(`https://localhost:${port}/healthz`, { dispatcher: fresh })).body.dump();
    await fresh.destroy();
  };
  return running({ folder, child, port, ca: () => cert, reload });
}

/** Without the line that Caddy knows from 2.7 on. */
export function caddyfile(): string {
  const text = readFileSync(path.join(DEPLOY, 'caddy/Caddyfile'), 'utf8');
  const [, major = '0', minor = '0'] = /v?(\d+)\.(\d+)/.exec(versionOf('caddy', 'version') ?? '') ?? [];
  const isNew = Number(major) > 2 || Number(minor) >= 7;
  return isNew ? text : text.replace(/^\s*stream_close_delay .*\n/m, '');
}

async function startCaddy(upstreamPorts: readonly number[]): Promise<Proxy> {
  const folder = mkdtempSync(path.join(tmpdir(), 'caddy-'));
  const [httpPort, port, adminPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const file = path.join(folder, 'Caddyfile');
  writeFileSync(file, caddyfile());
  const admin = `localhost:${adminPort}`;
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    XDG_DATA_HOME: folder,
    XDG_CONFIG_HOME: folder,
    SITE: 'localhost',
    BRIDGE_UPSTREAMS: upstreamPorts.map((upstream) => `127.0.0.1:${upstream}`).join(' '),
    HTTP_PORT: String(httpPort),
    HTTPS_PORT: String(port),
    CADDY_ADMIN: admin,
  };
  const files = ['--config', file, '--adapter', 'caddyfile'];
  const child = spawn('caddy', ['run', ...files], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  return running({
    folder,
    child,
    port,
    ca: () => readFileSync(path.join(folder, 'caddy/pki/authorities/local/root.crt'), 'utf8'),
    reload: async () => {
      await promisify(execFile)('caddy', ['reload', ...files, '--force', '--address', admin], { env });
    },
  });
}

export const PROXIES: readonly ProxyKind[] = [
  { name: 'nginx', package: 'nginx-light', isThere: versionOf('nginx', '-v') !== undefined, start: startNginx },
  { name: 'Caddy', package: 'caddy', isThere: versionOf('caddy', 'version') !== undefined, start: startCaddy },
];
