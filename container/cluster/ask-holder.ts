import { Agent, type ClientRequest, type IncomingMessage, request as open } from 'node:http';
import type { Held } from './lease.ts';

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** Writes the body and ends the request; called once it is handed to a connection. */
  readonly send: (upstream: ClientRequest) => void;
  /** Aborted when nobody waits for the answer. */
  readonly signal: AbortSignal;
}

/** No answer came of a holder. */
export class ForwardFailure extends Error {
  /** What became of it is not known: it was handed to a connection to a holder. */
  readonly wasHandedOver: boolean;

  constructor(cause: unknown, wasHandedOver: boolean) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.wasHandedOver = wasHandedOver;
  }
}

/** A replica answers so what another one asks it while it does not hold (RFC 9110 §15.5.20): it did nothing with it. */
export const NOT_THE_HOLDER = 421;

/** Below the holder's keep-alive of 65 s (compose.ts): a connection is not used in the moment in which it is closed. */
const IDLE_MS = 50_000;

/** Requests of one replica to the holder. */
export class HolderRequests {
  readonly #agent = new Agent({ keepAlive: true, timeout: IDLE_MS });

  /**
   * The head of the answer; its body is the caller's to read.
   * @throws ForwardFailure
   */
  ask(holder: Held, asked: Asked): Promise<IncomingMessage> {
    const { method, target, headers, send, signal } = asked;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { hostname, port } = new URL(holder.url);
    const upstream = open({
      agent: this.#agent,
      host: hostname.replaceAll(/^\[|\]$/g, ''),
      port: port || 80,
      method,
      path: target,
      headers,
      signal,
      setHost: false,
    });
    let wasHandedOver = false;
    const handOver = (): void => {
      wasHandedOver = true;
      send(upstream);
    };
    upstream.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', handOver);
      else handOver();
    });
    upstream.on('response', (answer) => {
      if (answer.statusCode !== NOT_THE_HOLDER) return resolve(answer);
      answer.resume();
      reject(new ForwardFailure(new Error('It does not hold the session.'), false));
    });
    upstream.on('error', (error) => reject(new ForwardFailure(error, wasHandedOver)));
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}
