import {
  TransportError,
  type Address,
  type Connection,
  type ExchangeOptions,
  type Transport,
  type TransportReply,
  type TransportRequest,
} from './transport.ts';

/** One exchange that has ended. */
export interface Exchange {
  /** Of the request, without its query. */
  readonly path: string;
  readonly tookMs: number;
  /** Why there is no answer. */
  readonly failure: TransportError['kind'] | undefined;
}

/** A transport whose exchanges are told to somebody who measures. */
export class ObservedTransport implements Transport {
  readonly #inner: Transport;
  readonly #onExchange: (exchange: Exchange) => void;

  constructor(inner: Transport, onExchange: (exchange: Exchange) => void) {
    this.#inner = inner;
    this.#onExchange = onExchange;
  }

  async open(address: Address, timeoutMs: number): Promise<Connection> {
    const inner = await this.#inner.open(address, timeoutMs);
    return {
      address: inner.address,
      openedInMs: inner.openedInMs,
      closed: inner.closed,
      destroy: () => inner.destroy(),
      exchange: (request, options) => this.#exchange(inner, request, options),
    };
  }

  async #exchange(
    connection: Connection,
    request: TransportRequest,
    options: ExchangeOptions,
  ): Promise<TransportReply> {
    const startedAt = performance.now();
    const tell = (failure?: Exchange['failure']): void => {
      const queryAt = request.path.indexOf('?');
      const path = queryAt < 0 ? request.path : request.path.slice(0, queryAt);
      this.#onExchange({ path, tookMs: performance.now() - startedAt, failure });
    };
    try {
      const reply = await connection.exchange(request, options);
      tell();
      return reply;
    } catch (error) {
      tell(error instanceof TransportError ? error.kind : 'lost');
      throw error;
    }
  }
}
