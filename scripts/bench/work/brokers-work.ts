import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadResult } from '../load/job.ts';
import type { Child } from '../measure/child.ts';
import type { MeasureRow, Sample } from '../report/model.ts';
import { newBenchKey } from '../systems/bench-key.ts';
import { type EdgeHost, startEdgeHost } from '../systems/edge.ts';
import { SimulatorProcess } from '../systems/simulator-process.ts';
import { sampleOf, SLACK_MS } from './http-work.ts';
import { requestsOf } from './requests.ts';

export const BROKERS_WORK = {
  well: 'reads at the first of two brokers',
  beside: 'reads at the first of two brokers, the second killed again and again',
} as const;

const UPSTREAM_MS = 20;
const CONNECTIONS = 4;
const READS_PER_SECOND = 100;
const DURATION_MS = { whole: 5_000, quick: 2_000 } as const;
/** Between a kill and the next one; a read at once after it starts the container again. */
const KILL_EVERY_MS = 1_000;

interface TwoBrokers {
  readonly host: EdgeHost;
  readonly headers: Readonly<Record<string, string>>;
  readonly first: SimulatorProcess;
  stop(): Promise<void>;
}

/** Two brokers behind one Worker: what reads at one take while the other's container is killed, beside what they take otherwise. */
export async function measureBrokers(
  load: Child,
  quick: boolean,
  repetition: number,
  measure: MeasureRow,
): Promise<void> {
  const brokers = await startBrokers();
  const durationMs = DURATION_MS[quick ? 'quick' : 'whole'];
  const row = {
    system: 'edge-brokers',
    mode: 'paced',
    upstreamLatencyMs: UPSTREAM_MS,
    concurrency: CONNECTIONS,
  } as const;
  const reads = (): Promise<Sample> => measureReads(brokers, load, durationMs, repetition);
  try {
    await readOnce(brokers, '');
    await readOnce(brokers, '/brokers/second');
    await measure({ ...row, work: BROKERS_WORK.well }, reads);
    await measure({ ...row, work: BROKERS_WORK.beside }, async () => {
      const ended = killAgainAndAgain(brokers);
      try {
        return await reads();
      } finally {
        await ended();
      }
    });
  } finally {
    await brokers.stop();
  }
}

async function startBrokers(): Promise<TwoBrokers> {
  const simulators = await Promise.all([SimulatorProcess.start(), SimulatorProcess.start()]);
  for (const simulator of simulators) await simulator.setLatency(UPSTREAM_MS);
  const key = newBenchKey();
  const entry = ({ server, env }: SimulatorProcess, id: string) => ({
    id,
    server,
    login: env['MT5_LOGIN'],
    passwordSecret: 'PASSWORD',
    tls: env['MT5_TLS'],
  });
  const host = await startEdgeHost({
    VARS: JSON.stringify({
      BRIDGE_API_KEYS: key.setting,
      PASSWORD: simulators[0].env['MT5_PASSWORD'],
      BROKERS: JSON.stringify([entry(simulators[0], 'main'), entry(simulators[1], 'second')]),
      SLEEP_POLICY: 'fixed',
    }),
  });
  return {
    host,
    headers: key.headers,
    first: simulators[0],
    stop: async () => {
      await host.child.stop(10_000);
      await Promise.all(simulators.map((simulator) => simulator.stop()));
    },
  };
}

async function readOnce({ host, headers }: TwoBrokers, prefix: string): Promise<void> {
  const answer = await fetch(`${host.url}${prefix}/v1/accounts/1001/money`, { headers });
  await answer.arrayBuffer();
}

async function measureReads(
  { host, headers, first }: TwoBrokers,
  load: Child,
  durationMs: number,
  repetition: number,
): Promise<Sample> {
  const before = await first.counters();
  const result = await load.ask<LoadResult>(
    {
      kind: 'paced',
      url: host.url,
      headers,
      requests: requestsOf('typed'),
      connections: CONNECTIONS,
      ratePerSecond: READS_PER_SECOND,
      warmUpMs: 500,
      durationMs,
    },
    durationMs + SLACK_MS,
  );
  const after = await first.counters();
  return {
    repetition,
    ...sampleOf(result),
    upstream: {
      connections: after.connections,
      handshakes: after.handshakes - before.handshakes,
      handshakeFailures: after.handshakeFailures - before.handshakeFailures,
      requests: after.requests - before.requests,
      mutations: after.mutations - before.mutations,
    },
  };
}

/** Kills the container that was started last, which is the second broker's. @returns what ends it */
function killAgainAndAgain(brokers: TwoBrokers): () => Promise<void> {
  const ending = new AbortController();
  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await brokers.host.child.ask({ op: 'kill newest' }, 5_000);
      await readOnce(brokers, '/brokers/second');
      await sleep(KILL_EVERY_MS);
    }
  };
  const running = run();
  return () => {
    ending.abort();
    return running;
  };
}
