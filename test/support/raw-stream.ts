import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';

/** A WebSocket client that writes its own bytes, so that it can break every rule, and stop reading. */
export class RawStream {
  readonly socket: net.Socket;
  received = 0;
  /** Text messages of the server. */
  readonly messages: string[] = [];
  closeCode: number | undefined;
  ended = false;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => (this.ended = true));
  }

  static async open(port: number): Promise<RawStream> {
    const socket = net.connect(port, '127.0.0.1');
    const raw = new RawStream(socket);
    socket.write(
      `GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    const [first] = (await once(socket, 'data')) as [Buffer];
    raw.#parse(first.subarray(first.indexOf('\r\n\r\n') + 4));
    socket.on('data', (data: Buffer) => raw.#parse(data));
    return raw;
  }

  text(text: string): void {
    this.frame(0x81, Buffer.from(text));
  }

  /** One frame; masked unless it is to break that rule. */
  frame(firstByte: number, payload: Buffer, masked = true): void {
    const length = payload.length;
    const head =
      length < 126
        ? Buffer.from([firstByte, length])
        : length < 65_536
          ? Buffer.from([firstByte, 126, length >> 8, length & 255])
          : Buffer.concat([Buffer.from([firstByte, 127, 0, 0, 0, 0]), uint32(length)]);
    if (masked) head[1] = (head[1] ?? 0) | 0x80;
    // A mask of zeroes changes nothing.
    this.socket.write(Buffer.concat([head, masked ? Buffer.alloc(4) : Buffer.alloc(0), payload]));
  }

  #parse(data: Buffer): void {
    this.received += data.length;
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, data]) : data;
    while (bytes.length >= 2) {
      const short = (bytes[1] ?? 0) & 127;
      const head = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (bytes.length < head) break;
      const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
      if (bytes.length < head + length) break;
      const payload = bytes.subarray(head, head + length);
      const opcode = (bytes[0] ?? 0) & 15;
      if (opcode === 1) this.messages.push(payload.toString());
      // As every library does by itself.
      if (opcode === 9) this.frame(0x8a, Buffer.from(payload));
      if (opcode === 8) this.closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      bytes = bytes.subarray(head + length);
    }
    this.#rest = bytes;
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
