import {
  TransportError,
  type Address,
  type Connection,
  type Transport,
  type TransportReply,
  type TransportRequest,
} from '../../container/transport/transport.ts';
import { challengeAnswer, fromHex, passwordHash, toHex } from '../../container/webapi/handshake.ts';

export const FAKE_PASSWORD_HASH = passwordHash('Password1');

/** Answers commands that are not part of the sign-in; a promise may stay open as long as the test likes. */
export type Answering = (path: string, connection: number) => Promise<string> | string;

/** Connections without sockets or time of their own: for tests that hold the clock still. */
export class FakeTransport implements Transport {
  readonly sent: { readonly path: string; readonly connection: number }[] = [];
  readonly #answering: Answering;
  readonly #open = new Map<number, (error: TransportError) => void>();
  #opened = 0;

  constructor(answering: Answering = () => '{"retcode":"0 Done"}') {
    this.#answering = answering;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#open.size;
  }

  count(path: string): number {
    return this.sent.filter((request) => request.path === path).length;
  }

  /** Breaks a connection as a network would. */
  drop(connection: number): void {
    this.#open.get(connection)?.(new TransportError('lost', 'dropped by the test'));
  }

  /** Hosts at which nobody listens. */
  readonly down = new Set<string>();
  readonly tried: string[] = [];

  open(address: Address): Promise<Connection> {
    this.tried.push(address.host);
    if (this.down.has(address.host))
      return Promise.reject(new TransportError('unreachable', `${address.host} is down`));
    const id = ++this.#opened;
    let end: (error: TransportError) => void = () => undefined;
    const closed = new Promise<TransportError>((resolve) => (end = resolve));
    const close = (error: TransportError): void => {
      this.#open.delete(id);
      end(error);
    };
    this.#open.set(id, close);
    const exchange = async (request: TransportRequest, onSent: () => void): Promise<TransportReply> => {
      if (!this.#open.has(id)) throw new TransportError('lost', 'the connection is gone');
      onSent();
      const body = await Promise.race([
        this.#answer(request, id),
        closed.then((error) => {
          throw error;
        }),
      ]);
      return { status: 200, headers: {}, bytes: new TextEncoder().encode(body) };
    };
    return Promise.resolve({
      address,
      openedInMs: 0,
      closed,
      exchange: (request, { onSent }) => exchange(request, onSent),
      destroy: () => close(new TransportError('lost', 'destroyed')),
    });
  }

  async #answer(request: TransportRequest, connection: number): Promise<string> {
    const url = new URL(request.path, 'https://fake');
    const path = url.pathname.replace('/api/', '');
    this.sent.push({ path, connection });
    if (path === 'auth/start') return `{"retcode":"0 Done","srv_rand":"${'0'.repeat(32)}"}`;
    if (path !== 'auth/answer') return this.#answering(path, connection);
    const challenge = fromHex(url.searchParams.get('cli_rand')) ?? new Uint8Array();
    return `{"retcode":"0 Done","cli_rand_answer":"${toHex(challengeAnswer(FAKE_PASSWORD_HASH, challenge))}"}`;
  }
}
