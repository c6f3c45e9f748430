import { around } from '../measure/around.ts';
import type { Child } from '../measure/child.ts';
import type { StreamJob, StreamResult } from '../load/stream-job.ts';
import type { Sample } from '../report/model.ts';
import type { RunningSystem, System } from '../systems/system.ts';

/** Every symbol of the simulator's book lies in one of these folders. */
const SYMBOLS = ['*'];
const READERS = 10;
/** Who reads each frame's time is busy with it: at the rates that nobody stands, fewer do. */
const rawReaders = (ticksPerSecond: number): number => (ticksPerSecond <= 1_000 ? 10 : 2);
const SLACK_MS = 60_000;

export async function measureStream(options: {
  readonly system: System;
  readonly running: RunningSystem;
  readonly load: Child;
  readonly clients: number;
  readonly ticksPerSecond: number;
  /** Counts frames instead of ticks, on plain TCP. */
  readonly raw: boolean;
  readonly warmUpMs: number;
  readonly durationMs: number;
  readonly repetition: number;
}): Promise<Sample> {
  const { running, clients, ticksPerSecond, system } = options;
  const setRate = async (ticks: number): Promise<void> => {
    if (system.kind === 'floor') await (await fetch(`${running.url}/rate?ticks=${ticks}`)).text();
    else await running.simulator?.setTicksPerSecond(ticks);
  };
  await setRate(ticksPerSecond);
  const job: StreamJob = {
    url: `${running.url.replace(/^http/, 'ws')}/v1/stream`,
    headers: running.headers,
    clients,
    readers: Math.min(options.raw ? rawReaders(ticksPerSecond) : READERS, clients),
    symbols: options.raw ? ['EURUSD'] : SYMBOLS,
    raw: options.raw,
    warmUpMs: options.warmUpMs,
    durationMs: options.durationMs,
  };
  const { result, server } = await around(running, () =>
    options.load.ask<StreamResult>(job, options.warmUpMs + options.durationMs + SLACK_MS),
  );
  await setRate(system.kind === 'floor' ? 0 : 20);
  const perClient = result.ticksRead / Math.max(1, result.readers);
  const delivered = options.raw ? result.frames : perClient * result.connected;
  return {
    repetition: options.repetition,
    durationMs: result.durationMs,
    done: Math.round(delivered),
    perSecond: (delivered * 1_000) / result.durationMs,
    histogram: result.histogram,
    failures: {
      ...(result.connected < clients ? { 'not connected': clients - result.connected } : {}),
      ...(result.closed > 0 ? { closed: result.closed } : {}),
      ...(result.gaps > 0 ? { gap: result.gaps } : {}),
    },
    ...(result.firstFailure === undefined ? {} : { firstFailure: result.firstFailure }),
    generatorCpuMs: result.generatorCpuMs,
    ...server,
    extra: {
      framesPerSecond: (result.frames * 1_000) / result.durationMs,
      bytesPerSecond: (result.bytes * 1_000) / result.durationMs,
      ticksPerClientPerSecond: (perClient * 1_000) / result.durationMs,
      subscribedAfterMs: result.subscribedAfterMs,
      ...(result.pingsMs ? { pingP50Ms: result.pingsMs.p50, pingP99Ms: result.pingsMs.p99 } : {}),
      // CPU was counted from the first connection on.
      measuredShare: result.durationMs / (result.durationMs + options.warmUpMs + result.subscribedAfterMs),
    },
  };
}
