import { BridgeError } from '../../contract/errors.ts';
import type { StreamGap } from '../../contract/events.ts';
import type { Authenticated, StreamLimits } from '../../contract/frames.ts';
import { StreamCore } from '../../stream/stream-core.ts';
import type { Connection } from '../../stream/connection.ts';
import type { Peer } from '../../stream/member.ts';
import type { SourceEvent } from '../../contract/hub-link.ts';
import type { StreamSource } from '../../stream/source.ts';

export type { Chunk, OutFrame } from '../../stream/chunk.ts';
export type { Connection } from '../../stream/connection.ts';
export type { Peer } from '../../stream/member.ts';
export { Receipts } from '../../stream/receipts.ts';
export { SSE_HEADERS, SseWriter, sseOperations } from '../../stream/sse.ts';

/** Anything that can be attached to as a source: the poller, or a synthetic one. */
export interface AttachableSource {
  attach(emit: (event: SourceEvent) => void): StreamSource & { detach(): void };
}

export interface StreamServiceOptions {
  readonly source: AttachableSource;
  /** @returns undefined for a key or token that is worth nothing. */
  readonly authenticate: (key: string, address: string | undefined) => Promise<Authenticated | undefined>;
  /** Which of these proofs of consumer sessions still hold. */
  readonly stillValid: (proofs: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly now: () => number;
  readonly maxConnections: number;
  /** How many streams are open, hubs included; called on change. */
  readonly onStreams: (streams: number) => void;
  readonly onError: (error: unknown) => void;
  /** Subscriptions of clients were told of gaps. */
  readonly onGaps?: ((gaps: readonly StreamGap[]) => void) | undefined;
  readonly limits?: Partial<StreamLimits>;
}

const TICK_MS = 1_000;
/** They have ten seconds to show a key. */
const MOST_STRANGERS = 100;

/** Streams of this process: clients of its own, and hubs that hold clients elsewhere. */
export class StreamService {
  readonly core: StreamCore;
  readonly #options: StreamServiceOptions;
  readonly #own: StreamSource & { detach(): void };
  #links = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: StreamServiceOptions) {
    this.#options = options;
    const own = options.source.attach((event) => this.core.apply(event));
    this.#own = own;
    this.core = new StreamCore({
      source: own,
      authenticate: options.authenticate,
      stillValid: options.stillValid,
      now: options.now,
      defer: cork(),
      onError: options.onError,
      onConnections: () => this.#changed(),
      ...(options.onGaps ? { onGaps: options.onGaps } : {}),
      ...(options.limits ? { limits: options.limits } : {}),
    });
  }

  /**
   * Sockets that have not shown a key have a quota of their own, so that they keep nobody out who has one.
   * @throws BridgeError `overloaded`
   */
  admit(hasKey: boolean): void {
    const { strangers } = this.core;
    if (!hasKey && strangers >= MOST_STRANGERS)
      throw new BridgeError('overloaded', {
        detail: `${MOST_STRANGERS} streams wait for their keys already; send the key with the upgrade.`,
        retryAfterMs: 5_000,
      });
    if (!hasKey || this.core.connections.size - strangers < this.#options.maxConnections) return;
    throw new BridgeError('overloaded', {
      detail: `The limit of ${this.#options.maxConnections} client streams is reached (MAX_CONNECTIONS).`,
      retryAfterMs: 5_000,
    });
  }

  /** Clients and hubs. */
  get streams(): number {
    return this.core.connections.size + this.#links;
  }

  connect(peer: Peer, authenticated: Authenticated | undefined): Connection {
    const connection = this.core.connect(peer, authenticated);
    this.#changed();
    return connection;
  }

  /** A hub: gets the source's events as they are. */
  link(emit: (event: SourceEvent) => void): StreamSource & { detach(): void } {
    const link = this.#options.source.attach(emit);
    this.#links++;
    this.#changed();
    let open = true;
    return {
      want: (topic, selectors) => link.want(topic, selectors),
      drop: (topic, selectors) => link.drop(topic, selectors),
      missed: (topic, keys, request) => link.missed(topic, keys, request),
      detach: () => {
        if (!open) return;
        open = false;
        this.#links--;
        link.detach();
        this.#changed();
      },
    };
  }

  /** Keys and traders' sessions that ended. */
  end(ended: readonly string[]): void {
    this.core.end(ended);
  }

  /** Clients are told to come back; nothing is followed any more. */
  close(): void {
    this.core.closeAll('restart');
    this.#own.detach();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #changed(): void {
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    this.#options.onStreams(this.streams);
  }

  #tick(): void {
    this.core.tick();
    if (!this.core.isIdle) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** Least time between two writes to the same client: what comes in between leaves together. */
const CORK_MS = 2;

/**
 * At once after a pause, else together with what the next 2 ms bring: under load a client costs one system call per
 * cork, not per frame.
 */
function cork(): (flush: () => void) => void {
  let flushedAtMs = 0;
  return (flush) => {
    const run = (): void => {
      flushedAtMs = performance.now();
      flush();
    };
    if (performance.now() - flushedAtMs >= CORK_MS) setImmediate(run);
    else setTimeout(run, CORK_MS);
  };
}
