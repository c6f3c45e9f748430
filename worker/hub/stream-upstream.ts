import { INTERNAL_PATH } from '../../container/contract/headers.ts';
import type { DataTopic } from '../../container/contract/frames.ts';
import {
  LINK_PROTOCOL_ERROR,
  parseSourceEvent,
  type LinkRequest,
  type SourceEvent,
} from '../../container/contract/hub-link.ts';
import type { StreamSource } from '../../container/stream/source.ts';

/** First wait before dialling again, and the longest: a container starts within some seconds. */
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 10_000;

export interface StreamUpstreamOptions {
  /** Opens a WebSocket on `INTERNAL_PATH.stream` of the container, starting it if need be. */
  readonly dial: (path: string) => Promise<Response>;
  readonly emit: (event: SourceEvent) => void;
  /** Nothing is followed until the link is there again; what was told last may be old. */
  readonly onLost: () => void;
  readonly onFault: (error: unknown) => void;
  readonly random: () => number;
}

type State = 'closed' | 'paused' | 'dialling' | 'open' | 'waiting';

/**
 * The container's poller at the other end of one WebSocket. Open only while something is wanted and it is not paused:
 * an open one keeps the container awake and this Durable Object in memory.
 */
export class StreamUpstream implements StreamSource {
  readonly #options: StreamUpstreamOptions;
  readonly #wanted = new Map<DataTopic, Set<string>>();
  #state: State = 'closed';
  #socket: WebSocket | undefined;
  #retry: ReturnType<typeof setTimeout> | null = null;
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
    if (socket?.readyState === WebSocket.OPEN) socket.close(1001, 'lost');
  }

  #close(state: 'closed' | 'paused'): void {
    this.#generation++;
    this.#state = state;
    clearTimeout(this.#retry);
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
      const answer = await this.#options.dial(INTERNAL_PATH.stream);
      const socket = answer.webSocket;
      if (!socket) throw new Error(`The container answered ${answer.status} to the hub: ${await answer.text()}`);
      socket.accept();
      if (generation !== this.#generation) return socket.close(1000, 'too late');
      this.#opened(socket, generation);
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#options.onFault(error);
      this.#lost(generation);
    }
  }

  #opened(socket: WebSocket, generation: number): void {
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
        this.#options.onFault(new Error(`The container sent ${LINK_PROTOCOL_ERROR.reason}.`));
        socket.close(LINK_PROTOCOL_ERROR.code, LINK_PROTOCOL_ERROR.reason);
        return lost();
      }
      this.#failures = 0;
      this.#options.emit(event);
    });
    for (const [topic, selectors] of this.#wanted) if (selectors.size > 0) this.#send('want', topic, [...selectors]);
  }

  #lost(generation: number, detail = 'The container is gone.'): void {
    this.#socket = undefined;
    this.#state = 'waiting';
    if (this.#failures++ === 0) {
      this.#options.emit({ kind: 'system', event: 'session_lost', data: { detail } });
      this.#options.onLost();
    }
    const backoffMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(this.#failures - 1, 6));
    this.#retry = setTimeout(
      () => {
        if (generation === this.#generation) this.#dial();
      },
      backoffMs * (0.5 + this.#options.random() / 2),
    );
  }

  #send(op: 'want' | 'drop', topic: DataTopic, selectors: string[]): void {
    this.#ask({ op, topic, selectors });
  }

  #ask(request: LinkRequest): void {
    this.#socket?.send(JSON.stringify(request));
  }
}
