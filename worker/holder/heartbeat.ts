export interface HeartbeatTimings {
  /** Asked so often over the control channel. */
  readonly pingEveryMs: number;
  /** A tick that comes so much too late: the watcher itself stood still, and what it did not hear says nothing. */
  readonly lateMs: number;
  /** Nothing heard for so long: the port is looked at, again and again. */
  readonly lookAfterMs: number;
  /** How long the port may take to answer one look. */
  readonly lookTimeoutMs: number;
  /** A process that is silent on the channel and at its port for so long hangs. */
  readonly frozenAfterMs: number;
  /** Nothing listens any more. */
  readonly portGoneAfterMs: number;
}

/** Ten seconds are longer than any pause of a starved CPU; a program started again in place listens within a second or two. */
export const HEARTBEAT_TIMINGS: HeartbeatTimings = {
  pingEveryMs: 1_000,
  lateMs: 1_500,
  lookAfterMs: 2_000,
  lookTimeoutMs: 2_000,
  frozenAfterMs: 10_000,
  portGoneAfterMs: 4_000,
};

/** What a look at the container's port found: an answer, none in time, or nothing that listens. */
export type PortLook = 'answers' | 'silent' | 'refused';
export type Death = 'frozen' | 'port gone';

export interface HeartbeatParts {
  readonly timings: HeartbeatTimings;
  /** Sends a ping over the control channel, if there is one; the answer is told with `heard`. */
  readonly ping: () => void;
  /** Asks the port, past everything that could hold an answer up. Never rejects. */
  readonly look: (timeoutMs: number) => Promise<PortLook>;
  readonly now: () => number;
  /** The port answers and the channel does not. */
  readonly onQuietChannel: () => void;
  /** It runs no more, whatever the platform says. Told once; the heartbeat is stopped then. */
  readonly onDead: (death: Death) => void;
}

/**
 * Tells a process that hangs from one that runs: the platform does not. Silence counts only while this watcher's own
 * timer ran on time, and only when the port confirms it.
 */
export class Heartbeat {
  readonly #parts: HeartbeatParts;
  #timer: ReturnType<typeof setInterval> | undefined;
  #tickAtMs = 0;
  #heardAtMs = 0;
  #refusedSinceMs: number | null = null;
  #looking: Promise<PortLook> | undefined;
  #heard = Promise.withResolvers<void>();

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#tickAtMs = this.#parts.now();
    this.#begin();
    this.#timer = setInterval(() => this.#tick(), this.#parts.timings.pingEveryMs);
  }

  stop(): void {
    if (this.#timer !== undefined) clearInterval(this.#timer);
    this.#timer = undefined;
    this.#refusedSinceMs = null;
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  get silentMs(): number {
    return this.#timer === undefined ? 0 : Math.max(0, this.#parts.now() - this.#heardAtMs);
  }

  /** Something came over the channel. */
  heard(): void {
    this.#heardAtMs = this.#parts.now();
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }

  /** A request was not answered in time, or not taken: the port is looked at now. */
  suspect(): void {
    if (this.#timer !== undefined) void this.#look();
  }

  /** Whether it answers now. Asks channel and port; does not end by a death that is found meanwhile. */
  async answers(): Promise<boolean> {
    const heard = this.#heard.promise.then(() => true);
    this.#parts.ping();
    return Promise.race([heard, this.portAnswers()]);
  }

  /** Whether its port answers now: a channel may stand while nothing else gets through. */
  async portAnswers(): Promise<boolean> {
    return (await this.#look()) === 'answers';
  }

  /** Counting begins anew. */
  #begin(): void {
    this.#heardAtMs = this.#parts.now();
    this.#refusedSinceMs = null;
  }

  #tick(): void {
    const nowMs = this.#parts.now();
    const lateMs = nowMs - this.#tickAtMs - this.#parts.timings.pingEveryMs;
    this.#tickAtMs = nowMs;
    // A clock that was set back says as little.
    if (lateMs > this.#parts.timings.lateMs || lateMs < -this.#parts.timings.pingEveryMs) this.#begin();
    this.#parts.ping();
    if (this.silentMs >= this.#parts.timings.lookAfterMs) void this.#look();
  }

  /** One look at a time, for all who ask. */
  #look(): Promise<PortLook> {
    this.#looking ??= this.#lookOnce().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #lookOnce(): Promise<PortLook> {
    const askedAtMs = this.#parts.now();
    const found = await this.#parts.look(this.#parts.timings.lookTimeoutMs);
    if (this.#timer === undefined) return found;
    const nowMs = this.#parts.now();
    if (nowMs - askedAtMs > this.#parts.timings.lookTimeoutMs + this.#parts.timings.lateMs) this.#begin();
    else if (found === 'answers') {
      const channelIsQuiet = this.silentMs >= this.#parts.timings.lookAfterMs;
      this.#begin();
      if (channelIsQuiet) this.#parts.onQuietChannel();
    } else if (found === 'silent') {
      this.#refusedSinceMs = null;
      if (nowMs - this.#heardAtMs >= this.#parts.timings.frozenAfterMs) this.#die('frozen');
    } else {
      this.#refusedSinceMs ??= askedAtMs;
      if (nowMs - this.#refusedSinceMs >= this.#parts.timings.portGoneAfterMs) this.#die('port gone');
    }
    return found;
  }

  #die(death: Death): void {
    this.stop();
    this.#parts.onDead(death);
  }
}
