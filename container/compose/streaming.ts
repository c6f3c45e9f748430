import type { RequestHandler } from 'express';
import type { IncomingMessage } from 'node:http';
import { asBridgeError, BridgeError } from '../contract/errors.ts';
import type { StreamGap } from '../contract/events.ts';
import type { StreamLimits } from '../contract/frames.ts';
import { HEADER, INTERNAL_PATH } from '../contract/headers.ts';
import { hashKey } from '../contract/keys.ts';
import type { Logger } from '../contract/logger.ts';
import type { AddressOf, Authenticate } from '../http/authenticate.ts';
import { eventStream } from '../http/sse.ts';
import type { UpgradeHandler } from '../http/upgrades.ts';
import { clientStreams, hubStreams } from '../http/ws.ts';
import type { ClockSource } from '../service/broker/broker-clock.ts';
import { Poller } from '../service/feeds/poller.ts';
import type { BrokerReads } from '../service/feeds/reads.ts';
import { type AttachableSource, StreamService } from '../service/feeds/stream-service.ts';
import type { StateApi } from '../state/state-api.ts';

/** What clients' streams need, wherever their source is. */
export interface StreamServersOptions {
  readonly authenticate: Authenticate;
  readonly addressOf: AddressOf;
  /** Which of these proofs of traders' sessions still hold. */
  readonly stillValid: (proofs: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly maxConnections: number;
  readonly onStreams: (streams: number) => void;
  readonly onGaps: ((gaps: readonly StreamGap[]) => void) | undefined;
  readonly now: () => number;
  readonly log: Logger;
  readonly limits?: Partial<StreamLimits>;
}

export interface StreamingOptions extends Omit<StreamServersOptions, 'stillValid'> {
  readonly broker: BrokerReads;
  readonly clock: ClockSource;
  readonly sessions: StateApi['sessions'];
  /** Behind the Worker, hubs may connect; of several replicas, the others. Absent = nobody. */
  readonly isHub: ((request: IncomingMessage) => boolean) | undefined;
  /** The most questions a second of the whole bridge; absent = what the sessions carry. */
  readonly upstreamPerSecond?: number | undefined;
}

export interface StreamServers {
  readonly service: StreamService;
  readonly upgrades: Readonly<Record<string, UpgradeHandler>>;
  readonly paths: Readonly<Record<string, RequestHandler>>;
  close(): void;
}

export interface Streaming extends StreamServers {
  readonly poller: Poller;
}

const refuseWithoutUpgrade: RequestHandler = () => {
  throw new BridgeError('upgrade_required', '/v1/stream is a WebSocket; /v1/stream/sse speaks plain HTTP.');
};

const CLOCK_DEADLINE_MS = 10_000;

/** Clients' streams over a source, and their servers. */
export function createStreamServers(source: AttachableSource, options: StreamServersOptions): StreamServers {
  const { authenticate, stillValid, addressOf, maxConnections, onStreams, onGaps, now, log, limits } = options;
  const service = new StreamService({
    source,
    authenticate: async (key, address) => {
      try {
        const caller = await authenticate((name) => (name === HEADER.apiKey ? key : undefined), {
          address: () => address,
        });
        return caller ? { caller, proof: await hashKey(key) } : undefined;
      } catch (error) {
        if (asBridgeError(error).code === 'unauthenticated') return undefined;
        throw error;
      }
    },
    stillValid,
    now,
    maxConnections,
    onStreams,
    onGaps,
    onError: (error) => log.error('stream_error', { error }),
    ...(limits ? { limits } : {}),
  });
  const clients = clientStreams(service, addressOf);
  return {
    service,
    upgrades: { '/v1/stream': clients },
    paths: { '/v1/stream': refuseWithoutUpgrade, '/v1/stream/sse': eventStream(service) },
    close: () => {
      service.close();
      clients.close();
    },
  };
}

/** Everything that streams: one poller, the service over it, and its servers. */
export function createStreaming(options: StreamingOptions): Streaming {
  const { now, log, sessions, isHub } = options;
  const poller = new Poller({
    reads: options.broker,
    clock: () =>
      options.clock.get({
        deadlineAtMs: now() + CLOCK_DEADLINE_MS,
        signal: AbortSignal.timeout(CLOCK_DEADLINE_MS),
      }),
    now,
    onError: (error) => log.error('stream_error', { error }),
    upstreamPerSecond: options.upstreamPerSecond,
    ...(options.limits?.staleAfterMs === undefined ? {} : { staleAfterMs: options.limits.staleAfterMs }),
  });
  const servers = createStreamServers(poller, {
    ...options,
    stillValid: async (proofs) => {
      const found = await Promise.all(proofs.map((proof) => sessions.find(proof)));
      return new Set(proofs.filter((_, i) => found[i] !== null));
    },
  });
  const hubs = hubStreams(servers.service, log);
  const forHubs: UpgradeHandler = (request, socket, head, caller) => {
    if (!isHub?.(request)) throw new BridgeError('route_not_found', 'No WebSocket is served on this path.');
    hubs(request, socket, head, caller);
  };
  return {
    ...servers,
    poller,
    upgrades: { ...servers.upgrades, ...(isHub ? { [INTERNAL_PATH.stream]: forHubs } : {}) },
    close: () => {
      servers.close();
      hubs.close();
      poller.stop();
    },
  };
}
