import type { RequestHandler } from 'express';
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
import { StreamService } from '../service/feeds/stream-service.ts';
import type { StateApi } from '../state/state-api.ts';

export interface StreamingOptions {
  readonly broker: BrokerReads;
  readonly clock: ClockSource;
  readonly authenticate: Authenticate;
  readonly addressOf: AddressOf;
  readonly sessions: StateApi['sessions'];
  readonly maxConnections: number;
  readonly onStreams: (streams: number) => void;
  readonly onGaps: ((gaps: readonly StreamGap[]) => void) | undefined;
  readonly now: () => number;
  readonly log: Logger;
  /** Behind the Worker: hubs may connect, and clients never do. */
  readonly behindDoor: boolean;
  readonly limits?: Partial<StreamLimits>;
  /** The most questions a second of the whole bridge; absent = what the sessions carry. */
  readonly upstreamPerSecond?: number | undefined;
}

export interface Streaming {
  readonly poller: Poller;
  readonly service: StreamService;
  readonly upgrades: Readonly<Record<string, UpgradeHandler>>;
  readonly paths: Readonly<Record<string, RequestHandler>>;
  close(): void;
}

const refuseWithoutUpgrade: RequestHandler = () => {
  throw new BridgeError('upgrade_required', '/v1/stream is a WebSocket; /v1/stream/sse speaks plain HTTP.');
};

const CLOCK_DEADLINE_MS = 10_000;

/** Everything that streams: one poller, the service over it, and its servers. */
export function createStreaming(options: StreamingOptions): Streaming {
  const { now, log, authenticate } = options;
  const onError = (error: unknown): void => log.error('stream_error', { error });
  const poller = new Poller({
    reads: options.broker,
    clock: () =>
      options.clock.get({
        deadlineAtMs: now() + CLOCK_DEADLINE_MS,
        signal: AbortSignal.timeout(CLOCK_DEADLINE_MS),
      }),
    now,
    onError,
    upstreamPerSecond: options.upstreamPerSecond,
    ...(options.limits?.staleAfterMs === undefined ? {} : { staleAfterMs: options.limits.staleAfterMs }),
  });
  const service = new StreamService({
    source: poller,
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
    stillValid: async (proofs) => {
      const found = await Promise.all(proofs.map((proof) => options.sessions.find(proof)));
      return new Set(proofs.filter((_, i) => found[i] !== null));
    },
    now,
    maxConnections: options.maxConnections,
    onStreams: options.onStreams,
    onGaps: options.onGaps,
    onError,
    ...(options.limits ? { limits: options.limits } : {}),
  });
  const clients = clientStreams(service, options.addressOf);
  const hubs = hubStreams(service, log);
  return {
    poller,
    service,
    upgrades: { '/v1/stream': clients, ...(options.behindDoor ? { [INTERNAL_PATH.stream]: hubs } : {}) },
    paths: { '/v1/stream': refuseWithoutUpgrade, '/v1/stream/sse': eventStream(service) },
    close: () => {
      service.close();
      hubs.close();
      clients.close();
      poller.stop();
    },
  };
}
