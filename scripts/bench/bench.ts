import { NOT_QUICK, QUICK_PACED, wantsWork, type BenchOptions } from './options.ts';
import { measureCrowdRows } from './crowd.ts';
import { measureDesk } from './desk.ts';
import { bundleContainer } from '../local/bundle-container.ts';
import { Child } from './measure/child.ts';
import { rowId, type MeasureRow, type Report, type RowKey, type Sample } from './report/model.ts';
import { CONTAINER_BUNDLE } from './systems/vps.ts';
import type { Started, System, WorkName } from './systems/system.ts';
import { measureBrokers } from './work/brokers-work.ts';
import { CROWD_LATENCY_MS } from './work/crowd-work.ts';
import { growPools } from './work/grow-pools.ts';
import { measureHttp, measureStorm, SLOW_MS } from './work/http-work.ts';
import { loadOf } from './work/requests.ts';
import { measureStarts } from './work/start-work.ts';
import { measureStream } from './work/stream-work.ts';

const HTTP_WORKS: readonly WorkName[] = ['cached', 'typed', 'passthrough', 'batch', 'worst-body', 'order'];
/** Each step of a sign-in, and a call, at the storms: the figures of peers.md §4.3. */
const STORM_AUTH_STEP_MS = 75;
const STORM_CALL_MS = 20;
/** Each work of a repetition is measured in so many short rounds over all systems: a machine's speed changes within seconds. */
const ROUNDS = 3;
/** There are 100 logins: of more callers, most would ask for the same. */
const MOST_DISTINCT = 100;
/** Pause between measurements, so that one does not pay for another's garbage. */
const SETTLE_MS = 100;

const FAN_OUT_CLIENTS = 100;
/** Ticks come in bursts of 5 ms: of a short time, the 99th percentile would be a single burst. */
const FAN_OUT = { ms: 2_000, ticksPerSecond: [1_000, 2_500, 20_000] } as const;
const FAN_OUT_QUICK = { ms: 1_000, ticksPerSecond: [1_000, 2_500] } as const;

/** Starts the systems, measures everything in interleaved repetitions, and keeps every sample. */
export class Bench {
  readonly #options: BenchOptions;
  readonly #say: (text: string) => void;
  readonly #rows = new Map<string, RowKey & { readonly samples: Sample[] }>();
  readonly #skipped: string[] = [];
  #started: Started[] = [];
  /** For one part of a repetition. */
  readonly #apart: Started[] = [];
  #load: Child | undefined;
  #streamLoad: Child | undefined;

  constructor(options: BenchOptions, say: (text: string) => void) {
    this.#options = options;
    this.#say = say;
  }

  async run(chosen: {
    readonly systems: readonly System[];
    readonly skipped: readonly string[];
  }): Promise<Pick<Report, 'systems' | 'byAddress' | 'rows' | 'skipped'>> {
    this.#skipped.push(...chosen.skipped);
    await bundleContainer(CONTAINER_BUNDLE);
    this.#load = new Child('scripts/bench/load/http-load.ts', { placement: 'measuring', ipc: true });
    this.#streamLoad = new Child('scripts/bench/load/stream-load.ts', { placement: 'measuring', ipc: true });
    const starting = await Promise.allSettled(chosen.systems.map((system) => system.start()));
    for (const [index, system] of chosen.systems.entries()) {
      const start = starting[index];
      if (start?.status !== 'fulfilled') {
        this.#skip(system.name, start?.reason);
        continue;
      }
      this.#started.push({ system, running: start.value });
      this.#say(`started ${system.name}: ${system.title}`);
    }
    await this.#warmUp();
    for (let repetition = 1; repetition <= this.#options.repetitions; repetition++) {
      this.#say(`repetition ${repetition} of ${this.#options.repetitions}`);
      await this.#http(repetition);
      await this.#readsByConnections(repetition);
      await this.#crowd(repetition);
      await this.#storms(repetition);
      await this.#streams(repetition);
      await this.#fanOut(repetition);
      await this.#starts(repetition);
      await this.#apartFromAll(repetition);
    }
    return {
      systems: Object.fromEntries(this.#started.map(({ system }) => [system.name, system.title])),
      byAddress: this.#started.filter(({ running }) => running.pids.length === 0).map(({ system }) => system.name),
      rows: [...this.#rows].map(([id, row]) => ({ id, ...row })),
      skipped: this.#skipped,
    };
  }

  async stop(): Promise<void> {
    const started = this.#started;
    this.#started = [];
    await Promise.allSettled([
      this.#load?.stop(),
      this.#streamLoad?.stop(),
      ...started.map(({ running }) => running.stop()),
      ...this.#apart.splice(0).map(({ running }) => running.stop()),
    ]);
  }

  /**
   * Runs a part of a repetition on systems that were started for it: its memory is then that of this part alone, and those
   * under the long load stay as warm as the floors. What runs elsewhere is the same each time.
   */
  async #onFresh(
    wanted: (system: System) => boolean,
    part: (fresh: readonly Started[]) => Promise<void>,
  ): Promise<void> {
    const fresh: Started[] = [];
    for (const { system, running } of this.#started.filter((each) => wanted(each.system))) {
      if (!running.makeCold) {
        fresh.push({ system, running });
        continue;
      }
      try {
        const started = { system, running: await system.start() };
        this.#apart.push(started);
        fresh.push(started);
      } catch (error) {
        this.#skip(system.name, error);
      }
    }
    await part(fresh);
    await Promise.allSettled(this.#apart.splice(0).map(({ running }) => running.stop()));
  }

  /** Once, all alike: what runs its first seconds is measured by nobody. */
  async #warmUp(): Promise<void> {
    for (const work of HTTP_WORKS) {
      for (const { system, running } of this.#started) {
        if (!this.#does(system, work)) continue;
        await measureHttp({
          system,
          running,
          load: this.#need(this.#load),
          work,
          mode: 'saturated',
          upstreamLatencyMs: 0,
          warmUpMs: 0,
          durationMs: this.#options.compileMs,
          repetition: 0,
        });
        if (work === 'order') await running.simulator?.resetBooks();
      }
    }
  }

  async #http(repetition: number): Promise<void> {
    const works = HTTP_WORKS.filter((work) => this.#started.some(({ system }) => this.#does(system, work)));
    if (works.length === 0) return;
    for (const upstreamLatencyMs of this.#options.upstreamLatenciesMs) {
      await growPools(this.#started, this.#need(this.#load));
      await this.#latency(upstreamLatencyMs, upstreamLatencyMs);
      for (const work of works) {
        // In two minutes there is room for what the targets at a broker far away ask for, and no more.
        if (this.#options.quick && upstreamLatencyMs > 0 && work !== 'typed' && work !== 'passthrough') continue;
        // Where a broker's 20 ms are most of an answer, one round tells as much as three.
        const rounds = this.#options.quick || upstreamLatencyMs > 0 ? 1 : ROUNDS;
        for (let round = 1; round <= rounds; round++)
          await this.#round(work, upstreamLatencyMs, (repetition - 1) * rounds + round);
      }
    }
    await this.#latency(0, 0);
  }

  /** One work on every system that does it, one straight after the other. */
  async #round(work: WorkName, upstreamLatencyMs: number, repetition: number): Promise<void> {
    const { warmUpMs, durationMs, quick } = this.#options;
    for (const { system, running } of this.#started) {
      if (!this.#does(system, work)) continue;
      // The cache does not ask the broker; and latency can be given only to our own.
      if (upstreamLatencyMs > 0 && (work === 'cached' || !running.simulator || system.isBeside)) continue;
      for (const mode of quick && (upstreamLatencyMs > 0 || !QUICK_PACED.has(system.name))
        ? (['saturated'] as const)
        : (['saturated', 'paced'] as const)) {
        const { connections: concurrency } = loadOf(work, upstreamLatencyMs);
        await this.#measure({ system: system.name, work, mode, upstreamLatencyMs, concurrency }, () =>
          measureHttp({
            system,
            running,
            load: this.#need(this.#load),
            work,
            mode,
            upstreamLatencyMs,
            warmUpMs,
            durationMs,
            repetition,
            quick,
          }),
        );
      }
      if (work === 'order') await running.simulator?.resetBooks();
    }
  }

  /** What a read costs, and how much memory, with so many connections. Beyond 100, callers share logins and so some answers. */
  async #readsByConnections(repetition: number): Promise<void> {
    const { warmUpMs, durationMs, quick } = this.#options;
    if (quick || !this.#wants('typed')) return;
    for (const connections of this.#options.clientCounts) {
      for (const { system, running } of this.#started) {
        if (!system.works.includes('typed') || system.isBeside || system.name === 'vps-1') continue;
        const what = { work: 'typed', mode: 'saturated', upstreamLatencyMs: 0 } as const;
        await this.#measure({ ...what, system: system.name, concurrency: connections }, () =>
          measureHttp({
            ...what,
            system,
            running,
            load: this.#need(this.#load),
            connections,
            warmUpMs,
            durationMs,
            repetition,
          }),
        );
      }
    }
  }

  async #crowd(repetition: number): Promise<void> {
    if (!this.#wants('crowd')) return;
    const { warmUpMs, compileMs, quick } = this.#options;
    await measureCrowdRows(
      {
        started: this.#started,
        load: this.#need(this.#load),
        repetition,
        warmUpMs,
        durationMs: quick ? this.#options.durationMs : SLOW_MS,
        compileMs,
      },
      (system, { work, mode, callers }, measurement) =>
        this.#measure({ system, work, mode, upstreamLatencyMs: CROWD_LATENCY_MS, concurrency: callers }, measurement),
    );
  }

  async #storms(repetition: number): Promise<void> {
    if (!this.#wants('storm')) return;
    const isCold = ({ name, works }: System): boolean => name !== 'vps' && works.length > 0;
    await this.#onFresh(isCold, async (fresh) => {
      // A cold start finds a checkpoint. The very first, which does not, is not counted.
      for (const { system, running } of fresh)
        if (running.makeCold)
          await measureStorm({
            system,
            running,
            load: this.#need(this.#load),
            callers: 1,
            distinct: false,
            repetition,
          });
      await this.#latency(STORM_CALL_MS, STORM_AUTH_STEP_MS, fresh);
      for (const callers of this.#options.storms) {
        const allAlike = callers === 1 || callers > MOST_DISTINCT;
        for (const distinct of allAlike ? [false] : [false, true]) {
          for (const { system, running } of fresh) {
            if (!running.makeCold || (distinct && this.#options.quick && system.name !== 'vps-1')) continue;
            const name = system.kind === 'edge' ? `${system.name}-cold` : system.name;
            await this.#measure(
              {
                system: name,
                work: distinct ? 'storm, distinct reads' : 'storm',
                mode: 'storm',
                upstreamLatencyMs: STORM_CALL_MS,
                concurrency: callers,
              },
              () => measureStorm({ system, running, load: this.#need(this.#load), callers, distinct, repetition }),
            );
          }
        }
      }
    });
  }

  async #streams(repetition: number): Promise<void> {
    if (!this.#wants('stream')) return;
    const { warmUpMs, durationMs, ticksPerSecond } = this.#options;
    const streams = ({ kind, works }: System): boolean =>
      works.includes('stream') && !(this.#options.quick && kind === 'floor');
    await this.#onFresh(streams, async (fresh) => {
      const measure = ({ system, running }: Started, clients: number): Promise<Sample> =>
        measureStream({
          system,
          running,
          load: this.#need(this.#streamLoad),
          clients,
          ticksPerSecond,
          raw: false,
          warmUpMs: Math.max(1_000, warmUpMs),
          durationMs: Math.max(1_500, durationMs),
          repetition,
        });
      const [fewest = 1] = this.#options.clientCounts;
      // What a process compiles in its first seconds is not what a tick costs.
      if (!this.#options.quick) for (const each of fresh) await measure(each, fewest);
      for (const clients of this.#options.clientCounts) {
        for (const each of fresh) {
          const { name } = each.system;
          await this.#measure(
            { system: name, work: 'ticks', mode: 'stream', upstreamLatencyMs: 0, concurrency: clients },
            () => measure(each, clients),
          );
        }
      }
    });
  }

  /** From a tick to its clients without a broker: at a rate both stand, at one that a loop does not, and at one that neither does. */
  async #fanOut(repetition: number): Promise<void> {
    if (!this.#wants('fan-out')) return;
    const fanOut = this.#options.quick ? FAN_OUT_QUICK : FAN_OUT;
    for (const ticksPerSecond of fanOut.ticksPerSecond) {
      for (const { system, running } of this.#started) {
        if (!system.works.includes('fan-out')) continue;
        const work = `fan-out, ${ticksPerSecond * FAN_OUT_CLIENTS} messages/s offered`;
        await this.#measure(
          { system: system.name, work, mode: 'stream', upstreamLatencyMs: 0, concurrency: FAN_OUT_CLIENTS },
          () =>
            measureStream({
              system,
              running,
              load: this.#need(this.#streamLoad),
              clients: FAN_OUT_CLIENTS,
              ticksPerSecond,
              raw: true,
              warmUpMs: this.#options.warmUpMs,
              durationMs: Math.max(fanOut.ms, this.#options.durationMs),
              repetition,
            }),
        );
      }
    }
  }

  async #starts(repetition: number): Promise<void> {
    if (!this.#wants('start') || !this.#started.some(({ running }) => running.pids.length > 0)) return;
    try {
      for (const { system, work, sample } of await measureStarts(repetition, STORM_CALL_MS, this.#options.quick)) {
        const key: RowKey = { system, work, mode: 'start', upstreamLatencyMs: STORM_CALL_MS, concurrency: 1 };
        this.#keep(key, sample);
      }
      this.#say('  start');
    } catch (error) {
      this.#skip('start', error);
    }
  }

  /** On bridges of their own. */
  async #apartFromAll(repetition: number): Promise<void> {
    const { quick } = this.#options;
    const measure: MeasureRow = (key, measurement) => this.#measure(key, measurement);
    if (this.#wants('desk')) await measureDesk(this.#need(this.#load), quick, repetition, measure);
    if (this.#wants('brokers')) await measureBrokers(this.#need(this.#load), quick, repetition, measure);
  }

  async #measure(key: RowKey, work: () => Promise<Sample>): Promise<void> {
    try {
      const sample = await work();
      this.#keep(key, sample);
      const failures = Object.entries(sample.failures).map(([kind, count]) => `${kind} ×${count}`);
      this.#say(`  ${rowId(key).padEnd(52)} ${sample.perSecond.toFixed(0).padStart(8)}/s ${failures.join(', ')}`);
      if (sample.firstFailure !== undefined)
        this.#say(`    ${sample.firstFailure.replaceAll(/\s+/g, ' ').slice(0, 300)}`);
    } catch (error) {
      this.#skip(rowId(key), error);
    }
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  }

  #keep(key: RowKey, sample: Sample): void {
    const id = rowId(key);
    const row = this.#rows.get(id);
    if (row) row.samples.push(sample);
    else this.#rows.set(id, { ...key, samples: [sample] });
  }

  #skip(what: string, error: unknown): void {
    const text = `${what}: ${error instanceof Error ? error.message : String(error)}`.slice(0, 600);
    this.#skipped.push(text);
    this.#say(`  skipped ${text}`);
  }

  async #latency(callMs: number, authStepMs: number, of: readonly Started[] = this.#started): Promise<void> {
    for (const { running } of of) await running.simulator?.setLatency(callMs, authStepMs);
  }

  #wants(work: string): boolean {
    return wantsWork(this.#options.only, work);
  }

  /** A floor passes through what ours types: beside typed reads, it does whether or not passthrough was asked for. */
  #does({ kind, works }: System, work: WorkName): boolean {
    const asked = this.#wants(work) || (kind === 'floor' && work === 'passthrough' && this.#wants('typed'));
    return asked && works.includes(work) && !(this.#options.quick && NOT_QUICK.has(work));
  }

  #need(child: Child | undefined): Child {
    if (!child) throw new Error('the load process does not run');
    return child;
  }
}
