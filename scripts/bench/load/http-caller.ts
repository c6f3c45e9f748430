import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

export interface Answer {
  readonly status: number;
  readonly bytes: number;
  /** Only of failures. */
  readonly text?: string;
}

/**
 * One keep-alive connection on which one request at a time is under way. Not `node:http`: its client costs more than the
 * server that is measured. Reads what servers send here: a Content-Length, chunks, or no body.
 */
export class HttpCaller {
  readonly #open: () => Socket;
  #socket: Socket | undefined;
  #received: Buffer | undefined;
  #done: ((outcome: Answer | Error) => void) | undefined;

  /** @param ca PEM of the authority of an `https:` URL; the usual ones if absent */
  constructor(url: URL, ca?: string) {
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    this.#open = () =>
      url.protocol === 'https:'
        ? connectTls({ host: url.hostname, port, servername: url.hostname, ALPNProtocols: ['http/1.1'], ca })
        : connectPlain({ host: url.hostname, port });
  }

  /** Connects where needed; a connection that was closed while idle is opened again. */
  send(request: Buffer | string, done: (outcome: Answer | Error) => void): void {
    this.#done = done;
    const socket = (this.#socket ??= this.#connect());
    socket.write(request, 'latin1');
  }

  close(): void {
    this.#done = undefined;
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connect(): Socket {
    const socket = this.#open();
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.once('error', (error) => this.#end(socket, error));
    socket.once('close', () => this.#end(socket, new Error('closed without an answer')));
    return socket;
  }

  #end(socket: Socket, error: Error): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#received = undefined;
    this.#settle(error);
  }

  #settle(outcome: Answer | Error): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(outcome);
  }

  #onData(chunk: Buffer): void {
    const received = this.#received ? Buffer.concat([this.#received, chunk]) : chunk;
    const headEnd = received.indexOf(HEAD_END);
    if (headEnd < 0) {
      this.#received = received;
      return;
    }
    const head = received.toString('latin1', 0, headEnd);
    const status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    const bodyStart = headEnd + 4;
    // A chunked answer is JSON: its end cannot occur inside it.
    const whole =
      length !== undefined
        ? received.length >= bodyStart + Number(length)
        : status === 204 || status === 304 || received.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK);
    if (!whole) {
      this.#received = received;
      return;
    }
    this.#received = undefined;
    if (/\r\nconnection: *close/i.test(head)) {
      this.#socket?.destroy();
      this.#socket = undefined;
    }
    this.#settle(
      status >= 200 && status < 300
        ? { status, bytes: received.length }
        : { status, bytes: received.length, text: received.toString('utf8', bodyStart, bodyStart + 600) },
    );
  }
}
