/**
 * What the layers above know of the MT5 server: commands go in, replies come out. Sockets, handshakes, pools and
 * replays stay below this interface.
 */

/** One Web API command. `path` is without `/api/`: `user/get`; that of a plug-in is whole: `/NAME`. */
export interface Command {
  readonly path: string;
  /** Sent as the query, percent-encoded; values are any text. */
  readonly query?: readonly (readonly [name: string, value: string])[];
  /** Instead of `query`: one that is encoded already, sent as it is. */
  readonly rawQuery?: string;
  /** JSON text, or bytes sent as they are; its presence makes the request a POST. */
  readonly body?: string | Uint8Array;
  /** Of the body, where it is not the one MT5 documents. */
  readonly contentType?: string;
}

/** Where the time of a request's calls went: noted by the sessions, for whoever asked. */
export class CallTimings {
  /** Waiting for a free session, sign-in included. */
  waitedMs = 0;
  /** From sending to the end of the answer. */
  answeredMs = 0;
  /** 0 = the broker was not asked. */
  calls = 0;

  add({ waitedMs, answeredMs, calls = 1 }: { waitedMs: number; answeredMs: number; calls?: number }): void {
    this.waitedMs += waitedMs;
    this.answeredMs += answeredMs;
    this.calls += calls;
  }
}

/** What a call needs of an `AbortSignal`: any of those will do. */
export interface CallSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: CallListener): void;
  removeEventListener(type: 'abort', listener: CallListener): void;
}
export interface CallListener {
  handleEvent(): void;
}

/**
 * The form for many of a read. Reads with the same `key` that wait for a session at the same time travel as one command,
 * and each is answered with its own part of the answer.
 */
export interface ManyForm {
  /** Equal = may travel together: the same command, the same window. */
  readonly key: string;
  /** Which one of them is asked for: a login or a ticket. */
  readonly item: string;
  readonly train: Train;
  /** Of the part that belongs to `item`, the answer to this read; `undefined` = it has to be asked for by itself. */
  answer(part: unknown): Reply | undefined;
}

export interface Train {
  /** Trains of one name adapt together to what the server takes. */
  readonly name: string;
  /** One command for all of these. */
  command(items: readonly string[]): Command;
  /**
   * The part of each item. `halves`: the answer is about some of them and tells nothing of the others. `singles`: this form
   * does not work here.
   */
  arrived(reply: Reply, items: readonly string[]): ReadonlyMap<string, unknown> | 'halves' | 'singles';
  /** Whether this build has the form, as far as it has shown. */
  isUsable(): boolean;
  /** The server says that it was too much at once. */
  isTooMany(reply: Reply): boolean;
}

export interface CallOptions {
  /** Epoch ms. At the deadline the caller is released; the connection drains the answer. */
  readonly deadlineAtMs: number;
  /** The caller went away: releases the caller, never the connection. */
  readonly signal?: CallSignal;
  readonly timings?: CallTimings | undefined;
  /** Whose turn it takes while requests wait: those of one key wait for each other, not others for them. */
  readonly lane?: string | undefined;
  /** Reads only: it goes before all that wait, on whichever session is free first. For what a mutation waits for. */
  readonly urgent?: boolean | undefined;
  /** Reads only: it keeps a session long. So many sessions as trade and answer short questions are not given to such. */
  readonly bulk?: boolean | undefined;
  /** Reads only: how it may travel with others. */
  readonly many?: ManyForm | undefined;
}

export interface MutateOptions extends CallOptions {
  /** Called at the moment the request is handed to the connection: from here on it is "sent". */
  readonly onDispatch?: () => void;
}

/** One answer. `bytes` is what the server sent; the JSON is parsed on first use. */
export interface Reply {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly bytes: Uint8Array;
  /** Number before the blank of `retcode`; `undefined` where the body is not JSON with a retcode. */
  readonly retcode: number | undefined;
  readonly retcodeText: string;
  /** The whole body. @throws SessionError `malformed` */
  json(): Record<string, unknown>;
}

/**
 * - `deadline` the caller's time passed · `cancelled` the caller went away
 * - `refused` the server refused the sign-in · `backoff` no sign-in permitted yet · `unreachable` no connection
 * - `impostor` wrong `cli_rand_answer` · `lost` the connection broke · `draining` shutting down
 * - `overloaded` too many waiters · `malformed` not the protocol · `circuit_open` the broker failed the last calls
 */
export type SessionErrorKind =
  | 'deadline'
  | 'cancelled'
  | 'refused'
  | 'backoff'
  | 'unreachable'
  | 'impostor'
  | 'lost'
  | 'draining'
  | 'overloaded'
  | 'malformed'
  | 'circuit_open';

/** `dispatched` = the request was handed to a connection, so a mutation may have been executed. */
export class SessionError extends Error {
  readonly kind: SessionErrorKind;
  readonly dispatched: boolean;
  readonly retcode: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: SessionErrorKind,
    message: string,
    details: {
      dispatched?: boolean;
      retcode?: number | undefined;
      retryAfterMs?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'SessionError';
    this.kind = kind;
    this.dispatched = details.dispatched ?? false;
    this.retcode = details.retcode;
    this.retryAfterMs = details.retryAfterMs;
  }
}

export interface Upstream {
  /** A read: may be sent again, once, on a fresh session. @throws SessionError */
  read(command: Command, options: CallOptions): Promise<Reply>;
  /** A mutation: sent at most once, whatever happens. @throws SessionError, `dispatched` tells if it left. */
  mutate(command: Command, options: MutateOptions): Promise<Reply>;
  /**
   * The designated dealer connections: dealer requests and the polling of their results belong to the connection that
   * sent them (mt5-webapi §3.7).
   */
  readonly dealers: readonly [Dealer, ...Dealer[]];
}

export interface Dealer {
  /** It has a session that no other of the dealers before it has, or could have one at once. The first always is. */
  readonly isAvailable: boolean;
  /** Changes whenever the dealer connection is another one: results of older generations are gone. */
  readonly generation: number;
  mutate(command: Command, options: MutateOptions): Promise<Reply & { readonly generation: number }>;
  /**
   * A read on the dealer connection of that generation; `undefined` = on whichever there is.
   * @throws SessionError `lost` if it is gone
   */
  read(command: Command, generation: number | undefined, options: CallOptions): Promise<Reply>;
}
