/**
 * `npm run soak -- --road edge|vps|cluster|fallback --seed N --minutes M`: mixed load under random faults, and what must hold all along.
 * `npm run soak -- --road outbox --seed N --operations 10000`: the audit and the webhooks alone, on a clock of their own.
 * Progress goes to standard error, the report to standard output; the exit code is 1 where anything was violated.
 */
import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Broker } from './broker.ts';
import { Calls } from './calls.ts';
import { checkLedger, checkStreams, dealsOf, untilSettled } from './checks.ts';
import { clusterRoad } from './cluster-road.ts';
import { edgeRoad } from './edge-road.ts';
import { fallbackRoad } from './fallback-road.ts';
import { Load } from './load.ts';
import { outboxSoak } from './outbox-road.ts';
import { Random } from './random.ts';
import { type Fault, freeze, type Road, usageOf } from './road.ts';
import { DealWatch } from './streams.ts';
import { Violations } from './violations.ts';
import { vpsRoad } from './vps-road.ts';

const STREAM_CLIENTS = 5;
/** Between the end of one fault and the beginning of the next; some overlap what the last one left behind. */
const FAULT_PAUSE_MS = { from: 3_000, to: 12_000 };
const FAULT_LASTS_MS = { from: 5_000, to: 40_000 };
/** Sign-ins within a minute (state/sign-in-policy.ts: `allPerMinute`). */
const SIGN_INS_PER_MINUTE = 60;
/** What processes may hold more at the end than at the beginning. */
const MORE_MB = 150;
const WORKERD_MB = 700;
/** … taken when everything has been done once. */
const BASE_AFTER_MS = 45_000;
const MORE_HANDLES = 40;
const LOOK_EVERY_MS = 10_000;
/** Lines of a log that tell of a fault of ours, shown as they come. */
const MOST_FAULTS_TOLD = 20;

const say = (line: string): void => console.error(`[soak] ${new Date().toISOString().slice(11, 19)} ${line}`);

interface Options {
  readonly road: Road['name'] | 'outbox';
  readonly seed: number;
  readonly minutes: number;
  readonly operations: number;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      road: { type: 'string' },
      seed: { type: 'string' },
      minutes: { type: 'string' },
      operations: { type: 'string' },
    },
  });
  const { road = 'edge' } = values;
  if (road !== 'edge' && road !== 'vps' && road !== 'cluster' && road !== 'fallback' && road !== 'outbox')
    throw new TypeError(`--road: expected edge, vps, cluster, fallback or outbox, got ${road}`);
  const whole = (name: 'seed' | 'minutes' | 'operations', fallback: number): number => {
    const number = Number(values[name] ?? fallback);
    if (!(number > 0)) throw new TypeError(`--${name}: expected a number above 0, got ${values[name]}`);
    return number;
  };
  return { road, seed: whole('seed', 1), minutes: whole('minutes', 15), operations: whole('operations', 10_000) };
}

/** What the broker does by itself, on either road. */
function brokerFaults(broker: Broker): Record<string, Fault> {
  const arm = (fault: object): Promise<void> => broker.fault(fault);
  return {
    'answers lost before execution': { weight: 3, inject: () => arm({ kind: 'drop-before-execution', count: 3 }) },
    'answers lost after execution': { weight: 4, inject: () => arm({ kind: 'drop-after-execution', count: 3 }) },
    'late execution': {
      weight: 3,
      inject: (durationMs) => arm({ kind: 'execute-late', ms: Math.min(durationMs, 20_000), count: 2 }),
    },
    'connections reset': { weight: 2, inject: () => arm({ kind: 'reset', count: 3 }) },
    'answers that hang': { weight: 2, inject: () => arm({ kind: 'hang', count: 2 }) },
    'slow answers': { weight: 2, inject: () => arm({ kind: 'slow', ms: 4_000, count: 10 }) },
    maintenance: { weight: 1, inject: (durationMs) => arm({ kind: 'maintenance', ms: Math.min(durationMs, 15_000) }) },
    'freeze broker': { weight: 2, inject: (durationMs) => freeze(broker.pid, durationMs) },
    'clock jumps': {
      weight: 1,
      inject: async (durationMs) => {
        await broker.shiftClock(durationMs % 2 === 0 ? 20_000 : -5_000);
        await delay(durationMs);
        await broker.shiftClock(0);
      },
    },
  };
}

const ROADS = { edge: edgeRoad, vps: vpsRoad, cluster: clusterRoad, fallback: fallbackRoad };

async function main({ road: name, seed, minutes, operations }: Options): Promise<number> {
  if (name === 'outbox') return outboxSoak({ seed, operations, say });
  const violations = new Violations();
  let secrets: readonly string[] = [];
  let lines = 0;
  let faultsTold = 0;
  const onLine = (source: string, line: string): void => {
    lines += 1;
    if (/internal_error|"status":500|"(?:Type|Range|Reference)Error/.test(line) && faultsTold++ < MOST_FAULTS_TOLD)
      say(`${source} log: ${line.slice(0, 1_000)}`);
    for (const secret of secrets)
      if (line.includes(secret))
        violations.note('secret in a log', `${source}: ${line.replaceAll(secret, '…').slice(0, 200)}`);
  };
  const broker = await Broker.start(seed, () => undefined);
  const road = await ROADS[name](broker, onLine);
  secrets = [...road.keys.secrets, broker.password];
  const calls = new Calls(road.urls, secrets, violations);
  const stalls = calls.watchStalls(say);
  const stop = new AbortController();
  const streams = new AbortController();
  const faults = { ...brokerFaults(broker), ...road.faults };
  const met = new Map<string, number>();
  try {
    say(
      `${name} road at ${road.urls.join()}, seed ${seed}, ${minutes} minutes; skipped: ${road.skipped.join('; ') || 'nothing'}`,
    );
    const watches = Array.from(
      { length: STREAM_CLIENTS },
      (_, i) => new DealWatch(road.urls[i % road.urls.length] ?? '', road.keys.trade, streams.signal),
    );
    await Promise.all(watches.map(({ ready }) => ready));
    const before = dealsOf(await broker.books());
    const load = new Load({ calls, key: road.keys.trade, seed, violations, signal: stop.signal });
    const watching = watchSignIns(broker, violations, stop.signal);
    const endsAtMs = Date.now() + minutes * 60_000;
    await delay(Math.min(BASE_AFTER_MS, minutes * 20_000));
    const base = usage(road);
    await injectFaults({ faults, seed, endsAtMs, met, calls, load, road });
    stop.abort();
    await broker.calm();
    say('load ends; what is open is settled');
    await load.ended();
    await watching;
    const rows = await untilSettled(calls, road.keys.trade, say);
    checkLedger(rows, await broker.books(), load.told, violations);
    await checkStreams(watches, broker, before, violations);
    streams.abort();
    await Promise.all(watches.map(({ ended }) => ended));
    const end = usage(road);
    checkUsage(base, end, violations);
    report({
      options: { road: name, seed, minutes, operations },
      road,
      calls,
      met,
      rows: rows.length,
      told: load.told.length,
      watches,
      base,
      end,
      lines,
      violations,
    });
  } finally {
    stalls();
    stop.abort();
    streams.abort();
    await road.close();
    await broker.close();
  }
  return violations.count === 0 ? 0 : 1;
}

interface Injection {
  readonly faults: Readonly<Record<string, Fault>>;
  readonly seed: number;
  readonly endsAtMs: number;
  readonly met: Map<string, number>;
  readonly calls: Calls;
  readonly load: Load;
  readonly road: Road;
}

async function injectFaults({ faults, seed, endsAtMs, met, calls, load, road }: Injection): Promise<void> {
  const random = new Random(seed);
  const hat = Object.entries(faults).flatMap(([name, { weight }]) => Array.from({ length: weight }, () => name));
  while (Date.now() < endsAtMs) {
    await delay(random.between(FAULT_PAUSE_MS.from, FAULT_PAUSE_MS.to));
    const name = random.of(hat);
    const fault = faults[name];
    const durationMs = random.between(FAULT_LASTS_MS.from, FAULT_LASTS_MS.to);
    met.set(name, (met.get(name) ?? 0) + 1);
    const leftS = Math.max(0, Math.round((endsAtMs - Date.now()) / 1000));
    say(`${leftS} s left, ${load.told.length} writes, ${road.starts()} starts; now: ${name} (${durationMs} ms)`);
    if (fault?.stopsEverybody) calls.pause();
    await fault?.inject(durationMs).catch((error: unknown) => say(`${name} could not be done: ${String(error)}`));
    if (fault?.stopsEverybody) calls.resume();
  }
}

async function watchSignIns(broker: Broker, violations: Violations, signal: AbortSignal): Promise<void> {
  const counts: { atMs: number; handshakes: number }[] = [];
  while (!signal.aborted) {
    // A broker that is stopped does not tell.
    const stats = await broker.stats().catch(() => undefined);
    const atMs = Date.now();
    if (stats) {
      counts.push({ atMs, handshakes: stats.handshakes + stats.handshakeFailures });
      const first = counts.find((count) => count.atMs > atMs - 60_000);
      const made = stats.handshakes + stats.handshakeFailures - (first?.handshakes ?? 0);
      if (made > SIGN_INS_PER_MINUTE) violations.note('too many sign-ins', `${made} within a minute`);
    }
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

type Usage = Readonly<Record<string, { rssMb: number; handles: number } | undefined>>;

const usage = (road: Road): Usage =>
  Object.fromEntries(Object.entries(road.processes()).map(([name, pid]) => [name, usageOf(pid)]));

function checkUsage(base: Usage, end: Usage, violations: Violations): void {
  for (const [name, now] of Object.entries(end)) {
    const then = base[name];
    if (!now || !then) continue;
    // workerd lets its heap grow to about 570 MB under load before it collects, and stays there.
    const mostMb = name === 'workerd' ? WORKERD_MB : then.rssMb + MORE_MB;
    if (now.rssMb > mostMb) violations.note('memory', `${name}: ${then.rssMb} → ${now.rssMb} MB`);
    if (now.handles > then.handles + MORE_HANDLES)
      violations.note('handles', `${name}: ${then.handles} → ${now.handles}`);
  }
}

interface Findings {
  readonly options: Options;
  readonly road: Road;
  readonly calls: Calls;
  readonly met: ReadonlyMap<string, number>;
  readonly rows: number;
  readonly told: number;
  readonly watches: readonly DealWatch[];
  readonly base: Usage;
  readonly end: Usage;
  readonly lines: number;
  readonly violations: Violations;
}

function report({ options, road, calls, met, rows, told, watches, base, end, lines, violations }: Findings): void {
  const list = (counts: ReadonlyMap<string, number>): string =>
    [...counts]
      .toSorted((a, b) => b[1] - a[1])
      .map(([what, count]) => `${count} × ${what}`)
      .join(', ');
  const answers = [...calls.counts.values()].reduce((sum, count) => sum + count, 0);
  console.log(`# Soak: ${options.road} road, seed ${options.seed}, ${options.minutes} minutes`);
  console.log(
    `machine: ${cpus()[0]?.model} × ${cpus().length}, Node ${process.versions.node}; stood still for ${Math.round(calls.stalledMs)} ms`,
  );
  console.log(`faults: ${list(met)}`);
  if (road.skipped.length > 0) console.log(`skipped: ${road.skipped.join('; ')}`);
  console.log(`${answers} answers: ${list(calls.counts)}`);
  console.log(`${told} writes were asked for, ${rows} are in the ledger; ${road.starts()} starts of the program`);
  console.log(
    `streams: ${watches.map(({ tickets, gaps }) => `${tickets.length} deals, ${gaps} gaps`).join(' · ')}; ${lines} log lines`,
  );
  console.log(`memory and handles: ${JSON.stringify(base)} → ${JSON.stringify(end)}`);
  console.log(
    violations.count === 0 ? 'nothing was violated' : `VIOLATED ${violations.count}:\n${violations.lines.join('\n')}`,
  );
}

process.exitCode = await main(readOptions());
process.exit();
