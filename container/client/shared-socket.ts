import type { DataTopic, Frame } from '../contract/frames.ts';
import type { WebSocketConstructor, WebSocketLike } from './streams.ts';
import { runtimeWebSocket } from './web-socket.ts';

/**
 * One socket for streams of several topics: each stream sees a socket of its own, and hears what concerns its topic. The
 * bridge keeps one subscription of a topic for each socket, so that a topic that is followed twice takes a second socket.
 */
export function sharedSockets(webSocket?: WebSocketConstructor): (topic: DataTopic) => WebSocketConstructor {
  const shared = new Set<SharedSocket>();
  const socketOf = (url: string, topic: DataTopic): SharedSocket => {
    for (const socket of shared) if (socket.takes(topic)) return socket;
    const socket = new SharedSocket(new (webSocket ?? runtimeWebSocket())(url), () => shared.delete(socket));
    shared.add(socket);
    return socket;
  };
  return (topic) =>
    class {
      readonly #socket: SharedSocket;
      readonly #seat: Seat = { topic, listeners: [], id: undefined, isHeard: false };

      constructor(url: string) {
        this.#socket = socketOf(url, topic);
        this.#socket.join(this.#seat);
      }

      send(text: string): void {
        this.#socket.send(this.#seat, text);
      }

      close(code?: number): void {
        this.#socket.leave(this.#seat, code);
      }

      addEventListener(...[type, listen]: Listening): void {
        this.#seat.listeners.push({ type, listen });
      }
    };
}

type Listening = Parameters<WebSocketLike['addEventListener']>;
type SocketEvent = Parameters<Listening[1]>[0];

/** One stream on the socket. */
interface Seat {
  readonly topic: DataTopic;
  readonly listeners: { readonly type: Listening[0]; readonly listen: Listening[1] }[];
  /** Of its subscription. */
  id: number | undefined;
  /** Its subscription was acknowledged: what comes of the topic is for it, not for a stream before it. */
  isHeard: boolean;
}

class SharedSocket {
  readonly #socket: WebSocketLike;
  readonly #ended: () => void;
  readonly #seats = new Map<DataTopic, Seat>();
  #isOpen = false;
  #isEnded = false;
  #isAuthenticated = false;
  #lastId = 0;

  constructor(socket: WebSocketLike, ended: () => void) {
    this.#socket = socket;
    this.#ended = ended;
    socket.addEventListener('open', () => {
      this.#isOpen = true;
      this.#tellAll('open', {});
    });
    socket.addEventListener('message', (event) => this.#receive(event));
    socket.addEventListener('error', (event) => this.#end('error', event));
    socket.addEventListener('close', (event) => this.#end('close', event));
  }

  takes(topic: DataTopic): boolean {
    return !this.#isEnded && !this.#seats.has(topic);
  }

  join(seat: Seat): void {
    this.#seats.set(seat.topic, seat);
    if (this.#isOpen) queueMicrotask(() => tell(seat, 'open', {}));
  }

  send(seat: Seat, text: string): void {
    const operation = JSON.parse(text) as { op: string };
    if (operation.op === 'auth') {
      // The streams of a client have one key.
      if (!this.#isAuthenticated) this.#socket.send(text);
      this.#isAuthenticated = true;
    } else if (operation.op === 'ping') this.#socket.send(text);
    else {
      seat.id = ++this.#lastId;
      this.#socket.send(JSON.stringify({ ...operation, id: seat.id }));
    }
  }

  /** The others go on; the last one closes the socket. */
  leave(seat: Seat, code?: number): void {
    if (this.#isEnded || this.#seats.get(seat.topic) !== seat) return;
    this.#seats.delete(seat.topic);
    if (this.#seats.size > 0) {
      if (seat.id !== undefined)
        this.#socket.send(JSON.stringify({ op: 'unsubscribe', topic: seat.topic, id: ++this.#lastId }));
      return;
    }
    this.#isEnded = true;
    this.#ended();
    this.#socket.close(code);
  }

  #receive(event: SocketEvent): void {
    const { topic, id } = JSON.parse(String(event.data)) as Frame;
    // As they are: a stream that ends or begins meanwhile is another matter.
    const seats = [...this.#seats.values()];
    for (const seat of seats) {
      if (id !== undefined && id === seat.id) seat.isHeard = true;
      const isForSeat =
        id === undefined ? topic === 'system' || (topic === seat.topic && seat.isHeard) : id === seat.id;
      if (isForSeat) tell(seat, 'message', event);
    }
  }

  #end(type: 'error' | 'close', event: SocketEvent): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#ended();
    this.#tellAll(type, event);
  }

  #tellAll(type: Listening[0], event: SocketEvent): void {
    const seats = [...this.#seats.values()];
    for (const seat of seats) tell(seat, type, event);
  }
}

function tell(seat: Seat, type: Listening[0], event: SocketEvent): void {
  for (const listener of seat.listeners) if (listener.type === type) listener.listen(event);
}
