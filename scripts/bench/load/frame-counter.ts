import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * A WebSocket client that counts text frames and looks into none but those it is asked to: a library's client would be the
 * limit of what is measured. Plain TCP, and only what a server may send: unmasked, not compressed.
 */
export class FrameCounter {
  frames = 0;
  bytes = 0;
  readonly ready: Promise<void>;
  readonly #socket: Socket;
  readonly #onText: ((text: string) => void) | undefined;
  #rest: Buffer | undefined;
  /** Bytes of a frame that are still to come. */
  #skip = 0;
  #open = false;

  /** `subscription` is sent once the connection is open; `onText` gets every frame. */
  constructor(
    url: URL,
    headers: Readonly<Record<string, string>>,
    subscription: string,
    onText: ((text: string) => void) | undefined,
  ) {
    this.#onText = onText;
    this.#socket = connect({ host: url.hostname, port: Number(url.port || 80) });
    const lines = [`GET ${url.pathname} HTTP/1.1`, `Host: ${url.host}`, 'Upgrade: websocket', 'Connection: Upgrade'];
    lines.push(`Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`, 'Sec-WebSocket-Version: 13');
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    this.#socket.setNoDelay(true);
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    this.ready = new Promise((resolve, reject) => {
      this.#socket.once('error', reject).once('close', () => reject(new Error('closed')));
      this.#socket.on('data', (chunk: Buffer) => {
        if (this.#open) return this.#onData(chunk);
        const seen = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
        const end = seen.indexOf(HEAD_END);
        this.#rest = seen;
        if (end < 0) return undefined;
        if (!seen.toString('latin1', 0, 12).endsWith('101')) return reject(new Error(seen.toString('latin1', 0, end)));
        this.#open = true;
        this.#rest = undefined;
        this.#socket.write(maskedText(subscription));
        resolve();
        return this.#onData(seen.subarray(end + HEAD_END.length));
      });
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.bytes += chunk.length;
    let data = chunk;
    if (this.#rest) {
      data = Buffer.concat([this.#rest, chunk]);
      this.#rest = undefined;
    }
    let at = Math.min(this.#skip, data.length);
    this.#skip -= at;
    while (at < data.length) {
      const short = (data[at + 1] ?? 0) & 0x7f;
      const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
      const whole = at + headBytes <= data.length;
      const length = !whole
        ? 0
        : short < 126
          ? short
          : short === 126
            ? data.readUInt16BE(at + 2)
            : Number(data.readBigUInt64BE(at + 2));
      const end = at + headBytes + length;
      // Those who look need whole frames; those who count skip what is still to come.
      if (!whole || (this.#onText && end > data.length)) {
        this.#rest = data.subarray(at);
        return;
      }
      this.frames++;
      this.#onText?.(data.toString('utf8', at + headBytes, end));
      this.#skip = Math.max(0, end - data.length);
      at = end;
    }
  }
}

/** Clients mask; the mask may be zero. */
function maskedText(text: string): Buffer {
  const payload = Buffer.from(text);
  if (payload.length > 125) throw new Error('a longer subscription needs a longer head');
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
