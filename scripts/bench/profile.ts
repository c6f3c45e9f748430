/**
 * `node scripts/bench/profile.ts <cached|typed|passthrough|batch|order|start> [seconds]`: one kind of work on the container program
 * alone, under V8's CPU profiler; prints where the time went and the CPU per answer. Look here before making anything quicker.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundleContainer } from '../local/bundle-container.ts';
import type { LoadResult } from './load/job.ts';
import { Child } from './measure/child.ts';
import { usageOf } from './measure/process-tree.ts';
import { figure } from './report/numbers.ts';
import { asText } from './report/tables.ts';
import { newBenchKey } from './systems/bench-key.ts';
import { SimulatorProcess } from './systems/simulator-process.ts';
import type { System, WorkName } from './systems/system.ts';
import { CONTAINER_BUNDLE, startContainerProcess } from './systems/vps.ts';
import { isWrite, requestsOf } from './work/requests.ts';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}
interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const SHOWN = 40;
const [work = 'cached', seconds = '3'] = process.argv.slice(2);
const directory = mkdtempSync(path.join(tmpdir(), 'mt5-profile-'));
await bundleContainer(CONTAINER_BUNDLE);
const simulator = await SimulatorProcess.start();
const key = newBenchKey();
const { child, url, listeningAfterMs } = await startContainerProcess(simulator, {
  keys: key.setting,
  poolMax: 1,
  checkpoint: `file:${directory}/state.sqlite`,
  nodeArgs: ['--cpu-prof', '--cpu-prof-interval', '200', `--cpu-prof-dir=${directory}`],
});
/** What came before is the start of the program, which `start` shows. */
let loadedAfterMs = 0;
const load = new Child('scripts/bench/load/http-load.ts', { placement: 'measuring', ipc: true });
if (work !== 'start') {
  const saturate = (durationMs: number): Promise<LoadResult> =>
    load.ask<LoadResult>(
      {
        kind: 'saturated',
        url,
        headers: key.headers,
        requests: requestsOf(work as WorkName, { cachedPath: undefined } as unknown as System),
        connections: 32,
        warmUpMs: 0,
        durationMs,
        ...(isWrite(work as WorkName) ? { newKeyEach: true } : {}),
      },
      durationMs + 30_000,
    );
  await saturate(500);
  loadedAfterMs = performance.now() - child.startedAtMs;
  const before = usageOf(child.pid).container?.cpuMs ?? 0;
  const result = await saturate(Number(seconds) * 1_000);
  const used = (usageOf(child.pid).container?.cpuMs ?? 0) - before;
  console.log(
    `${work}: ${figure(result.answered)} answers, ${figure((used / result.answered) * 1_000, ' µs')} CPU each, ` +
      `${figure((result.answered / result.durationMs) * 1_000)}/s, failures ${JSON.stringify(result.failures)} ${result.firstFailure ?? ''}`,
  );
} else console.log(`listening after ${figure(listeningAfterMs, ' ms')}`);
await Promise.all([load.stop(), child.stop()]);
await simulator.stop();
const file = readdirSync(directory).find((name) => name.endsWith('.cpuprofile'));
if (file === undefined) throw new Error('the program left no profile');
console.log(topOf(JSON.parse(readFileSync(path.join(directory, file), 'utf8')) as Profile));
rmSync(directory, { recursive: true, force: true });

function topOf({ nodes, samples, timeDeltas }: Profile): string {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)));
  const nameOf = ({ callFrame }: ProfileNode): string =>
    `${callFrame.functionName || '(anonymous)'} ${callFrame.url.replace(/^.*\/node_modules\//, '').replace(/^file:.*\/(container|scripts)\//, '$1/')}${callFrame.url ? `:${callFrame.lineNumber + 1}` : ''}`;
  const self = new Map<string, number>();
  const total = new Map<string, number>();
  let all = 0;
  let atUs = 0;
  samples.forEach((id, index) => {
    atUs += timeDeltas[index] ?? 0;
    if (atUs < loadedAfterMs * 1_000) return;
    const node = byId.get(id);
    const us = timeDeltas[index] ?? 0;
    if (!node || node.callFrame.functionName === '(idle)') return;
    all += us;
    self.set(nameOf(node), (self.get(nameOf(node)) ?? 0) + us);
    const seen = new Set<string>();
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const ancestor = byId.get(at);
      if (!ancestor || seen.has(nameOf(ancestor))) continue;
      seen.add(nameOf(ancestor));
      total.set(nameOf(ancestor), (total.get(nameOf(ancestor)) ?? 0) + us);
    }
  });
  const top = (times: Map<string, number>): string[][] =>
    [...times]
      .sort((a, b) => b[1] - a[1])
      .slice(0, SHOWN)
      .map(([name, us]) => [`${((us / all) * 100).toFixed(1)} %`, name]);
  return [
    asText({ title: '\nown time', head: ['share', 'function'], rows: top(self) }),
    asText({ title: '\nwith what it calls', head: ['share', 'function'], rows: top(total) }),
  ].join('\n');
}
