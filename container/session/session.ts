import { TransportError, type Address, type Connection, type Transport } from '../transport/transport.ts';
import { encodeCommand, encodeQuery, type WireRequest } from '../webapi/command.ts';
import { WebApiReply } from './reply.ts';
import { SignInError, signIn, type Credentials } from './sign-in.ts';
import { SessionError, type Command } from './upstream.ts';

/**
 * session/ keeps MT5 sessions: it knows the sign-in, loss, silence and queues of connections, and no domain words.
 * One Session is one connection: what is sent travels on the socket that completed its handshake, or not at all.
 */
export type SessionState = 'idle' | 'connecting' | 'challenged' | 'ready' | 'draining' | 'closed';

export interface SessionTimings {
  /** TCP, proxy and TLS of one address. Brokers drop packets of unknown addresses, so that a connection attempt simply hangs. */
  readonly connectMs: number;
  /** MT5 wants the second step within 10 s of the first (mt5-webapi §1.3). */
  readonly stepMs: number;
  /** MT5 recommends a ping after 20 s of silence and closes after 120 or 180 s (mt5-webapi §1.5). */
  readonly heartbeatMs: number;
  readonly pingTimeoutMs: number;
  /** An answer that makes no progress for this long is given up. */
  readonly silenceMs: number;
  /** No answer takes longer: reports of a whole history included. */
  readonly hardLimitMs: number;
}

export const SESSION_TIMINGS: SessionTimings = {
  connectMs: 8_000,
  stepMs: 10_000,
  heartbeatMs: 20_000,
  pingTimeoutMs: 10_000,
  silenceMs: 60_000,
  hardLimitMs: 120_000,
};

/** How long a `quit` may take; it is not needed for correctness. */
const QUIT_TIMEOUT_MS = 1_000;
/** A session's cookies take no more. */
const MAX_COOKIES = 20;
const nothing = (): void => undefined;

/** Why a session ended. `replaced`: the connection stands, but the server no longer knows the session. */
export type CloseCause = 'failed_sign_in' | 'lost' | 'replaced' | 'hung' | 'malformed' | 'quit';

export interface SessionHooks {
  /** The session is free for the next request. */
  readonly onFree: (session: Session) => void;
  readonly onClosed: (session: Session, cause: CloseCause, reason: string) => void;
  readonly onState: (session: Session) => void;
}

interface Limits {
  readonly silenceMs: number;
  readonly totalMs: number;
  readonly onSent?: (() => void) | undefined;
}

export class Session {
  readonly #transport: Transport;
  readonly #credentials: Credentials;
  readonly #timings: SessionTimings;
  readonly #hooks: SessionHooks;
  readonly #cookies = new Map<string, string>();
  /** All of them, as they are sent. */
  #cookie = '';
  /** The server's `Keep-Alive` header, as last seen. */
  #keepAlive = '';
  #state: SessionState = 'idle';
  #connection: Connection | undefined;
  #inFlight: Promise<unknown> | undefined;
  #heartbeatMs: number;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(transport: Transport, credentials: Credentials, timings: SessionTimings, hooks: SessionHooks) {
    this.#transport = transport;
    this.#credentials = credentials;
    this.#timings = timings;
    this.#hooks = hooks;
    this.#heartbeatMs = timings.heartbeatMs;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Ready, and nothing is in flight. */
  get free(): boolean {
    return this.#state === 'ready' && this.#inFlight === undefined;
  }

  #enter(state: SessionState): void {
    this.#state = state;
    this.#hooks.onState(this);
  }

  /** Connects to the first address that answers; nothing is said there. Once. @throws SignInError */
  async connect(addresses: readonly Address[]): Promise<void> {
    this.#enter('connecting');
    try {
      const connection = await this.#open(addresses);
      this.#connection = connection;
      void connection.closed.then((reason) => this.#close('lost', reason.message));
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Signs in on the connection. Once. @throws SignInError */
  async signIn(): Promise<{
    address: Address;
    serverBuild: string | null;
    phasesMs: { tls: number; signIn: number };
  }> {
    try {
      const connection = this.#connection;
      if (!connection) throw new SignInError('unreachable', 'There is no connection to sign in on.');
      const startedAt = performance.now();
      const { serverBuild } = await signIn(
        (request) => this.#exchange(request, { silenceMs: this.#timings.stepMs, totalMs: this.#timings.stepMs }),
        this.#credentials,
        () => this.#enter('challenged'),
      );
      if (this.state === 'closed') throw new SignInError('unreachable', 'The connection closed during the sign-in.');
      this.#enter('ready');
      this.#rearm();
      const phasesMs = { tls: connection.openedInMs, signIn: performance.now() - startedAt };
      return { address: connection.address, serverBuild, phasesMs };
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #failed(error: unknown): unknown {
    this.#close('failed_sign_in', error instanceof Error ? error.message : 'sign-in failed');
    return error;
  }

  async #open(addresses: readonly Address[]): Promise<Connection> {
    const failures: string[] = [];
    let last: unknown;
    for (const address of addresses) {
      try {
        const connection = await this.#transport.open(address, this.#timings.connectMs);
        if (this.#state !== 'closed') return connection;
        connection.destroy();
        throw new SignInError('unreachable', 'The session was closed while it connected.');
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        failures.push(error.message);
        last = error;
      }
    }
    throw new SignInError('unreachable', `The broker cannot be reached: ${failures.join('; ')}.`, null, last);
  }

  /**
   * Sends one command and returns its answer. A bare 403 is told apart on the same connection before anyone else may
   * use it: returned where it is about a right, thrown as `lost` where the session is gone.
   * @throws SessionError `lost` · `malformed`, with `dispatched` telling whether anything was written
   */
  async send(command: Command, onDispatch?: () => void): Promise<WebApiReply> {
    if (!this.free) throw new SessionError('lost', `The session is ${this.#state}.`);
    const request = encodeCommand(
      command.path,
      command.rawQuery ?? encodeQuery(command.query ?? []),
      command.body,
      command.contentType,
    );
    return this.#occupy(async () => {
      const reply = await this.#roundTrip(request, {
        silenceMs: this.#timings.silenceMs,
        totalMs: this.#timings.hardLimitMs,
        onSent: onDispatch,
      });
      if (!reply.isBareForbidden) return reply;
      const access = await this.#ping();
      if (access.retcode !== undefined) return reply;
      const reason = 'The server no longer knows the session.';
      this.#close('replaced', reason);
      throw new SessionError('lost', reason, { dispatched: true });
    });
  }

  /** Marks the session as busy while `work` runs. */
  async #occupy<T>(work: () => Promise<T>): Promise<T> {
    const running = work();
    this.#inFlight = running;
    try {
      return await running;
    } finally {
      this.#inFlight = undefined;
      if (this.#state === 'ready') {
        this.#rearm();
        this.#hooks.onFree(this);
      }
    }
  }

  #ping(): Promise<WebApiReply> {
    const limit = this.#timings.pingTimeoutMs;
    return this.#roundTrip(encodeCommand('test/access', ''), { silenceMs: limit, totalMs: limit });
  }

  async #roundTrip(request: WireRequest, limits: Limits): Promise<WebApiReply> {
    let sent = false;
    const onSent = (): void => {
      sent = true;
      limits.onSent?.();
    };
    try {
      const answer = await this.#exchange(request, { ...limits, onSent });
      const contentType = answer.headers['content-type'];
      return new WebApiReply(answer.status, typeof contentType === 'string' ? contentType : undefined, answer.bytes);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      const malformed = error.kind === 'malformed' || error.kind === 'truncated';
      this.#close(malformed ? 'malformed' : 'lost', error.message);
      throw new SessionError(malformed ? 'malformed' : 'lost', `The MT5 session was lost: ${error.message}.`, {
        dispatched: sent,
        cause: error,
      });
    }
  }

  /** One request on the wire. What takes too long ends the connection: its answer could not be told from the next. */
  async #exchange(request: WireRequest, limits: Limits): Promise<Awaited<ReturnType<Connection['exchange']>>> {
    const connection = this.#connection;
    if (!connection) throw new TransportError('lost', 'the connection is gone');
    let hung: TransportError | undefined;
    const hang = (ms: number): void => {
      hung = new TransportError('lost', `no answer within ${ms} ms`);
      this.#close('hung', hung.message);
    };
    const { silenceMs, totalMs, onSent = nothing } = limits;
    const startedAt = performance.now();
    const quietMs = Math.min(silenceMs, totalMs);
    const silence = setTimeout(() => hang(quietMs), quietMs);
    const onProgress = (): void => {
      // A trickling answer is never silent, so that the whole call has a limit too.
      if (performance.now() - startedAt >= totalMs) hang(totalMs);
      else silence.refresh();
    };
    try {
      const answer = await connection.exchange(
        this.#cookie === '' ? request : { ...request, headers: { ...request.headers, cookie: this.#cookie } },
        { onSent, onProgress },
      );
      this.#noteHeaders(answer.headers);
      return answer;
    } catch (error) {
      throw hung ?? error;
    } finally {
      clearTimeout(silence);
    }
  }

  #noteHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): void {
    const setCookie = headers['set-cookie'];
    if (setCookie !== undefined) {
      for (const line of [setCookie].flat()) {
        const match = /^\s*([^=;\s]+)=([^;]*)/.exec(line);
        if (match?.[1] !== undefined && this.#cookies.size < MAX_COOKIES) this.#cookies.set(match[1], match[2] ?? '');
      }
      this.#cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    }
    // A server that says how long it keeps a silent connection is pinged in half that time.
    const keepAlive = [headers['keep-alive'] ?? ''].flat().join(',');
    if (keepAlive === this.#keepAlive) return;
    this.#keepAlive = keepAlive;
    const seconds = /timeout\s*=\s*(\d+)/i.exec(keepAlive)?.[1];
    this.#heartbeatMs = seconds
      ? Math.max(500, Math.min(this.#timings.heartbeatMs, Number(seconds) * 500))
      : this.#timings.heartbeatMs;
    clearTimeout(this.#heartbeat);
    this.#heartbeat = undefined;
  }

  /** The heartbeat is that long after the last answer. */
  #rearm(): void {
    if (this.#heartbeat) this.#heartbeat.refresh();
    else this.#heartbeat = setTimeout(() => void this.#beat(), this.#heartbeatMs).unref();
  }

  /** Any answer proves the connection; only a bare 403 says that the session behind it is gone. */
  async #beat(): Promise<void> {
    if (!this.free) return;
    try {
      await this.#occupy(async () => {
        const reply = await this.#ping();
        if (reply.isBareForbidden) this.#close('replaced', 'The server no longer knows the session.');
      });
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
    }
  }

  /** Lets what is in flight finish, says goodbye, closes. The caller bounds the time with `close`. */
  async drain(): Promise<void> {
    if (this.#state !== 'ready') return this.close();
    this.#enter('draining');
    clearTimeout(this.#heartbeat);
    await this.#inFlight?.catch(() => undefined);
    if (this.state === 'closed') return;
    await this.#exchange(encodeCommand('quit', ''), { silenceMs: QUIT_TIMEOUT_MS, totalMs: QUIT_TIMEOUT_MS }).catch(
      () => undefined,
    );
    this.close();
  }

  close(): void {
    this.#close('quit', 'closed by the bridge');
  }

  #close(cause: CloseCause, reason: string): void {
    if (this.#state === 'closed') return;
    clearTimeout(this.#heartbeat);
    this.#enter('closed');
    this.#connection?.destroy();
    this.#hooks.onClosed(this, cause, reason);
  }
}
