import type { Chunk } from '../../container/stream/chunk.ts';
import type { Peer } from '../../container/stream/member.ts';
import { SseWriter } from '../../container/stream/sse.ts';

/** What a client that pings may be sent between two pings: five seconds of a busy feed. */
const UNACKNOWLEDGED_BYTES = 1024 * 1024;

/**
 * A hibernatable socket of the hub. workerd tells nobody how much it holds back for a client (`bufferedAmount` is not
 * there), so what counts as waiting is what was sent since the client last showed that it runs: its pings, answered by
 * the platform. Of a client that never pings nothing is known; the platform bounds it.
 */
export class SocketPeer implements Peer {
  readonly address: string | undefined;
  readonly #socket: WebSocket;
  readonly #lastPing: () => number | undefined;
  #sentBytes = 0;
  #lastPingMs = 0;

  constructor(socket: WebSocket, lastPing: () => number | undefined, address: string | undefined) {
    this.address = address;
    this.#socket = socket;
    this.#lastPing = lastPing;
  }

  get bufferedBytes(): number {
    if (this.#sentBytes < UNACKNOWLEDGED_BYTES) return 0;
    const pingMs = this.#lastPing();
    if (pingMs !== undefined && pingMs <= this.#lastPingMs) return this.#sentBytes;
    this.#lastPingMs = pingMs ?? 0;
    this.#sentBytes = 0;
    return 0;
  }

  write(chunk: Chunk): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    for (const { text } of chunk.frames) {
      this.#socket.send(text);
      this.#sentBytes += text.length;
    }
  }

  close(code: number, reason: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.close(code, reason);
  }
}

/** A server-sent-event stream of the hub. It cannot hibernate. */
export class EventStreamPeer implements Peer {
  readonly body: ReadableStream<Uint8Array>;
  readonly #writer = new SseWriter();
  readonly #encoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(onGone: () => void) {
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        cancel: () => {
          this.#controller = undefined;
          onGone();
        },
      },
      { highWaterMark: 0, size: (bytes) => bytes?.byteLength ?? 0 },
    );
    this.#controller?.enqueue(this.#encoder.encode(': open\n\n'));
  }

  get bufferedBytes(): number {
    return -(this.#controller?.desiredSize ?? 0);
  }

  write(chunk: Chunk): void {
    this.#controller?.enqueue(this.#encoder.encode(this.#writer.write(chunk)));
  }

  close(): void {
    this.#controller?.close();
    this.#controller = undefined;
  }
}
