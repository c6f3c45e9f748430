import type { TradingCalendar } from '../../container/contract/trading-calendar.ts';
import {
  parseControlMessage,
  type Activity,
  type ControlMessage,
  type Hello,
  type StateCall,
  type StateFailure,
  type StateResult,
} from '../../container/contract/control.ts';
import { BridgeError } from '../../container/contract/errors.ts';

/** A process that listens says hello at once; this long only under a starved CPU (lite: 1/16 vCPU). */
const HELLO_TIMEOUT_MS = 10_000;
/** Channel lost while the process lives: opened again after 50 ms, then twice as long each time, up to 5 s. */
const FIRST_REOPEN_DELAY_MS = 50;
const LONGEST_REOPEN_DELAY_MS = 5000;
const QUIET_REOPENS = 3;

export interface ControlChannelParts {
  /** Opens the WebSocket to the container's port, directly. */
  readonly dial: () => Promise<WebSocket>;
  /** Is there a process to speak to? Asked before each attempt to open again. */
  readonly isAlive: () => boolean;
  /** First message of each opening. The answer is sent back as the hand-over. */
  readonly onHello: (hello: Hello) => Promise<ControlMessage>;
  readonly onActivity: (activity: Activity) => void;
  readonly onCalendar: (calendar: TradingCalendar) => void;
  /** Whatever came: the process runs. */
  readonly onHeard: () => void;
  readonly serve: (call: StateCall) => Promise<StateResult | StateFailure>;
  readonly onFault: (what: string, error: unknown) => void;
}

type ChannelState =
  | { readonly name: 'closed' }
  | { readonly name: 'opening'; readonly opened: Promise<Hello> }
  | { readonly name: 'open'; readonly hello: Hello; readonly socket: WebSocket };

/**
 * The Durable Object's end of the control channel (contract/control.ts). It goes to the container's port and not through
 * `Container.fetch`, so it is no activity and keeps nothing awake.
 */
export class ControlChannel {
  readonly #parts: ControlChannelParts;
  #state: ChannelState = { name: 'closed' };
  #reopenTimer: ReturnType<typeof setTimeout> | null = null;
  #reopens = 0;

  constructor(parts: ControlChannelParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#state.name === 'open';
  }

  /** Resolves when the hand-over is sent. Callers share one attempt. @throws BridgeError `container_unavailable` */
  open(): Promise<Hello> {
    if (this.#state.name === 'open') return Promise.resolve(this.#state.hello);
    if (this.#state.name === 'opening') return this.#state.opened;
    clearTimeout(this.#reopenTimer);
    const opened = this.#open();
    this.#state = { name: 'opening', opened };
    return opened;
  }

  /** @returns false when there is no channel to send on */
  send(message: ControlMessage): boolean {
    if (this.#state.name !== 'open') return false;
    try {
      this.#state.socket.send(JSON.stringify(message));
      return true;
    } catch {
      // Closing: the news of it is on its way.
      return false;
    }
  }

  /** The process runs and this channel brings nothing: another one is opened. */
  renew(): void {
    if (this.#state.name !== 'open') return;
    const { socket } = this.#state;
    this.#lost(socket);
    if (socket.readyState === WebSocket.OPEN) socket.close(1001, 'silent');
  }

  /** The process is gone: nothing is opened again by itself. */
  close(): void {
    clearTimeout(this.#reopenTimer);
    const was = this.#state;
    this.#state = { name: 'closed' };
    if (was.name === 'open' && was.socket.readyState === WebSocket.OPEN) was.socket.close(1000, 'stopped');
    this.#reopens = 0;
  }

  async #open(): Promise<Hello> {
    let socket: WebSocket | undefined;
    try {
      socket = await this.#parts.dial();
      const hello = await this.#firstMessage(socket);
      const handover = await this.#parts.onHello(hello);
      if (this.#state.name !== 'opening')
        throw new BridgeError('container_unavailable', 'The container ended while it said hello.');
      socket.send(JSON.stringify(handover));
      this.#state = { name: 'open', hello, socket };
      this.#reopens = 0;
      return hello;
    } catch (error) {
      if (this.#state.name === 'opening') this.#state = { name: 'closed' };
      if (socket?.readyState === WebSocket.OPEN) socket.close(1001, 'not taken');
      throw error;
    }
  }

  /** Installs the listeners for the socket's whole life; resolves with the hello. */
  async #firstMessage(socket: WebSocket): Promise<Hello> {
    const hello = Promise.withResolvers<Hello>();
    const timer = setTimeout(() => fail('The container did not say hello in time.'), HELLO_TIMEOUT_MS);
    const fail = (detail: string): void => hello.reject(new BridgeError('container_unavailable', detail));
    socket.addEventListener('message', ({ data }) => {
      this.#parts.onHeard();
      const message = typeof data === 'string' ? parseControlMessage(data) : undefined;
      if (message === undefined) return this.#parts.onFault('control message', new Error('not a control message'));
      if (message.type === 'hello') return hello.resolve(message);
      void this.#receive(socket, message);
    });
    socket.addEventListener('close', () => {
      fail('The container closed the control channel.');
      this.#lost(socket);
    });
    socket.addEventListener('error', () => this.#lost(socket));
    socket.accept();
    try {
      return await hello.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  async #receive(socket: WebSocket, message: ControlMessage): Promise<void> {
    // What a process that is gone or was given up left on its way counts for nothing: its orders were told as not sent.
    if (this.#state.name !== 'open' || this.#state.socket !== socket) return;
    if (message.type === 'activity') return this.#parts.onActivity(message);
    if (message.type === 'calendar') return this.#parts.onCalendar(message.calendar);
    if (message.type !== 'call') return;
    const answer = await this.#parts.serve(message);
    try {
      socket.send(JSON.stringify(answer));
    } catch (error) {
      // The channel went meanwhile; the container fails its calls in flight by itself.
      this.#parts.onFault('control answer', error);
    }
  }

  #lost(socket: WebSocket): void {
    if (this.#state.name !== 'open' || this.#state.socket !== socket) return;
    this.#state = { name: 'closed' };
    this.#reopenSoon();
  }

  #reopenSoon(): void {
    clearTimeout(this.#reopenTimer);
    const delayMs = Math.min(FIRST_REOPEN_DELAY_MS * 2 ** this.#reopens++, LONGEST_REOPEN_DELAY_MS);
    this.#reopenTimer = setTimeout(() => {
      if (!this.#parts.isAlive()) return;
      this.open().catch((error: unknown) => {
        // The channel often goes a moment before its process: that is no fault.
        if (this.#reopens > QUIET_REOPENS) this.#parts.onFault('control channel', error);
        this.#reopenSoon();
      });
    }, delayMs);
  }
}
