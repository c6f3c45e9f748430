import { Child } from '../measure/child.ts';
import { CROWD_CLIENTS } from '../work/crowd-work.ts';

export interface UpstreamCounters {
  readonly connections: number;
  readonly handshakes: number;
  readonly handshakeFailures: number;
  readonly requests: number;
  readonly mutations: number;
}

/** A dozen of them start at one time, on one core. */
const STARTS_WITHIN_MS = 120_000;

/**
 * A book of 50,000 accounts takes 350 MB, and V8 stands still for up to 0.9 s when it collects that: orders of that moment
 * would be what is measured. With so much room it is not collected within a run, nor because it has little to do, nor because
 * answers that were sent lie outside of V8's heap: of those it waits for 64 MB only, unless they count as the heap does.
 */
const FOR_A_LARGE_BOOK = [
  '--initial-old-space-size=3000',
  '--no-memory-reducer',
  '--external-memory-accounted-in-global-limit',
];

/** The simulator as a process, driven over its control port. */
export class SimulatorProcess {
  readonly server: string;
  readonly certificateSha256: string;
  readonly #child: Child;
  readonly #control: string;

  private constructor(child: Child, server: string, control: string, certificateSha256: string) {
    this.#child = child;
    this.server = server;
    this.#control = control;
    this.certificateSha256 = certificateSha256;
  }

  static async start(clients = CROWD_CLIENTS): Promise<SimulatorProcess> {
    const child = new Child('test/simulator/main.ts', {
      placement: 'measuring',
      nodeArgs: clients > CROWD_CLIENTS ? FOR_A_LARGE_BOOK : [],
      args: ['--port', '0', '--control-port', '0', '--ticks-per-second', '20', '--clients', String(clients)],
    });
    const told = Promise.all([
      child.line(/https:\/\/(\S+:\d+)/, STARTS_WITHIN_MS),
      child.line(/(http:\/\/\S+:\d+)/, STARTS_WITHIN_MS),
      child.line(/sha256 ([0-9a-f]{64})/, STARTS_WITHIN_MS),
    ]);
    // One that is late would go on beside what is measured next.
    const [server, control, certificate] = await told.catch(async (error: unknown) => {
      await child.stop();
      throw error;
    });
    return new SimulatorProcess(child, server[1] ?? '', control[1] ?? '', certificate[1] ?? '');
  }

  /** What the container program needs to find it. */
  get env(): Record<string, string> {
    return {
      MT5_SERVER: this.server,
      MT5_LOGIN: '1000',
      MT5_PASSWORD: 'Password1',
      MT5_TLS: `pin:${this.certificateSha256}`,
    };
  }

  async counters(): Promise<UpstreamCounters> {
    return (await this.#call('/stats')) as UpstreamCounters;
  }

  async setLatency(latencyMs: number, authLatencyMs = latencyMs): Promise<void> {
    await this.#call('/latency', { latencyMs, authLatencyMs });
  }

  async setTicksPerSecond(ticksPerSecond: number): Promise<void> {
    await this.#call('/feed', { ticksPerSecond });
  }

  async resetBooks(): Promise<void> {
    await this.#call('/reset', { only: ['books'] });
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }

  async #call(path: string, body?: object): Promise<unknown> {
    const answer = await fetch(`${this.#control}${path}`, {
      signal: AbortSignal.timeout(20_000),
      ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(`simulator ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}
