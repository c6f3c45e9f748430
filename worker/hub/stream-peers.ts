import type { Chunk } from '../../container/stream/chunk.ts';
import type { Peer } from '../../container/stream/member.ts';
import type { Receipts } from '../../container/stream/receipts.ts';
import { SseWriter } from '../../container/stream/sse.ts';

/**
 * A hibernatable socket of the hub. workerd tells nobody how much it holds back for a client (`bufferedAmount` is not
 * there), so what counts as waiting is what was sent since the client last showed that it runs: its pings, answered by
 * the platform, or here where they carry an id.
 */
export class SocketPeer implements Peer {
  readonly address: string | undefined;
  readonly #socket: WebSocket;
  readonly #lastPing: () => number | undefined;
  readonly #receipts: Receipts;
  #lastPingMs: number;

  constructor(socket: WebSocket, lastPing: () => number | undefined, address: string | undefined, receipts: Receipts) {
    this.address = address;
    this.#socket = socket;
    this.#lastPing = lastPing;
    this.#receipts = receipts;
    this.#lastPingMs = lastPing() ?? 0;
  }

  get bufferedBytes(): number {
    if (this.#receipts.waitingBytes > 0) this.#look();
    return this.#receipts.waitingBytes;
  }

  get silentSinceMs(): number | undefined {
    if (this.#receipts.aheadBytes > 0) this.#look();
    return this.#receipts.silentSinceMs;
  }

  pinged(): void {
    this.#receipts.shown();
  }

  write(chunk: Chunk): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    for (const { text } of chunk.frames) {
      this.#socket.send(text);
      this.#receipts.sent(text.length);
    }
  }

  close(code: number, reason: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.close(code, reason);
  }

  /** The platform answered a ping since the last look: what was sent between the two is taken as read. */
  #look(): void {
    const pingMs = this.#lastPing();
    if (pingMs === undefined || pingMs <= this.#lastPingMs) return;
    this.#lastPingMs = pingMs;
    this.#receipts.shown();
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
