import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { configSecrets, type Config } from './host/config.ts';
import type { StreamLimits } from './contract/frames.ts';
import { INTERNAL_PATH } from './contract/headers.ts';
import type { Logger } from './contract/logger.ts';
import { ROUTES } from './contract/routes.ts';
import { BRIDGE_VERSION } from './contract/version.ts';
import { ControlChannel } from './host/control-channel.ts';
import { createApp, type AppOptions } from './http/app.ts';
import { checkKeys, identifyByDoor, identifyByKey, trustDoor, type Authenticate } from './http/authenticate.ts';
import { answerClientError } from './http/client-error.ts';
import { serveBatch } from './http/batch.ts';
import { servePassthrough } from './http/passthrough.ts';
import { serveRoutes, TypedApi } from './http/serve-routes.ts';
import { HotAnswers } from './http/hot-answers.ts';
import { createUpgrades, type UpgradeHandler } from './http/upgrades.ts';
import { createLog } from './host/log.ts';
import { monitoringHandlers } from './service/process/monitoring-handlers.ts';
import { notingWrites } from './service/broker/noting-writes.ts';
import { Performance } from './service/process/performance.ts';
import { Passthrough } from './service/broker/passthrough.ts';
import type { RouteHandlers } from './service/handler.ts';
import { createTrading, type Trading } from './service/writes/trading.ts';
import type { SettlePolicy } from './service/writes/settler.ts';
import { createReadService } from './service/reads/read-service.ts';
import { SessionPool } from './session/pool.ts';
import { SESSION_TIMINGS, type SessionTimings } from './session/session.ts';
import type { SessionEvent } from './session/status.ts';
import { signInGate } from './compose-sign-in-gate.ts';
import { linkState } from './host/state-link.ts';
import type { BridgeStateOptions } from './state/bridge-state.ts';
import { callerOfSession } from './state/consumer-session-view.ts';
import type { UpstreamCheckpoint } from './state/state-api.ts';
import { createStreaming } from './compose-streaming.ts';
import { addressText } from './transport/transport.ts';
import { UndiciTransport } from './transport/undici-transport.ts';
import { passwordHash } from './webapi/handshake.ts';

/** Platforms send SIGKILL 10 s or more after SIGTERM: requests get most of that, goodbyes the rest. */
const REQUEST_GRACE_MS = 6_000;
const GOODBYE_GRACE_MS = 1_500;

export interface ContainerOptions {
  /** Address to listen on; all by default. */
  readonly host?: string;
  readonly now?: () => number;
  readonly random?: () => number;
  readonly timings?: Partial<SessionTimings>;
  readonly signIn?: BridgeStateOptions['signIn'];
  /** When operations of unknown outcome are looked up, and for how long. */
  readonly settle?: Partial<SettlePolicy>;
  /** Limits of streams that are not the usual ones. */
  readonly streamLimits?: Partial<StreamLimits>;
  /** Receives log lines instead of standard output. */
  readonly writeLog?: (line: string) => void;
  /** The process should end: another instance took over, or the Durable Object asks for it. */
  readonly onDrainAsked?: (reason: string) => void;
}

export interface RunningContainer {
  readonly port: number;
  readonly log: Logger;
  readonly upstream: SessionPool;
  readonly trading: Trading;
  /** Finishes what is in flight, says goodbye to the server, releases everything. Idempotent, bounded. */
  close(): Promise<void>;
}

/** Constructs every object of the container program and listens: the one place where rooms meet. */
export async function startContainer(config: Config, options: ContainerOptions = {}): Promise<RunningContainer> {
  const { now = Date.now, random = Math.random } = options;
  const instanceId = randomUUID();
  const log = createLog({
    level: config.logLevel,
    secrets: configSecrets(config),
    now,
    ...(options.writeLog ? { write: options.writeLog } : {}),
  });
  if (config.tls.mode === 'insecure')
    log.warn('insecure_tls', {
      reason: 'MT5_TLS=insecure: anyone on the way can pose as the broker. Use MT5_TLS=pin:<sha256> instead.',
    });

  const state = linkState(config, log, {
    now,
    random,
    onRevoked: (sessionId) => streaming.service.revoke([sessionId]),
    ...(options.signIn ? { signIn: options.signIn } : {}),
  });
  const checkpoint = state.where === 'here' ? await state.api.signIn.read() : undefined;

  const upstream: SessionPool = new SessionPool({
    transport: new UndiciTransport({ tls: config.tls, ...(config.proxy ? { proxy: config.proxy } : {}) }),
    gate: signInGate(state.api, instanceId, async () => control?.handedOver),
    addresses: config.servers,
    credentials: { login: config.login, passwordHash: passwordHash(config.password), agent: config.agent },
    timings: { ...SESSION_TIMINGS, ...options.timings },
    max: config.poolMax,
    preferredAddress: checkpoint?.address ?? undefined,
    now,
    random,
    onEvent: (event) => {
      logSessionEvent(log, event);
      if (event.type === 'signed_in') streaming.poller.signedIn(event.epoch);
    },
    onStatus: () => control?.sendActivity(),
  });
  const warm = (): void => void upstream.warm().catch(() => undefined);

  const control =
    state.where === 'durable_object'
      ? new ControlChannel({
          instanceId,
          state: state.api,
          log,
          session: () => upstream.status,
          listeningAfterMs: () => globalThis.performance.now(),
          onHandover: (kept) => {
            if (kept.address !== null) upstream.prefer(kept.address);
            recallClock(kept);
            warm();
            trading.start();
          },
          onWarm: warm,
          onDrain: (reason) => options.onDrainAsked?.(reason),
          onRevoked: (sessionIds) => streaming.service.revoke(sessionIds),
        })
      : undefined;

  const active = countRequests();
  const serverBuild = async (): Promise<string | null> => (await state.api.signIn.read()).serverBuild;
  const startedAtMs = now();
  const reads = createReadService({
    upstream,
    now,
    cacheSize: config.cacheSize,
    session: () => upstream.status,
    serverBuild,
    keepClock: (clock) => {
      state.api.signIn
        .clock(instanceId, clock)
        .catch((error: unknown) => log.warn('background_work_failed', { kind: 'keep clock', error }));
    },
    process: () => ({ inFlight: active.count(), sinceMs: startedAtMs }),
    operations: () => Object.keys(handlers),
    feed: () => streaming.poller.stats(),
  });
  /** Another broker has another clock. */
  const recallClock = ({ address, clock }: UpstreamCheckpoint): void => {
    if (clock && config.servers.some((server) => addressText(server) === address)) reads.clock.recall(clock);
  };
  if (checkpoint) recallClock(checkpoint);
  const trading = createTrading({
    upstream: notingWrites(upstream, reads.broker, reads.clock),
    broker: reads.broker,
    clock: reads.clock,
    state: state.api,
    instanceId,
    marketOrderPrice: config.marketOrderPrice,
    now,
    ...(options.settle ? { settle: options.settle } : {}),
    onUnsettled: (unsettled) => control?.noteActivity({ unsettled }),
    onError: (what, error) => log.warn('background_work_failed', { kind: what, error }),
  });
  let streams = 0;
  const performance = new Performance({
    inFlight: active.count,
    upstream: () => ({ ...upstream.stats }),
    profiling: config.profiling,
  });
  const handlers: RouteHandlers = {
    ...reads.handlers,
    ...trading.handlers,
    ...monitoringHandlers({
      broker: reads.broker,
      performance,
      serverBuild,
      streams: () => ({ clients: streams, maxClients: config.maxConnections, feed: streaming.poller.stats() }),
    }),
    ...serveBatch(() => typed),
  };
  const typed = new TypedApi(ROUTES, handlers);

  const authenticate: Authenticate =
    config.startSecret === undefined
      ? checkKeys(config.apiKeys ?? [], async (tokenHash) => {
          const session = await state.api.sessions.find(tokenHash);
          return session && callerOfSession(session);
        })
      : trustDoor(config.startSecret);
  const streaming = createStreaming({
    broker: reads.broker,
    clock: reads.clock,
    authenticate,
    sessions: state.api.sessions,
    maxConnections: config.maxConnections,
    onStreams: (count) => {
      streams = count;
      control?.noteActivity({ streams });
    },
    now,
    log,
    behindDoor: control !== undefined,
    ...(options.streamLimits ? { limits: options.streamLimits } : {}),
  });
  let draining = false;
  const onAnswer: AppOptions['onAnswer'] = (answer) => performance.note(answer);
  const hot = new HotAnswers({
    log,
    now,
    onAnswer,
    identify: config.startSecret === undefined ? identifyByKey : identifyByDoor(config.startSecret),
    epoch: () => upstream.status.epoch,
    draining: () => draining,
    size: config.cacheSize,
  });
  const app = createApp({
    log,
    now,
    authenticate,
    behindDoor: config.startSecret !== undefined,
    session: () => upstream.status,
    epoch: () => upstream.status.epoch,
    draining: () => draining,
    passthrough: servePassthrough(new Passthrough(upstream, trading.mutatePassthrough)),
    typed: serveRoutes(typed, hot),
    onAnswer,
    extra: streaming.paths,
  });

  const upgrades: Record<string, UpgradeHandler> = { ...streaming.upgrades };
  if (control) upgrades[INTERNAL_PATH.control] = (request, socket, head) => control.accept(request, socket, head);

  // Sane bounds against slow and oversized requests; keep-alive longer than that of common proxies (60 s).
  const server = createServer(
    { maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 65_000 },
    // What is kept is answered at once: it is never in flight.
    hot.before(active.around(app)),
  );
  server.on('clientError', answerClientError);
  server.on('upgrade', createUpgrades({ authenticate, handlers: upgrades, log, draining: () => draining }));
  const port = await listen(server, config.port, options.host);
  log.info('listening', { port, version: BRIDGE_VERSION, instanceId });
  if (state.where === 'here') {
    warm();
    trading.start();
  }

  const close = async (): Promise<void> => {
    draining = true;
    log.info('draining');
    // Clients come back to the next instance, and open event streams would hold up the end.
    streaming.close();
    await active.idle(REQUEST_GRACE_MS);
    await trading.close();
    await upstream.drain(GOODBYE_GRACE_MS);
    await state.api.signIn.released(instanceId).catch(() => undefined);
    performance.close();
    control?.close();
    state.close();
    server.close();
    server.closeAllConnections();
    log.info('stopped');
  };
  let closing: Promise<void> | undefined;
  return { port, log, upstream, trading, close: () => (closing ??= close()) };
}

function listen(server: Server, port: number, host: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** How many requests are being answered, and when none is. */
function countRequests(): {
  around: (listener: RequestListener) => RequestListener;
  count: () => number;
  idle: (graceMs: number) => Promise<void>;
} {
  let count = 0;
  let onIdle: (() => void) | undefined;
  return {
    around: (listener) => (request, response) => {
      count++;
      response.once('close', () => {
        if (--count === 0) onIdle?.();
      });
      listener(request, response);
    },
    count: () => count,
    idle: (graceMs) =>
      new Promise((resolve) => {
        if (count === 0) return resolve();
        const timer = setTimeout(resolve, graceMs);
        onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
}

function logSessionEvent(log: Logger, event: SessionEvent): void {
  const { type, ...fields } = event;
  if (event.type === 'sign_in_failed') log.error(event.kind === 'impostor' ? 'impostor_alert' : type, fields);
  else if (event.type === 'signed_in') log.info(type, fields);
  else if (event.type === 'closed' && event.cause === 'quit') log.info('session_closed', fields);
  else log.warn(event.type === 'closed' ? 'session_closed' : type, fields);
}
