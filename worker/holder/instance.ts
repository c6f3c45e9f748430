import type { TradingCalendar } from '../../container/contract/trading-calendar.ts';
import type {
  Activity,
  ControlMessage,
  Handover,
  Hello,
  StateCall,
  StateFailure,
  StateResult,
} from '../../container/contract/control.ts';
import { BridgeError } from '../../container/contract/errors.ts';
import { HEADER, INTERNAL_PATH } from '../../container/contract/headers.ts';
import { BRIDGE_VERSION, CONTRACT_VERSION } from '../../container/contract/version.ts';
import { ControlChannel } from './control-channel.ts';
import type { ContainerControl } from './container-control.ts';
import { type Death, Heartbeat, type HeartbeatTimings } from './heartbeat.ts';
import { DEATHS, type Lifecycle, type StartReason, type StopReason } from './lifecycle.ts';
import type { InFlight } from './in-flight.ts';
import type { ForwardRequest } from './origin/forward-to-origin.ts';
import type { Origin } from './origin/origin.ts';
import { sendRequest } from './origin/send-request.ts';
import { classifyPlatformError, describePlatformError, type PlatformError } from './platform-errors.ts';
import { STOP_GRACE_MS } from './sleep-policy.ts';
import { EndedByRequest, versionMismatch, wasAskedToEnd, within } from './start-outcome.ts';

export interface InstanceParts {
  readonly container: ContainerControl;
  readonly lifecycle: Lifecycle;
  readonly heartbeat: HeartbeatTimings;
  readonly inFlight: InFlight;
  readonly now: () => number;
  /** JSON of the checkpoint. Called before a process is handed the session. */
  readonly checkpoint: () => Promise<string>;
  readonly serve: (call: StateCall) => Promise<StateResult | StateFailure>;
  /** A process is there (its id) or is gone (`null`): operations that others left as `sending` are unknown now. */
  readonly onProcess: (instanceId: string | null) => Promise<void>;
  readonly onActivity: (activity: Activity) => void;
  readonly onCalendar: (calendar: TradingCalendar) => void;
  /** The process hangs or its port is gone: it is being killed, and nothing that waits for it is answered any more. */
  readonly onDead: (death: Death) => void;
  readonly onFault: (what: string, error: unknown) => void;
}

/** The running container seen from its Durable Object: started once for all who wait, spoken to, watched to its end. */
export class Instance implements Origin {
  readonly #parts: InstanceParts;
  readonly #control: ControlChannel;
  #starting: Promise<void> | undefined;
  /** Settles with the end of the process that runs now. */
  #ended: Promise<void> | undefined;
  /** Why this process must not be used, if so. */
  #mismatch: string | undefined;
  /** How the last process ended. */
  #lastEnd: PlatformError | undefined;
  #greeted = false;
  #activity: Activity | null = null;
  readonly #heartbeat: Heartbeat;
  /** Settles when a process that was given up is gone, or will not go. */
  #dying: Promise<void> | undefined;
  #killTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(parts: InstanceParts) {
    this.#parts = parts;
    this.#control = new ControlChannel({
      dial: () => this.#dial(),
      isAlive: () => parts.container.running(),
      onHello: (hello) => this.#onHello(hello),
      onActivity: (activity) => this.#onActivity(activity),
      onCalendar: parts.onCalendar,
      onHeard: () => this.#heartbeat.heard(),
      serve: parts.serve,
      onFault: parts.onFault,
    });
    this.#heartbeat = new Heartbeat({
      timings: parts.heartbeat,
      ping: () => void this.#control.send({ type: 'ping' }),
      look: (timeoutMs) => parts.container.look(timeoutMs),
      // The clock of timers, not that of what is stored.
      now: Date.now,
      onQuietChannel: () => this.#control.renew(),
      onDead: (death) => this.#died(death),
    });
  }

  /** Last word of the running process; `null` when nobody vouches for it. */
  get activity(): Activity | null {
    return this.#activity;
  }

  get isRunning(): boolean {
    return this.#parts.container.running();
  }

  get instanceId(): string | null {
    return this.isRunning ? this.#parts.lifecycle.instanceId : null;
  }

  /** It runs and was not given up. */
  get isAlive(): boolean {
    return this.isRunning && this.#dying === undefined;
  }

  /** Whether the running process answers now; waits two seconds at most. */
  answers(): Promise<boolean> {
    return this.#heartbeat.answers();
  }

  /** A container ran when this Durable Object was made: watch it and speak to it, without a request to wait for it. */
  resume(): void {
    this.#watch();
    if (this.#parts.lifecycle.record.state === 'stopping') this.#armKill();
    this.ensure('found running').catch((error: unknown) => this.#parts.onFault('resume', error));
  }

  /** A listening, greeted process of our own contract. All callers share one start. @throws BridgeError */
  async ensure(reason: StartReason): Promise<void> {
    if (!this.isRunning || !this.#greeted) {
      this.#starting ??= this.#start(reason).finally(() => (this.#starting = undefined));
      await this.#starting;
    }
    if (this.#mismatch !== undefined)
      throw new BridgeError('version_mismatch', { detail: this.#mismatch, retryAfterMs: MISMATCH_RETRY_MS });
  }

  /** A connection failed though the platform says it runs: the port is looked at before the next request. */
  suspect(): void {
    this.#greeted = false;
    this.#heartbeat.suspect();
  }

  /** A request was not answered within its deadline: the port is looked at, and requests go on meanwhile. */
  unanswered(): void {
    this.#heartbeat.suspect();
  }

  /** Resolves when the process that runs now has ended; at once if none runs. */
  ended(): Promise<void> {
    return this.isRunning ? (this.#ended ?? Promise.resolve()) : Promise.resolve();
  }

  forward(request: ForwardRequest, timeoutMs: number): Promise<Response> {
    const { container, inFlight, now } = this.#parts;
    const fetch = (target: string, init: RequestInit): Promise<Response> => container.fetch(target, init);
    return sendRequest(request, timeoutMs, { fetch, proof: async () => this.#proof, inFlight, now });
  }

  /** What shows the process that it is this object that speaks. */
  get #proof(): Readonly<Record<string, string>> {
    return { [HEADER.startSecret]: this.#parts.lifecycle.record.startSecret };
  }

  send(message: ControlMessage): boolean {
    return this.#control.send(message);
  }

  /** Drains, then ends; is killed when it does not. One that is starting is greeted first: before it, it may not listen to signals. */
  async stop(reason: StopReason): Promise<void> {
    await this.#starting?.catch(() => undefined);
    if (!this.isRunning) return;
    this.#parts.lifecycle.stopping(reason);
    this.#armKill();
    this.#control.send({ type: 'drain', reason });
    await this.#parts.container.stop();
  }

  async kill(): Promise<void> {
    this.#parts.lifecycle.stopping('stuck');
    await this.#parts.container.destroy();
  }

  /** A hook of the library tells of an end. Its exit code may be made up; our own watch knows, so it goes first. */
  async hookEnded(end: PlatformError): Promise<void> {
    await this.#endNews();
    await this.#processEnded(end);
  }

  async #processEnded(end: PlatformError): Promise<void> {
    if (this.isRunning) return;
    this.#forget();
    clearTimeout(this.#killTimer);
    this.#dying = undefined;
    if (this.#parts.lifecycle.ended(end)) await this.#parts.onProcess(null);
  }

  /** Nobody vouches for the process any more. */
  #forget(): void {
    this.#greeted = false;
    this.#activity = null;
    this.#heartbeat.stop();
    this.#control.close();
  }

  #died(death: Death): void {
    const { container, lifecycle, onDead, onFault } = this.#parts;
    lifecycle.stopping(death);
    this.#forget();
    onFault('dead container', new Error(DEATHS[death]));
    const gone = Promise.all([container.destroy(), this.#ended ?? Promise.resolve()]);
    this.#dying = Promise.race([gone, scheduler.wait(DESTROY_TIMEOUT_MS)]).then(
      () => undefined,
      (error: unknown) => onFault('destroy', error),
    );
    onDead(death);
  }

  #armKill(): void {
    const sinceMs = this.#parts.lifecycle.record.sinceMs;
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => {
      const { state, sinceMs: nowSinceMs } = this.#parts.lifecycle.record;
      if (this.isRunning && state === 'stopping' && nowSinceMs === sinceMs)
        this.kill().catch((error: unknown) => this.#parts.onFault('kill', error));
    }, STOP_GRACE_MS);
  }

  async #start(reason: StartReason): Promise<void> {
    await this.#dying;
    if (this.#dying !== undefined && this.isRunning)
      throw new BridgeError('container_unavailable', 'A container that hung is still being ended by the platform.');
    if (this.#heartbeat.isRunning && (await this.#recheck())) return;
    try {
      await this.#startProcess(reason);
    } catch (error) {
      if (!(error instanceof EndedByRequest)) throw error;
      // Somebody ended it while it started: those who wait want another.
      await this.#startProcess(reason);
    }
  }

  /** A greeted process is under suspicion. @returns false when it is gone */
  async #recheck(): Promise<boolean> {
    while (this.isAlive) {
      if (await this.#heartbeat.portAnswers()) {
        try {
          await this.#control.open();
          this.#greeted = true;
          return true;
        } catch (error) {
          this.#parts.onFault('control channel', error);
        }
      }
      await scheduler.wait(RECHECK_MS);
    }
    await this.#dying;
    return false;
  }

  async #startProcess(reason: StartReason): Promise<void> {
    const { container, lifecycle } = this.#parts;
    const delayMs = lifecycle.startDelayMs();
    if (!container.running() && delayMs > 0) throw this.#notYet(delayMs);
    const isNew = !container.running();
    if (isNew) {
      // An end that no hook has told yet belongs to the life before.
      await this.hookEnded({ kind: 'other', exitCode: null });
      lifecycle.starting(reason);
    } else lifecycle.resumed();
    this.#lastEnd = undefined;
    try {
      await within(START_TIMEOUT_MS, this.#greet());
      this.#greeted = true;
      this.#heartbeat.start();
    } catch (error) {
      throw await this.#startFailed(error);
    }
  }

  async #greet(): Promise<void> {
    const { container, lifecycle } = this.#parts;
    await this.#watched(container.start(lifecycle.record.startSecret));
    await this.#control.open();
  }

  /** The last attempts failed; the next is made when the wait is over, whoever asks. */
  #notYet(retryAfterMs: number): BridgeError {
    if (this.#mismatch !== undefined)
      return new BridgeError('version_mismatch', { detail: this.#mismatch, retryAfterMs });
    const detail = `The last attempts to start the container failed: ${this.#parts.lifecycle.record.lastFault}`;
    return new BridgeError('container_unavailable', { detail, retryAfterMs });
  }

  async #startFailed(error: unknown): Promise<Error> {
    const { container, lifecycle, onFault } = this.#parts;
    // A program that ends at once is noticed as a closed port first; the exit code follows.
    if (!container.running()) await this.#endNews();
    const platform = container.running()
      ? classifyPlatformError(error)
      : (this.#lastEnd ?? classifyPlatformError(error));
    const reason = error instanceof BridgeError ? error.context.detail : describePlatformError(platform);
    onFault('start', error);
    // It had the whole start time to listen or to say hello: nothing it may still do is worth waiting for.
    this.#control.close();
    try {
      if (container.running()) await container.destroy();
    } catch (failure) {
      onFault('destroy', failure);
    }
    if (wasAskedToEnd(platform) && lifecycle.endedInStart()) {
      await this.#parts.onProcess(null);
      return new EndedByRequest(reason);
    }
    lifecycle.failedToStart(reason);
    await this.#parts.onProcess(null);
    return new BridgeError('container_unavailable', {
      detail: `The container could not be started: ${reason}`,
      retryAfterMs: Math.max(1000, lifecycle.startDelayMs()),
    });
  }

  /** The library starts the process some turns later, and tells how it ended only if it came to listen. */
  async #watched(starting: Promise<void>): Promise<void> {
    const looking = setInterval(() => this.#watch(), START_LOOK_MS);
    try {
      await starting;
      this.#watch();
    } finally {
      clearInterval(looking);
    }
  }

  #watch(): void {
    if (this.#ended !== undefined || !this.isRunning) return;
    const ended = this.#parts.container.monitor().then(
      () => this.#watchEnded({ kind: 'exited', exitCode: 0 }),
      (error: unknown) => this.#watchEnded(classifyPlatformError(error)),
    );
    this.#ended = ended.finally(() => (this.#ended = undefined));
    this.#ended.catch((error: unknown) => this.#parts.onFault('end of process', error));
  }

  async #endNews(): Promise<void> {
    await Promise.race([this.#ended ?? Promise.resolve(), scheduler.wait(END_NEWS_MS)]);
  }

  #watchEnded(end: PlatformError): Promise<void> {
    this.#lastEnd = end;
    return this.#processEnded(end);
  }

  async #dial(): Promise<WebSocket> {
    const { container } = this.#parts;
    const answer = await container.fetch(INTERNAL_PATH.control, {
      headers: {
        ...this.#proof,
        [HEADER.contractVersion]: String(CONTRACT_VERSION),
        upgrade: 'websocket',
      },
    });
    if (answer.webSocket) return answer.webSocket;
    await answer.body?.cancel();
    throw new BridgeError('container_unavailable', `The container refused the control channel (${answer.status}).`);
  }

  async #onHello(hello: Hello): Promise<Handover> {
    const { lifecycle, checkpoint, onProcess } = this.#parts;
    this.#mismatch = versionMismatch(hello);
    const accepted = this.#mismatch === undefined;
    if (this.#mismatch === undefined) lifecycle.listening(hello);
    else lifecycle.failedToStart(this.#mismatch);
    const text = accepted ? await checkpoint() : '{}';
    if (accepted) await onProcess(hello.instanceId);
    return {
      type: 'handover',
      contractVersion: CONTRACT_VERSION,
      bridgeVersion: BRIDGE_VERSION,
      accepted,
      checkpoint: text,
    };
  }

  #onActivity(activity: Activity): void {
    this.#activity = activity;
    if (activity.session.epoch !== null) this.#parts.lifecycle.signedIn(activity.session.epoch);
    this.#parts.onActivity(activity);
  }
}

/** A start that never settles, in the library or on the platform, is given up; `lite` needs some 12 s. */
const START_TIMEOUT_MS = 30_000;
/** What the platform may take to end a process that hangs. */
const DESTROY_TIMEOUT_MS = 10_000;
/** Between looks at a process under suspicion. */
const RECHECK_MS = 50;
/** Between looks whether a process is there to be watched. */
const START_LOOK_MS = 10;
/** How long the exit code may take after the port has closed. */
const END_NEWS_MS = 500;
/** An image rolls out some minutes after its Worker is live. */
const MISMATCH_RETRY_MS = 15_000;
