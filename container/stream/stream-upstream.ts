import type { DataTopic } from '../contract/frames.ts';
import { LINK_PROTOCOL_ERROR, parseSourceEvent, type LinkRequest, type SourceEvent } from '../contract/hub-link.ts';
import type { StreamSource } from './source.ts';

/** First wait before dialling again, and the longest: a container starts within some seconds. */
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 10_000;

/** A WebSocket that is open, of either runtime. */
export interface LinkSocket {
  /** 1 = open. */
  readonly readyState: number;
  send(text: string): void;
  close(code: number, reason: string): void;
  addEventListener(type: 'close' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

export interface StreamUpstreamOptions {
  /** Opens a WebSocket on `INTERNAL_PATH.stream` of the program that polls, starting it if need be. */
  readonly dial: () => Promise<LinkSocket>;
  /** What that program is called where its loss is told. */
  readonly of: 'container' | 'holder';
  readonly emit: (event: SourceEvent) => void;
  /** Nothing is followed until the link is there again; what was told last may be old. */
  readonly onLost: () => void;
  readonly onFault: (error: unknown) => void;
  readonly random: () => number;
}

/** `WebSocket.OPEN`, of either runtime. */
const OPEN = 1;

type State = 'closed' | 'paused' | 'dialling' | 'open' | 'waiting';

/**
 * Another program's poller at the other end of one WebSocket: the container's, for a hub; the holder's, for another
 * replica. Open only while something is wanted and it is not paused: an open one keeps the container awake and a hub in
 * memory.
 */
export class StreamUpstream implements StreamSource {
  readonly #options: StreamUpstreamOptions;
  readonly #wanted = new Map<DataTopic, Set<string>>();
  #state: State = 'closed';
  #socket: LinkSocket | undefined;
  #cancelRetry: () => void = () => undefined;
  #failures = 0;
  /** Raised by whatever makes a socket or an attempt obsolete. */
  #generation = 0;

  constructor(options: StreamUpstreamOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  wants(topic: DataTopic): boolean {
    return (this.#wanted.get(topic)?.size ?? 0) > 0;
  }

  want(topic: DataTopic, selectors: readonly string[]): void {
    const wanted = this.#wanted.get(topic) ?? new Set();
    this.#wanted.set(topic, wanted);
    for (const selector of selectors) wanted.add(selector);
    if (this.#state === 'open') this.#send('want', topic, [...selectors]);
    else if (this.#state === 'closed') this.#dial();
  }

  drop(topic: DataTopic, selectors: readonly string[]): void {
    const wanted = this.#wanted.get(topic);
    for (const selector of selectors) wanted?.delete(selector);
    if (![...this.#wanted.values()].some((set) => set.size > 0)) this.#close('closed');
    else if (this.#state === 'open') this.#send('drop', topic, [...selectors]);
  }

  missed(topic: DataTopic, keys: readonly string[], { id, sinceMs }: { id: number; sinceMs: number }): void {
    this.#ask({ op: 'missed', topic, selectors: [...keys], id, sinceMs });
  }

  /** Lets the container sleep; what is wanted stays wanted. */
  pause(): void {
    this.#close('paused');
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'closed';
    if ([...this.#wanted.values()].some((set) => set.size > 0)) this.#dial();
  }

  /** The container hangs or is being killed: nothing will come over what is open. */
  lose(detail: string): void {
    if (this.#state !== 'open') return;
    const socket = this.#socket;
    const generation = ++this.#generation;
    this.#lost(generation, detail);
    if (socket?.readyState === OPEN) socket.close(1001, 'lost');
  }

  /** Where it waits to dial again, it does so now: the other end is another one. */
  dialNow(): void {
    if (this.#state !== 'waiting') return;
    this.#cancelRetry();
    this.#dial();
  }

  #close(state: 'closed' | 'paused'): void {
    this.#generation++;
    this.#state = state;
    this.#cancelRetry();
    this.#socket?.close(1000, 'nobody listens');
    this.#socket = undefined;
    this.#failures = 0;
  }

  #dial(): void {
    const generation = ++this.#generation;
    this.#state = 'dialling';
    void this.#open(generation);
  }

  async #open(generation: number): Promise<void> {
    try {
      const socket = await this.#options.dial();
      if (generation !== this.#generation) return socket.close(1000, 'too late');
      this.#opened(socket, generation);
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#options.onFault(error);
      this.#lost(generation);
    }
  }

  #opened(socket: LinkSocket, generation: number): void {
    this.#socket = socket;
    this.#state = 'open';
    const lost = (): void => {
      if (generation === this.#generation) this.#lost(generation);
    };
    socket.addEventListener('close', lost);
    socket.addEventListener('error', lost);
    socket.addEventListener('message', ({ data }) => {
      if (generation !== this.#generation) return;
      const event = typeof data === 'string' ? parseSourceEvent(data) : undefined;
      if (!event) {
        this.#options.onFault(new Error(`The ${this.#options.of} sent ${LINK_PROTOCOL_ERROR.reason}.`));
        socket.close(LINK_PROTOCOL_ERROR.code, LINK_PROTOCOL_ERROR.reason);
        return lost();
      }
      this.#failures = 0;
      this.#options.emit(event);
    });
    for (const [topic, selectors] of this.#wanted) if (selectors.size > 0) this.#send('want', topic, [...selectors]);
  }

  #lost(generation: number, detail = `The ${this.#options.of} is gone.`): void {
    this.#socket = undefined;
    this.#state = 'waiting';
    if (this.#failures++ === 0) {
      this.#options.emit({ kind: 'system', event: 'session_lost', data: { detail } });
      this.#options.onLost();
    }
    const backoffMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(this.#failures - 1, 6));
    const timer = setTimeout(
      () => {
        if (generation === this.#generation) this.#dial();
      },
      backoffMs * (0.5 + this.#options.random() / 2),
    );
    this.#cancelRetry = () => clearTimeout(timer);
  }

  #send(op: 'want' | 'drop', topic: DataTopic, selectors: string[]): void {
    this.#ask({ op, topic, selectors });
  }

  #ask(request: LinkRequest): void {
    this.#socket?.send(JSON.stringify(request));
  }
}
