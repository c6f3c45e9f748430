/**
 * `npm run bench`: measures the bridge and the floors under it, in one run, on this machine or by address, and writes raw
 * samples and a report. The house rules of a figure here: server, load and broker are separate processes; load is sent
 * when it is time, not when the last answer came; repetitions are interleaved; the broker's own counters stand beside.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import path from 'node:path';
import { pinning } from './measure/child.ts';
import { readOptions, USAGE, type BenchOptions } from './options.ts';
import type { MachineFacts, Report } from './report/model.ts';
import { writeReport } from './report/write-report.ts';
import { Bench } from './bench.ts';
import { chooseSystems } from './systems/choose-systems.ts';

const RESULTS = path.resolve(import.meta.dirname, 'results');

function machineFacts(): Omit<MachineFacts, 'loadAfter'> {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    pinned: pinning,
    loadBefore: Number(loadavg()[0]?.toFixed(2)),
  };
}

const commit = (): string => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
};

async function main(options: BenchOptions): Promise<void> {
  const startedAt = new Date();
  const machine = machineFacts();
  const bench = new Bench(options, (text) => process.stderr.write(`${text}\n`));
  process.once('SIGINT', () => void bench.stop().then(() => process.exit(130)));
  let ran: Awaited<ReturnType<Bench['run']>>;
  try {
    ran = await bench.run(await chooseSystems(options));
  } finally {
    await bench.stop();
  }
  const report: Report = {
    format: 1,
    command: ['npm run bench --', ...process.argv.slice(2)].join(' ').replaceAll(/(--key[ =])\S+/g, '$1…'),
    startedAt: startedAt.toISOString(),
    tookSeconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    commit: commit(),
    machine: { ...machine, loadAfter: Number(loadavg()[0]?.toFixed(2)) },
    repetitions: options.repetitions,
    ...ran,
  };
  mkdirSync(RESULTS, { recursive: true });
  const name = options.name ?? startedAt.toISOString().slice(0, 19).replaceAll(':', '-');
  const files = writeReport(report, path.join(RESULTS, name));
  console.log(files.table);
  for (const file of files.written) console.log(path.relative(process.cwd(), file));
}

if (process.argv.includes('--help')) {
  console.log(USAGE);
  process.exit(0);
}
let options: BenchOptions;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exit(1);
}
await main(options);
