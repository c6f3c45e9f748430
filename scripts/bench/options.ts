import { parseArgs } from 'node:util';

export interface Peer {
  readonly name: string;
  readonly url: string;
  readonly path: string;
}

export interface BenchOptions {
  readonly quick: boolean;
  readonly repetitions: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** After so long under full load V8 has compiled what is hot: seen by the CPU time beside the main thread going away. */
  readonly compileMs: number;
  readonly storms: readonly number[];
  /** Connections, of reads and of streams, at which memory and CPU are stated. */
  readonly clientCounts: readonly number[];
  readonly ticksPerSecond: number;
  readonly upstreamLatenciesMs: readonly number[];
  /** Names of systems and works; empty = all. */
  readonly only: readonly string[];
  readonly edgeUrl: string | undefined;
  readonly vpsUrl: string | undefined;
  readonly key: string | undefined;
  readonly peers: readonly Peer[];
  /** Name of the report; the start time if absent. */
  readonly name: string | undefined;
}

/** What `--only` may name. */
export const SYSTEM_NAMES: ReadonlySet<string> = new Set([
  'node-http',
  'nginx',
  'vps',
  'vps-nginx',
  'vps-uncounted',
  'vps-1',
  'node-undici-1',
  'node-undici-4',
  'node-undici-32',
  'vps-none',
  'vps-dealers-2',
  'vps-none-dealers-2',
  'edge',
  'fallback',
  'edge-cold',
  'edge-floor',
  'worker-floor',
  'ws-loop',
  'fan-out',
]);

const WORK_NAMES: ReadonlySet<string> = new Set([
  'cached',
  'typed',
  'passthrough',
  'batch',
  'worst-body',
  'order',
  'storm',
  'stream',
  'fan-out',
  'start',
  'crowd',
  'desk',
  'brokers',
]);

/** Two minutes have no room for these, and no target asks for them. */
export const NOT_QUICK: ReadonlySet<string> = new Set(['batch', 'worst-body']);

/** Of others, no target asks for latencies at a steady rate. */
export const QUICK_PACED: ReadonlySet<string> = new Set(['vps', 'edge', 'edge-floor', 'worker-floor']);

/** Of systems of their own, which take long: measured only where they are named. */
const APART: ReadonlySet<string> = new Set(['desk', 'brokers']);
export const isApart = (name: string): boolean => APART.has(name);

/** `--only` may name works; if it names none, all are wanted but those apart. */
export function wantsWork(only: readonly string[], work: string): boolean {
  const works = only.filter((name) => WORK_NAMES.has(name));
  return works.length === 0 ? !isApart(work) : works.includes(work);
}

const wrapped = (names: Iterable<string>): string => [...names].join(' ');

export const USAGE = `npm run bench -- [options]
  --quick                 one short repetition of everything, under two minutes
  --repetitions <n>       interleaved repetitions (5)
  --duration-ms <ms>      of each measurement (500)
  --only <a,b>            these systems, works and measurements only:
                          ${wrapped(SYSTEM_NAMES)}
                          · ${wrapped(WORK_NAMES)}
                          desk: 50,000 accounts of which a tenth hold positions; brokers: one of two is killed again and
                          again; both only where they are named
  --edge <url>            a deployed Worker instead of the one on this machine
  --vps <url>             a container program elsewhere
  --key <key>             the API key for both (scope read)
  --peer <name=url,path>  another server: GET url + path beside the cached reads; may be repeated; skipped when absent
  --name <name>           results/<name>.json instead of the time; names that begin with "record" are committed`;

const LIMITS = { repetitions: [1, 100], 'duration-ms': [200, 600_000] } as const;

/** @throws TypeError naming the option at fault and what was expected */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      repetitions: { type: 'string' },
      'duration-ms': { type: 'string' },
      only: { type: 'string' },
      edge: { type: 'string' },
      vps: { type: 'string' },
      key: { type: 'string' },
      peer: { type: 'string', multiple: true },
      name: { type: 'string' },
    },
  });
  const { quick } = values;
  const whole = (name: keyof typeof LIMITS, fallback: number): number => {
    const text = values[name];
    if (text === undefined) return fallback;
    const [least, most] = LIMITS[name];
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new TypeError(`--${name}: expected a whole number from ${least} to ${most}, got ${text}`);
  };
  const only = values.only?.split(',').map((name) => name.trim()) ?? [];
  const unknown = only.filter((name) => !SYSTEM_NAMES.has(name) && !WORK_NAMES.has(name));
  if (unknown.length > 0) throw new TypeError(`--only: ${unknown.join(', ')}: expected names of systems and works`);
  if (values.name !== undefined && !/^[\w.-]{1,80}$/.test(values.name))
    throw new TypeError(`--name: expected letters, digits, dot and dash, got ${values.name}`);
  const durationMs = whole('duration-ms', quick ? 250 : 500);
  return {
    quick,
    repetitions: whole('repetitions', quick ? 1 : 5),
    durationMs,
    compileMs: quick ? 150 : 2_500,
    warmUpMs: Math.min(1_000, durationMs / 2),
    storms: quick ? [1, 100] : [1, 20, 100, 1_000],
    clientCounts: quick ? [100] : [25, 50, 100, 200],
    ticksPerSecond: 1_000,
    upstreamLatenciesMs: [0, 20],
    only,
    edgeUrl: url('edge', values.edge),
    vpsUrl: url('vps', values.vps),
    key: values.key,
    peers: (values.peer ?? []).map(peer),
    name: values.name,
  };
}

function url(name: string, text: string | undefined): string | undefined {
  if (text === undefined || (URL.canParse(text) && /^https?:/.test(text))) return text;
  throw new TypeError(`--${name}: expected an http or https URL, got ${text}`);
}

function peer(text: string): Peer {
  const match = /^([\w.-]+)=(https?:\/\/[^,]+),(\/.*)$/.exec(text);
  const [, name, address, path] = match ?? [];
  if (name === undefined || address === undefined || path === undefined || !URL.canParse(address))
    throw new TypeError(`--peer: expected name=url,path like mine=http://127.0.0.1:3000,/user/1001, got ${text}`);
  return { name, url: address, path };
}
