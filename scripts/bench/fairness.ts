/**
 * `npm run bench:fairness`: what one key's reads take while another key has 32 batches of 50 under way, against what they
 * take alone, side by side in one run, at a broker 20 ms away; on one session and on four.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { bundleContainer } from '../local/bundle-container.ts';
import { CONTAINER_BUNDLE, startContainerProcess } from './systems/vps.ts';
import { SimulatorProcess } from './systems/simulator-process.ts';

const UPSTREAM_MS = 20;
const BATCHES = 32;
const READS = 60;
const REPETITIONS = 3;
/** Requests wait long for a session: the pool grows to what it may have within this time. */
const GROWTH_MS = 6_000;
/** Issue: twice as long on one session, half as long again on four. */
const WANTED: Readonly<Record<number, number>> = { 1: 2, 4: 1.5 };

const hash = (key: string): string => `sha256:${createHash('sha256').update(key).digest('hex')}`;
const keys = JSON.stringify(['flood', 'desk'].map((id) => ({ id, hash: hash(`mt5k_fair_${id}`), scopes: ['read'] })));
const headersOf = (id: string): Record<string, string> => ({
  'x-api-key': `mt5k_fair_${id}`,
  'content-type': 'application/json',
});
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;

let failures = 0;
/** One read after the other, each for another account. */
async function readsMs(url: string): Promise<number[]> {
  const took: number[] = [];
  for (let n = 0; n < READS; n++) {
    const startedAt = performance.now();
    const answer = await fetch(`${url}/v1/accounts/${1001 + (n % 100)}/money`, { headers: headersOf('desk') });
    await answer.arrayBuffer();
    if (answer.status !== 200) failures++;
    took.push(performance.now() - startedAt);
  }
  return took;
}

/** Keeps its batches under way until told to stop. */
function flood(url: string): () => Promise<void> {
  const stopping = new AbortController();
  const one = async (seed: number): Promise<void> => {
    for (let round = 0; !stopping.signal.aborted; round++) {
      const requests = Array.from({ length: 50 }, (_, n) => ({
        path: `/v1/accounts/${1001 + ((seed * 7 + round * 13 + n) % 100)}/orders/history?limit=${1 + ((seed + n) % 90)}`,
      }));
      const answer = await fetch(`${url}/v1/batch`, {
        method: 'POST',
        headers: headersOf('flood'),
        body: JSON.stringify({ requests }),
      });
      await answer.arrayBuffer();
    }
  };
  const all = Array.from({ length: BATCHES }, (_, seed) => one(seed));
  return async () => {
    stopping.abort();
    await Promise.all(all);
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const directory = mkdtempSync(path.join(tmpdir(), 'mt5-fair-'));
await bundleContainer(CONTAINER_BUNDLE);
console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}`);
for (const poolMax of [1, 4]) {
  const simulator = await SimulatorProcess.start();
  await simulator.setLatency(UPSTREAM_MS);
  const { child, url } = await startContainerProcess(simulator, {
    keys,
    poolMax,
    checkpoint: `file:${directory}/${poolMax}.sqlite`,
  });
  const grow = flood(url);
  await pause(GROWTH_MS);
  await grow();
  const alone: number[] = [];
  const beside: number[] = [];
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    alone.push(...(await readsMs(url)));
    const stop = flood(url);
    await pause(500);
    beside.push(...(await readsMs(url)));
    await stop();
  }
  alone.sort((a, b) => a - b);
  beside.sort((a, b) => a - b);
  const show = (sorted: readonly number[]): string =>
    [0.5, 0.95, 0.99].map((share) => `p${share * 100} ${quantile(sorted, share).toFixed(1)} ms`).join(', ');
  const ratio = quantile(beside, 0.5) / quantile(alone, 0.5);
  const { connections } = await simulator.counters();
  console.log(`${connections} session(s), broker ${UPSTREAM_MS} ms away`);
  console.log(`  alone               ${show(alone)}`);
  console.log(`  beside ${BATCHES} batches   ${show(beside)}`);
  const verdict = ratio <= (WANTED[poolMax] ?? 0) ? 'met' : 'missed';
  console.log(
    `  p50 ${ratio.toFixed(2)} × alone (wanted at most ${WANTED[poolMax]} ×: ${verdict}); ${failures} failures`,
  );
  await child.stop();
  await simulator.stop();
}
rmSync(directory, { recursive: true, force: true });
