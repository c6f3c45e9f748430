import type {
  Activity,
  ControlMessage,
  Handover,
  Hello,
  StateCall,
  StateFailure,
  StateResult,
} from '../../../container/contract/control.ts';
import { signRequest } from '../../../container/contract/door-signature.ts';
import { asBridgeError, BridgeError } from '../../../container/contract/errors.ts';
import { HEADER, INTERNAL_PATH } from '../../../container/contract/headers.ts';
import type { TradingCalendar } from '../../../container/contract/trading-calendar.ts';
import { BRIDGE_VERSION, CONTRACT_VERSION } from '../../../container/contract/version.ts';
import { ControlChannel } from '../control-channel.ts';
import type { ForwardRequest } from './forward-to-origin.ts';
import { InFlight } from '../in-flight.ts';
import type { Origin } from './origin.ts';
import { sendRequest } from './send-request.ts';
import { versionMismatch, within } from '../start-outcome.ts';

/** TCP, TLS, the upgrade and two messages, over a continent; and the other origin gives the session up (3 s at most). */
const CONNECT_TIMEOUT_MS = 8_000;
const LOOK_TIMEOUT_MS = 2_000;
/** Between pings on the channel … */
const PING_EVERY_MS = 5_000;
/** … and after so long without a sign of life another one is opened. */
const SILENT_AFTER_MS = 12_500;
/** How long its drain is waited for; what takes longer is fenced by the next sign-in. */
const RELEASE_TIMEOUT_MS = 3_000;
const MISMATCH_RETRY_MS = 15_000;

export interface VpsParts {
  /** To the program on the VPS: path and query. */
  readonly fetch: (target: string, init: RequestInit) => Promise<Response>;
  /** Signs what is sent. */
  readonly key: string;
  /** Id of the broker whose session it is to hold. */
  readonly broker: () => string;
  /** The manager account of the other origin, where that is known here. */
  readonly login: () => unknown;
  readonly checkpoint: () => Promise<string>;
  readonly serve: (call: StateCall) => Promise<StateResult | StateFailure>;
  /** A process has said hello. */
  readonly onProcess: (instanceId: string) => Promise<void>;
  readonly onActivity: (activity: Activity) => void;
  readonly onCalendar: (calendar: TradingCalendar) => void;
  readonly onFault: (what: string, error: unknown) => void;
  readonly now: () => number;
}

/**
 * The same program on a VPS, which runs by itself and holds no session until it is told to: the control channel that the
 * Durable Object opens hands the session over, and a drain takes it back. What it remembers is in the Durable Object.
 */
export class Vps implements Origin {
  readonly #parts: VpsParts;
  readonly #control: ControlChannel;
  readonly #inFlight = new InFlight();
  #activity: Activity | null = null;
  #instanceId: string | null = null;
  #isWanted = false;
  #heardAtMs = 0;
  #pings: ReturnType<typeof setInterval> | null = null;
  /** Of the channel that is open now. */
  #closed = Promise.withResolvers<void>();
  /** Nobody tells of the end of a process elsewhere: it is known by its drain, or by the next process that says hello. */
  #ended = Promise.withResolvers<void>();

  constructor(parts: VpsParts) {
    this.#parts = parts;
    this.#control = new ControlChannel({
      dial: () => this.#dial(),
      isAlive: () => this.#isWanted,
      onHello: (hello) => this.#onHello(hello),
      onActivity: (activity) => {
        this.#activity = activity;
        parts.onActivity(activity);
      },
      onCalendar: parts.onCalendar,
      onHeard: () => (this.#heardAtMs = Date.now()),
      serve: parts.serve,
      onFault: parts.onFault,
    });
  }

  get activity(): Activity | null {
    return this.#control.isOpen ? this.#activity : null;
  }

  get instanceId(): string | null {
    return this.#instanceId;
  }

  get isRunning(): boolean {
    return this.#instanceId !== null;
  }

  get isAlive(): boolean {
    return this.#control.isOpen;
  }

  async ensure(): Promise<void> {
    this.#isWanted = true;
    if (this.#control.isOpen) return;
    try {
      await within(
        CONNECT_TIMEOUT_MS,
        this.#control.open().then(() => undefined),
      );
    } catch (error) {
      this.#hangUp();
      throw unreachable(error);
    }
    this.#heardAtMs = Date.now();
    this.#pings ??= setInterval(() => this.#ping(), PING_EVERY_MS);
  }

  async answers(): Promise<boolean> {
    try {
      const answer = await this.#parts.fetch('/healthz', { signal: AbortSignal.timeout(LOOK_TIMEOUT_MS) });
      await answer.body?.cancel();
      return answer.ok;
    } catch {
      return false;
    }
  }

  async forward(request: ForwardRequest, timeoutMs: number): Promise<Response> {
    const { fetch, now } = this.#parts;
    const proof = (headers: Headers) => this.#proof(request.method, request.target, headers);
    const answer = await sendRequest(request, timeoutMs, { fetch, proof, inFlight: this.#inFlight, now });
    if (answer.status < 502 || answer.headers.has(HEADER.bridgeVersion)) return answer;
    // Of the proxy before the program: whether that had it, nobody knows.
    await answer.body?.cancel();
    throw new Error(`Network connection lost: the VPS answered ${answer.status} in place of the program.`);
  }

  ended(): Promise<void> {
    return this.isRunning ? this.#ended.promise : Promise.resolve();
  }

  suspect(): void {
    this.#control.renew();
  }

  unanswered(): void {
    this.#control.send({ type: 'ping' });
  }

  send(message: ControlMessage): boolean {
    return this.#control.send(message);
  }

  async stop(reason: string): Promise<void> {
    this.#isWanted = false;
    if (this.#control.send({ type: 'drain', reason })) {
      const drained = this.#closed.promise.then(() => this.#processEnded());
      await Promise.race([drained, scheduler.wait(RELEASE_TIMEOUT_MS)]);
    }
    // Unless it is wanted again by now.
    if (!this.#isWanted) this.#hangUp();
  }

  #hangUp(): void {
    this.#isWanted = false;
    clearInterval(this.#pings);
    this.#pings = null;
    this.#control.close();
    this.#activity = null;
  }

  #processEnded(): void {
    this.#instanceId = null;
    this.#ended.resolve();
  }

  #ping(): void {
    if (this.#control.isOpen && Date.now() - this.#heardAtMs > SILENT_AFTER_MS) this.#control.renew();
    else this.#control.send({ type: 'ping' });
  }

  async #proof(method: string, target: string, headers: Headers): Promise<Record<string, string>> {
    const { key, now } = this.#parts;
    const header = (name: string): string | null => headers.get(name);
    return { [HEADER.signature]: await signRequest(key, { method, target, header }, now()) };
  }

  async #dial(): Promise<WebSocket> {
    const headers = { [HEADER.contractVersion]: String(CONTRACT_VERSION), upgrade: 'websocket' };
    const proof = await this.#proof('GET', INTERNAL_PATH.control, new Headers(headers));
    const answer = await this.#parts.fetch(INTERNAL_PATH.control, { headers: { ...headers, ...proof } });
    const socket = answer.webSocket;
    if (!socket) {
      await answer.body?.cancel();
      const hint = answer.status === 401 ? ': its DOOR_KEY is another' : '';
      throw new BridgeError('container_unavailable', `it refused the control channel (${answer.status}${hint}).`);
    }
    this.#closed = Promise.withResolvers<void>();
    const closed = this.#closed;
    socket.addEventListener('close', () => closed.resolve());
    socket.addEventListener('error', () => closed.resolve());
    return socket;
  }

  async #onHello(hello: Hello): Promise<Handover> {
    const mismatch = this.#otherBroker(hello) ?? versionMismatch(hello, 'bridge on the VPS');
    // It is told nothing, and stays as it is: whoever deploys it again must find it listening.
    if (mismatch !== undefined)
      throw new BridgeError('version_mismatch', { detail: mismatch, retryAfterMs: MISMATCH_RETRY_MS });
    const checkpoint = await this.#parts.checkpoint();
    if (this.#instanceId !== hello.instanceId) {
      this.#processEnded();
      this.#ended = Promise.withResolvers<void>();
      this.#instanceId = hello.instanceId;
    }
    await this.#parts.onProcess(hello.instanceId);
    return {
      type: 'handover',
      contractVersion: CONTRACT_VERSION,
      bridgeVersion: BRIDGE_VERSION,
      accepted: true,
      checkpoint,
    };
  }

  #otherBroker({ broker: itsBroker, login: itsLogin }: Hello): string | undefined {
    const broker = this.#parts.broker();
    const login = this.#parts.login();
    const isOther =
      (itsBroker !== undefined && itsBroker !== broker) ||
      (login !== undefined && itsLogin !== undefined && itsLogin !== login);
    return isOther
      ? `The bridge on the VPS is of another broker or manager account: its BROKER and MT5_LOGIN must be those of the Worker (${broker}).`
      : undefined;
  }
}

function unreachable(error: unknown): BridgeError {
  const known = asBridgeError(error);
  if (known.code === 'version_mismatch') return known;
  const why = known.code === 'internal_error' ? 'no connection' : known.context.detail;
  return new BridgeError('container_unavailable', {
    detail: `The bridge on the VPS cannot be reached: ${why}`,
    retryAfterMs: 1_000,
    cause: error,
  });
}
