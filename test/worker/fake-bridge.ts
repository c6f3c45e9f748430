import type { Activity, ControlMessage } from '../../container/contract/control.ts';
import type { SessionStateName } from '../../container/contract/schemas/status.ts';
import { HEADER, INTERNAL_PATH } from '../../container/contract/headers.ts';
import type { TradingCalendar } from '../../container/contract/trading-calendar.ts';
import { BRIDGE_VERSION, CONTRACT_VERSION } from '../../container/contract/version.ts';
import type { PermitDecision } from '../../container/state/state-api.ts';
import type { FakeProgram, FakeStart } from './fake-container.ts';

export interface FakeBridgeOptions {
  readonly contractVersion?: number;
  /** What the broker says to a sign-in. */
  readonly signIn?: 'succeeds' | 'refused' | 'dies';
  readonly answer?: (request: Request, bridge: FakeBridge) => Response | Promise<Response>;
  readonly onTerminate?: (bridge: FakeBridge) => void;
  readonly onDrain?: (bridge: FakeBridge) => void;
}

/** The container program as its Durable Object sees it: control channel, permits, activity, answers. */
export class FakeBridge implements FakeProgram {
  readonly instanceId = crypto.randomUUID();
  readonly requests: Request[] = [];
  /** Sign-ins that reached the broker. */
  signIns = 0;
  hellos = 0;
  epoch: number | null = null;
  checkpoint: unknown;
  /** Nothing that comes over the control channel is answered. */
  isDeaf = false;
  readonly received: ControlMessage[] = [];
  readonly #start: FakeStart;
  readonly #options: FakeBridgeOptions;
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  #socket: WebSocket | undefined;
  #nextCall = 1;

  constructor(start: FakeStart, options: FakeBridgeOptions = {}) {
    this.#start = start;
    this.#options = options;
  }

  get onTerminate(): () => void {
    return () => (this.#options.onTerminate ? this.#options.onTerminate(this) : queueMicrotask(() => this.exit(0)));
  }

  exit(code: number): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#start.exit(code);
    socket?.close(1001, 'exit');
  }

  /** The channel breaks, the process lives. */
  dropChannel(): void {
    this.#socket?.close(1001, 'dropped');
  }

  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === INTERNAL_PATH.control) return this.#control(request);
    if (request.headers.get(HEADER.startSecret) !== this.#start.env['BRIDGE_START_SECRET'])
      return new Response('no', { status: 401 });
    this.requests.push(request);
    if (this.#options.answer) return this.#options.answer(request, this);
    return Response.json({
      path: pathname,
      caller: JSON.parse(request.headers.get(HEADER.caller) ?? 'null') as unknown,
    });
  }

  activity(state: SessionStateName, more: Partial<Pick<Activity, 'streams' | 'unsettled'>> = {}): void {
    this.#send({
      type: 'activity',
      streams: 0,
      unsettled: 0,
      ...more,
      session: { state, epoch: this.epoch, sinceMs: Date.now(), reason: null, retcode: null, connections: 1 },
    });
  }

  calendar(calendar: TradingCalendar): void {
    this.#send({ type: 'calendar', calendar });
  }

  /** A call of the state over the channel. */
  call<T>(method: string, ...args: unknown[]): Promise<T> {
    const id = this.#nextCall++;
    const answer = Promise.withResolvers<unknown>();
    this.#calls.set(id, answer);
    this.#send({ type: 'call', id, method, args });
    return answer.promise as Promise<T>;
  }

  #control(request: Request): Response {
    if (request.headers.get(HEADER.startSecret) !== this.#start.env['BRIDGE_START_SECRET'])
      return new Response('no', { status: 401 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.#socket = server;
    server.accept();
    server.addEventListener('message', ({ data }) => void this.#receive(JSON.parse(String(data)) as ControlMessage));
    this.hellos += 1;
    this.#send({
      type: 'hello',
      contractVersion: this.#options.contractVersion ?? CONTRACT_VERSION,
      bridgeVersion: BRIDGE_VERSION,
      instanceId: this.instanceId,
      epoch: this.epoch,
      listeningAfterMs: 5,
    });
    return new Response(null, { status: 101, webSocket: client });
  }

  async #receive(message: ControlMessage): Promise<void> {
    if (this.isDeaf) return;
    this.received.push(message);
    if (message.type === 'drain') this.#options.onDrain?.(this);
    if (message.type === 'ping') this.#send({ type: 'pong' });
    if (message.type === 'result') this.#calls.get(message.id)?.resolve(message.value);
    if (message.type === 'failure')
      this.#calls.get(message.id)?.reject(new Error(`${message.code}: ${message.detail}`));
    if (message.type === 'handover') {
      this.checkpoint = JSON.parse(message.checkpoint) as unknown;
      if (message.accepted && this.epoch === null) await this.#signIn();
    }
  }

  async #signIn(): Promise<void> {
    const permit = await this.call<PermitDecision>('signIn.permit', this.instanceId);
    if (!permit.granted) return this.activity('backoff');
    this.signIns += 1;
    const { permitId } = permit;
    switch (this.#options.signIn ?? 'succeeds') {
      case 'dies':
        return this.exit(1);
      case 'refused':
        await this.call('signIn.failed', this.instanceId, {
          permitId,
          kind: 'refused',
          retcode: 1001,
          reason: 'wrong',
        });
        return this.activity('refused');
      case 'succeeds': {
        const report = { permitId, address: 'broker:443', serverBuild: '5000' };
        this.epoch = (await this.call<{ epoch: number }>('signIn.succeeded', this.instanceId, report)).epoch;
        return this.activity('ready');
      }
    }
  }

  #send(message: ControlMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }
}
