/**
 * `node test/simulator/bench.ts`: simple reads a second over keep-alive TLS, the simulator in this process, the load in a
 * child. Each connection asks, waits for the whole answer, asks again. A connection's latency is of that loop.
 */
import { fork } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { startSimulator } from './server.ts';

export interface Load {
  readonly port: number;
  readonly certificatePem: string;
  readonly connections: number;
  readonly path: string;
  readonly durationMs: number;
}

export interface LoadResult {
  readonly answers: number;
  readonly elapsedMs: number;
  readonly bytes: number;
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const DURATION_MS = Number(process.env['BENCH_MS'] ?? 4000);
const CONNECTIONS = Number(process.env['BENCH_CONNECTIONS'] ?? 16);
const PATHS = [
  '/api/test/access',
  '/api/user/get?login=1001',
  '/api/user/account/get?login=1001',
  '/api/symbol/get?symbol=EURUSD',
  '/api/tick/last?symbol=EURUSD',
];

function run(load: Load): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('bench-load.ts', import.meta.url));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the load ended with ${code} before it reported`)));
    child.once('message', (result) => {
      resolve(result as LoadResult);
      child.disconnect();
    });
    child.send(load);
  });
}

console.log(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ` +
    `Node ${process.version}, load average at start ${loadavg()[0]?.toFixed(2)}`,
);
console.log(`${CONNECTIONS} connections, each with its own session, ${DURATION_MS} ms a row\n`);
console.log(
  'command                              reads/s   answer bytes   p50 ms   p99 ms   simulator CPU   reads per CPU second',
);
const simulator = await startSimulator();
for (const path of PATHS) {
  const before = process.cpuUsage();
  const result = await run({
    port: simulator.port,
    certificatePem: simulator.certificatePem,
    connections: CONNECTIONS,
    path,
    durationMs: DURATION_MS,
  });
  const cpu = process.cpuUsage(before);
  const cpuShare = (cpu.user + cpu.system) / 1000 / result.elapsedMs;
  console.log(
    [
      path.padEnd(34),
      Math.round((result.answers / result.elapsedMs) * 1000)
        .toString()
        .padStart(9),
      Math.round(result.bytes / result.answers)
        .toString()
        .padStart(14),
      result.p50Ms.toFixed(2).padStart(8),
      result.p99Ms.toFixed(2).padStart(8),
      `${Math.round(cpuShare * 100)} %`.padStart(15),
      Math.round(result.answers / (result.elapsedMs / 1000) / cpuShare)
        .toString()
        .padStart(22),
      result.failures > 0 ? `   ${result.failures} FAILED` : '',
    ].join(' '),
  );
}
await simulator.close();
