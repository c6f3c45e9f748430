import type { Chunk } from '../container/state/stream/chunk.ts';
import type { Peer } from '../container/state/stream/member.ts';
import { SseWriter } from '../container/state/stream/sse.ts';

/** A hibernatable socket of the hub. */
export class SocketPeer implements Peer {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  write(chunk: Chunk): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    for (const { text } of chunk.frames) this.#socket.send(text);
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
