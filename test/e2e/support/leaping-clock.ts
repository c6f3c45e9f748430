import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ProgramSpec } from '../../../scripts/local/engine.ts';
import { type Simulator, startSimulator, type SimulatorOptions } from '../../simulator/server.ts';

/**
 * One clock for broker, Worker and container, which a test sets forward over hours in which nothing happens: with
 * `test/worker/leaping-worker.ts` as the Worker's entry.
 */
export class LeapingClock {
  readonly simulator: Simulator;
  readonly #directory: string;

  private constructor(simulator: Simulator, directory: string) {
    this.simulator = simulator;
    this.#directory = directory;
  }

  static async start(startUtcMs: number, options: SimulatorOptions): Promise<LeapingClock> {
    const directory = await mkdtemp(path.join(tmpdir(), 'leaping-clock-'));
    const clock = new LeapingClock(await startSimulator({ ...options, startUtcMs }), directory);
    await clock.#tell();
    return clock;
  }

  now(): number {
    return this.simulator.broker.time.utcMs();
  }

  /** The container program with this clock. */
  inside(program: ProgramSpec): ProgramSpec {
    const options = `${program.env?.['NODE_OPTIONS'] ?? ''} --require ${JSON.stringify(path.join(import.meta.dirname, 'leap.cjs'))}`;
    return { ...program, env: { ...program.env, NODE_OPTIONS: options, LEAP_FILE: this.#file } };
  }

  /** @param url of the Worker */
  async set(utcMs: number, url: string): Promise<void> {
    this.simulator.broker.time.set(utcMs);
    await this.#tell();
    const answer = await fetch(`${url}/leap-for-test?to=${this.#aheadMs}`);
    if (!answer.ok) throw new Error(`leap: ${answer.status} ${await answer.text()}`);
    await answer.body?.cancel();
  }

  async close(): Promise<void> {
    await this.simulator.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #aheadMs(): number {
    return this.now() - Date.now();
  }

  get #file(): string {
    return path.join(this.#directory, 'leap');
  }

  /** Whole at every moment: a program may be starting. */
  async #tell(): Promise<void> {
    await writeFile(`${this.#file}.new`, String(this.#aheadMs));
    await rename(`${this.#file}.new`, this.#file);
  }
}
