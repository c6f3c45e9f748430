import type { Child } from '../measure/child.ts';
import { POOL } from '../systems/vps.ts';
import type { Started } from '../systems/system.ts';
import { measureHttp } from './http-work.ts';

/** An upstream latency at which 32 callers wait long for 4 connections. */
const POOL_GROWTH_LATENCY_MS = 20;
const POOL_GROWTH_TIMEOUT_MS = 10_000;

/** A pool grows under sustained queueing only: the floors have all their connections from the start. Brokers are then far away. */
export async function growPools(started: readonly Started[], load: Child): Promise<void> {
  for (const { running } of started) await running.simulator?.setLatency(POOL_GROWTH_LATENCY_MS);
  for (const { system, running } of started) {
    const grows = system.kind !== 'floor' && system.name !== 'vps-1' && system.works.includes('typed');
    if (!grows || !running.simulator) continue;
    const giveUpAtMs = performance.now() + POOL_GROWTH_TIMEOUT_MS;
    while ((await running.simulator.counters()).connections < POOL && performance.now() < giveUpAtMs)
      await measureHttp({
        system,
        running,
        load,
        work: 'passthrough',
        mode: 'saturated',
        upstreamLatencyMs: 0,
        warmUpMs: 0,
        durationMs: 800,
        repetition: 0,
      });
  }
}
