import type { Sample } from '../report/model.ts';
import type { UpstreamCounters } from '../systems/simulator-process.ts';
import type { RunningSystem } from '../systems/system.ts';
import { canMeasureProcesses, resetPeaks, usageOf, type Part, type Usage } from './process-tree.ts';

type ServerSide = Pick<Sample, 'cpuMs' | 'containerCpuMs' | 'peakRssBytes' | 'containerPeakRssBytes' | 'upstream'>;

/** Runs the work and says what the server's side and the broker's counters did meanwhile, warm-up included. */
export async function around<Result>(
  system: RunningSystem,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly server: ServerSide }> {
  const before = await system.simulator?.counters();
  const isMeasured = system.pids.length > 0 && canMeasureProcesses;
  if (isMeasured) resetPeaks(system.pids);
  const usedBefore = usageOf(...system.pids);
  const result = await work();
  const usedAfter = usageOf(...system.pids);
  const after = await system.simulator?.counters();
  const server: { -readonly [name in keyof ServerSide]: ServerSide[name] } = {};
  if (before && after) server.upstream = difference(before, after);
  if (isMeasured) {
    const parts = (name: keyof Usage, of: readonly Part[], usage = usedAfter): number =>
      of.reduce((sum, part) => sum + (usage[part]?.[name] ?? 0), 0);
    const all: readonly Part[] = ['container', 'workerd', 'host'];
    server.cpuMs = parts('cpuMs', all) - parts('cpuMs', all, usedBefore);
    server.peakRssBytes = parts('peakRssBytes', all);
    if (usedAfter.container) {
      server.containerCpuMs = parts('cpuMs', ['container']) - parts('cpuMs', ['container'], usedBefore);
      server.containerPeakRssBytes = parts('peakRssBytes', ['container']);
    }
  }
  return { result, server };
}

/** Connections is how many are open, the rest how many more there were. */
const difference = (before: UpstreamCounters, after: UpstreamCounters): UpstreamCounters => ({
  connections: after.connections,
  handshakes: after.handshakes - before.handshakes,
  handshakeFailures: after.handshakeFailures - before.handshakeFailures,
  requests: after.requests - before.requests,
  mutations: after.mutations - before.mutations,
});
