/** The stream clients, in a process of their own: one job over IPC at a time. */
import { WebSocket } from 'ws';
import { LatencyHistogram } from '../measure/latency-histogram.ts';
import { preciseNowMs } from '../measure/precise-now.ts';
import { FrameCounter } from './frame-counter.ts';
import type { StreamJob, StreamResult } from './stream-job.ts';

const CONNECT_TIMEOUT_MS = 20_000;
/** A reader asks so often for a heartbeat: less than half of the messages that a client may send. */
const PING_EVERY_MS = 50;

interface Frame {
  readonly type?: string;
  readonly topic?: string;
  readonly seq?: number;
  readonly prev?: number;
  readonly data?: unknown;
}

class Tally {
  readonly histogram = new LatencyHistogram();
  readonly pings = new LatencyHistogram();
  counting = false;
  frames = 0;
  bytes = 0;
  ticks = 0;
  gaps = 0;
  closed = 0;
  firstFailure: string | undefined;
}

class StreamClient {
  readonly socket: WebSocket;
  readonly ready: Promise<void>;
  readonly #tally: Tally;
  readonly #reads: boolean;
  #seq: number | undefined;
  #pingedAtMs: number | undefined;

  constructor(job: StreamJob, tally: Tally, reads: boolean) {
    this.#tally = tally;
    this.#reads = reads;
    this.socket = new WebSocket(job.url, { headers: job.headers, perMessageDeflate: false });
    this.ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no acknowledgement')), CONNECT_TIMEOUT_MS);
      this.socket.once('open', () =>
        this.socket.send(JSON.stringify({ op: 'subscribe', id: 1, topic: 'ticks', symbols: job.symbols })),
      );
      // The first data or acknowledgement: the floor acknowledges nothing.
      this.socket.once('message', () => {
        clearTimeout(timer);
        resolve();
      });
      this.socket.once('error', reject);
      this.socket.once('close', (code, reason) => {
        tally.closed++;
        tally.firstFailure ??= `closed ${code} ${reason.toString()}`;
        reject(new Error(`closed ${code}`));
      });
    });
    this.socket.on('message', (data: Buffer) => this.#onMessage(data));
  }

  /** Answered with a heartbeat. One at a time: the next goes when the last one was answered. */
  ping(): void {
    if (!this.#reads || this.#pingedAtMs !== undefined) return;
    this.#pingedAtMs = performance.now();
    this.socket.send('{"op":"ping"}');
  }

  #onMessage(data: Buffer): void {
    const tally = this.#tally;
    if (tally.counting) {
      tally.frames++;
      tally.bytes += data.length;
    }
    if (!this.#reads) return;
    const nowMs = preciseNowMs();
    const frame = JSON.parse(data.toString('utf8')) as Frame;
    if (frame.type === 'heartbeat' && this.#pingedAtMs !== undefined) {
      if (tally.counting) tally.pings.recordMs(performance.now() - this.#pingedAtMs);
      this.#pingedAtMs = undefined;
    }
    if (frame.type === 'error') tally.firstFailure ??= data.toString('utf8', 0, 400);
    if (frame.topic !== 'ticks') return;
    if (this.#seq !== undefined && frame.prev !== this.#seq) tally.gaps++;
    this.#seq = frame.seq;
    if (frame.type !== 'delta' || !tally.counting || !Array.isArray(frame.data)) return;
    for (const tick of frame.data as { quotedAtMs?: number }[]) {
      tally.ticks++;
      if (tick.quotedAtMs !== undefined) tally.histogram.recordMs(Math.max(0, nowMs - tick.quotedAtMs));
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function run(job: StreamJob): Promise<StreamResult> {
  const tally = new Tally();
  const beganAtMs = performance.now();
  const clients = Array.from({ length: job.clients }, (_, index) => new StreamClient(job, tally, index < job.readers));
  const outcomes = await Promise.allSettled(clients.map((client) => client.ready));
  const connected = outcomes.filter(({ status }) => status === 'fulfilled').length;
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) tally.firstFailure ??= String(failed.reason);
  const subscribedAfterMs = performance.now() - beganAtMs;
  await pause(job.warmUpMs);
  const cpu = process.cpuUsage();
  const countFromMs = performance.now();
  tally.counting = true;
  const pinging = setInterval(() => {
    for (const client of clients) client.ping();
  }, PING_EVERY_MS);
  await pause(job.durationMs);
  clearInterval(pinging);
  tally.counting = false;
  const durationMs = performance.now() - countFromMs;
  const { user, system } = process.cpuUsage(cpu);
  const closed = tally.closed;
  for (const { socket } of clients) socket.terminate();
  return {
    connected,
    subscribedAfterMs,
    durationMs,
    frames: tally.frames,
    bytes: tally.bytes,
    ticksRead: tally.ticks,
    readers: Math.min(job.readers, connected),
    histogram: tally.histogram.encode(),
    ...(tally.pings.count > 0 ? { pingsMs: { p50: tally.pings.atMs(50), p99: tally.pings.atMs(99) } } : {}),
    gaps: tally.gaps,
    closed,
    generatorCpuMs: (user + system) / 1000,
    ...(tally.firstFailure === undefined ? {} : { firstFailure: tally.firstFailure }),
  };
}

/** Fan-out at full rate: everybody counts, the readers look at the times in the text without parsing it. */
async function runRaw(job: StreamJob): Promise<StreamResult> {
  const histogram = new LatencyHistogram();
  let counting = false;
  let ticksRead = 0;
  const onText = (text: string): void => {
    if (!counting) return;
    const at = text.indexOf('"quotedAtMs":');
    if (at < 0) return;
    ticksRead++;
    histogram.recordMs(Math.max(0, preciseNowMs() - Number.parseFloat(text.slice(at + 13, at + 30))));
  };
  const subscription = JSON.stringify({ op: 'subscribe', id: 1, topic: 'ticks', symbols: job.symbols });
  const beganAtMs = performance.now();
  const clients = Array.from(
    { length: job.clients },
    (_, index) =>
      // Spread over all: a server serves its clients in some order.
      new FrameCounter(
        new URL(job.url),
        job.headers,
        subscription,
        index % Math.floor(job.clients / job.readers) === 0 ? onText : undefined,
      ),
  );
  await Promise.all(clients.map((client) => client.ready));
  const subscribedAfterMs = performance.now() - beganAtMs;
  await pause(job.warmUpMs);
  const sum = (name: 'frames' | 'bytes'): number => clients.reduce((total, client) => total + client[name], 0);
  const before = { frames: sum('frames'), bytes: sum('bytes') };
  const cpu = process.cpuUsage();
  const countFromMs = performance.now();
  counting = true;
  await pause(job.durationMs);
  counting = false;
  const durationMs = performance.now() - countFromMs;
  const { user, system } = process.cpuUsage(cpu);
  const after = { frames: sum('frames'), bytes: sum('bytes') };
  for (const client of clients) client.destroy();
  return {
    connected: clients.length,
    subscribedAfterMs,
    durationMs,
    frames: after.frames - before.frames,
    bytes: after.bytes - before.bytes,
    ticksRead,
    readers: job.readers,
    histogram: histogram.encode(),
    gaps: 0,
    closed: 0,
    generatorCpuMs: (user + system) / 1000,
  };
}

process.on('message', (job: StreamJob) => {
  (job.raw ? runRaw(job) : run(job)).then(
    (result) => process.send?.(result),
    (error: unknown) =>
      process.send?.({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
