/** A TLS connection that writes what it is told and keeps what comes, for tests that look below HTTP. */
import { once } from 'node:events';
import tls from 'node:tls';
import { proofOf, type Target } from './mt5-client.ts';

export class Wire {
  readonly socket: tls.TLSSocket;
  /** What has come and was not taken yet. */
  received = '';
  /** `end` an orderly close, else the code of the error. */
  readonly closed: Promise<string>;
  #changed: () => void = () => {};

  private constructor(socket: tls.TLSSocket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
      this.#changed();
    });
    this.closed = new Promise((resolve) => {
      let reason = 'end';
      socket.once('error', (error: NodeJS.ErrnoException) => (reason = error.code ?? error.message));
      socket.once('close', () => {
        resolve(reason);
        this.#changed();
      });
    });
  }

  static async connect(target: Target): Promise<Wire> {
    const socket = tls.connect({ host: target.host, port: target.port, ca: target.certificatePem });
    const wire = new Wire(socket);
    await once(socket, 'secureConnect');
    return wire;
  }

  static async signedIn(target: Target, login = 1000): Promise<Wire> {
    const wire = await Wire.connect(target);
    const start = await wire.get(`/api/auth/start?version=484&agent=test&login=${login}&type=manager`);
    const { srv_rand } = JSON.parse(bodyOf(start)) as { srv_rand: string };
    await wire.get(`/api/auth/answer?srv_rand_answer=${proofOf('Password1', srv_rand)}&cli_rand=${srv_rand}`);
    return wire;
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Sends a GET and waits for the whole answer. */
  get(path: string): Promise<string> {
    this.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    return this.answer();
  }

  /** The next whole answer, head and body. Rejects when the connection ends before. */
  async answer(): Promise<string> {
    for (;;) {
      const head = this.received.indexOf('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(this.received)?.[1];
      const whole = head + 4 + Number(length ?? 0);
      if (head !== -1 && length !== undefined && this.received.length >= whole) {
        const answer = this.received.slice(0, whole);
        this.received = this.received.slice(whole);
        return answer;
      }
      if (this.socket.closed) throw new Error(`closed before an answer: ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  /** Waits until something has come that this matches. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.received)) {
      if (this.socket.closed) throw new Error(`closed before ${pattern}: ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  close(): void {
    this.socket.destroy();
  }
}

export const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);
