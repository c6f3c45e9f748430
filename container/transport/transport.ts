/**
 * transport/ moves bytes: it opens one TLS connection to one address and carries one HTTP request at a time over it.
 * It knows nothing of MT5, of sessions or of who asks. This file is the interface that session/ sees.
 */

export interface Address {
  readonly host: string;
  readonly port: number;
}

export const addressText = ({ host, port }: Address): string => (host.includes(':') ? `[${host}]` : host) + `:${port}`;

export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  /** Begins with `/`; sent as it is. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface TransportReply {
  readonly status: number;
  /** Names in lower case; a header that came several times is a list. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Uint8Array;
}

/**
 * - `unreachable` no connection came about · `untrusted` the certificate is not the expected one
 * - `lost` the connection broke · `truncated` it broke in the middle of an answer
 * - `malformed` what came is not HTTP/1.1, or longer than allowed
 */
export type TransportErrorKind = 'unreachable' | 'untrusted' | 'lost' | 'truncated' | 'malformed';

export class TransportError extends Error {
  readonly kind: TransportErrorKind;

  constructor(kind: TransportErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'TransportError';
    this.kind = kind;
  }
}

export interface ExchangeOptions {
  /** Called just before the first byte of the request is written: from here on it may have arrived. */
  readonly onSent: () => void;
  /** Called for each part of the answer as it arrives. */
  readonly onProgress?: () => void;
}

/** One TLS connection. After it is lost it stays lost: it never connects a second time. */
export interface Connection {
  readonly address: Address;
  /** Milliseconds that TCP and TLS took. */
  readonly openedInMs: number;
  /** One at a time: the next only after the last has settled. @throws TransportError */
  exchange(request: TransportRequest, options: ExchangeOptions): Promise<TransportReply>;
  /** Breaks the connection now; idempotent. */
  destroy(): void;
  /** Resolves once, when the connection is gone, with the reason. */
  readonly closed: Promise<TransportError>;
}

export interface Transport {
  /** @throws TransportError `unreachable` · `untrusted` */
  open(address: Address, timeoutMs: number): Promise<Connection>;
}
