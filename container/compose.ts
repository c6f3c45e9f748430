import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type Holding, answersForReplicas } from './cluster/holding.ts';
import { type OnUpgrade, ownTargets } from './http/broker-target.ts';
import { CallerLimit } from './http/caller-limit.ts';
import type { BreakerStatus } from './contract/breaker.ts';
import { build, type Parts, provenMemory } from './compose/build.ts';
import { keysOf } from './compose/keys-of.ts';
import { countSessionEvent } from './compose/figures.ts';
import type { StreamLimits } from './contract/frames.ts';
import { INTERNAL_PATH } from './contract/headers.ts';
import type { Logger } from './contract/logger.ts';
import { BRIDGE_VERSION } from './contract/version.ts';
import type { Config } from './host/config.ts';
import { createApp, type AppOptions } from './http/app.ts';
import { identifyByDoor, identifyByKey } from './http/authenticate.ts';
import { answerClientError } from './http/client-error.ts';
import { consolePage } from './http/console.ts';
import { HotAnswers } from './http/hot-answers.ts';
import { servePassthrough } from './http/passthrough.ts';
import { serveRoutes } from './http/serve-routes.ts';
import { createUpgrades, type UpgradeHandler } from './http/upgrades.ts';
import { Passthrough } from './service/broker/passthrough.ts';
import type { SettlePolicy } from './service/writes/settler.ts';
import type { WriteService } from './service/writes/write-service.ts';
import type { SessionPool } from './session/pool.ts';
import type { SessionTimings } from './session/session.ts';
import type { SessionEvent } from './session/status.ts';
import type { BridgeStateOptions } from './state/bridge-state.ts';
import type { UpstreamCheckpoint } from './state/state-api.ts';
import { addressText } from './transport/transport.ts';

/** Beside the program's folder, in the image as in the repository. */
export const CONSOLE_DIRECTORY = path.resolve(import.meta.dirname, '../dist/console');
/** Platforms send SIGKILL 10 s or more after SIGTERM: requests get most of that, goodbyes the rest. */
const REQUEST_GRACE_MS = 5_000;
/** For the answers to those whose orders take longer, a dealer's among them. */
const RELEASE_GRACE_MS = 500;
const GOODBYE_GRACE_MS = 1_500;
/** Asked to end before the Durable Object spoke to it: it is waited for, so that it learns of an end and not of a failed start. */
const GREETING_GRACE_MS = 2_000;
/** Bounds against slow and oversized requests; keep-alive longer than that of common proxies (60 s). */
const SERVER_LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  // Node looks for what is over its time so often only.
  connectionsCheckingInterval: 1_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
} as const;

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
  /** How often it is seen whether another process took the session over. */
  readonly fenceLookMs?: number;
  /** `false`: nothing is counted; the benchmark tells by it what counting costs. */
  readonly isCounted?: boolean;
  /** How often figures are kept. */
  readonly figuresEveryMs?: number;
  /** Receives log lines instead of standard output. */
  readonly writeLog?: (line: string) => void;
  /** Of several replicas, this one holds the session (compose/replica.ts). */
  readonly holding?: Holding;
  /** The process should end: another instance took over, or the Durable Object asks for it. */
  readonly onDrainAsked?: (reason: string) => void;
}

/** What is in a process beside its server: everything that a lone one is, and what a replica is once it holds. */
export interface Bridge {
  readonly parts: Parts;
  readonly request: RequestListener;
  readonly upgrade: OnUpgrade;
  /** Its server listens. */
  begin(): void;
  /** Finishes what is in flight, says goodbye to the broker, releases everything but the server. */
  close(): Promise<void>;
}

export interface RunningContainer {
  readonly port: number;
  readonly log: Logger;
  readonly upstream: SessionPool;
  readonly writes: WriteService;
  /** Finishes what is in flight, says goodbye to the server, releases everything. Idempotent, bounded. */
  close(): Promise<void>;
}

/** The container program: its parts are built, wired to each other, and listen. @throws ConfigError */
export async function startContainer(config: Config, options: ContainerOptions = {}): Promise<RunningContainer> {
  const bridge = await makeBridge(config, options);
  const { log, upstream, writes, instanceId } = bridge.parts;
  const server = createBridgeServer(bridge.request, bridge.upgrade);
  const port = await listen(server, { port: config.port, host: options.host ?? config.host });
  log.info('listening', { port, version: BRIDGE_VERSION, instanceId });
  bridge.begin();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await bridge.close();
    endServer(server);
    log.info('stopped');
  };
  return { port, log, upstream, writes, close: () => (closing ??= close()) };
}

/** Built and wired; it begins when it is told to. @throws ConfigError */
export async function makeBridge(config: Config, options: ContainerOptions): Promise<Bridge> {
  const parts = await build(config, options);
  wire(parts);
  return { parts, ...handlersOf(parts), begin: () => begin(parts), close: () => close(parts) };
}

/** Which part listens to which events. */
function wire(parts: Parts): void {
  const { events, log, upstream, control, calendar, writes, streaming, reads, figures, metrics, config, options } =
    parts;
  if (config.tls.mode === 'insecure')
    log.warn('insecure_tls', {
      reason: 'MT5_TLS=insecure: anyone on the way can pose as the broker. Use MT5_TLS=pin:<sha256> instead.',
    });
  events.on('session', (event) => {
    logSessionEvent(log, event);
    countSessionEvent(metrics, event);
    if (event.type !== 'signed_in') return;
    reads.broker.forgetBuild();
    streaming.poller.signedIn(event.epoch);
    calendar?.signedIn();
    parts.marginWatch?.start();
  });
  events.on('symbols', (names) => calendar?.used(names));
  events.on('circuit', (status) => circuitChanged(parts, status));
  events.on('activity', (change) => control?.noteActivity(change));
  events.on('ended', (ended) => {
    streaming.service.end(ended);
    options.holding?.ended(ended);
  });
  events.on('warm', () => warm(upstream));
  events.on('drain', (reason) => options.onDrainAsked?.(reason));
  events.on('handover', (checkpoint) => {
    if (checkpoint.address !== null) upstream.prefer(checkpoint.address);
    recallClock(checkpoint, { config, reads });
    warm(upstream);
    writes.start();
    figures.start();
  });
}

/** Log, journal, streams and the Durable Object are told; of a try only its end is. */
function circuitChanged(
  { log, state, instanceId, upstream, streaming, control }: Parts,
  { state: circuit, reason, retryAtMs }: BreakerStatus,
): void {
  control?.sendActivity();
  if (circuit === 'half_open') return;
  const isOpen = circuit === 'open';
  const said = isOpen ? `The broker’s circuit opened: ${reason}` : 'The broker answers again: its circuit closed.';
  if (isOpen) log.warn('circuit_open', { reason });
  else log.info('circuit_closed', {});
  streaming.poller.announce(isOpen ? 'circuit_open' : 'circuit_closed', { of: 'broker', detail: reason, retryAtMs });
  const entry = { event: 'circuit', reason: said, instanceId, epoch: upstream.status.epoch, phasesMs: null } as const;
  state.api.journal
    .add(entry)
    .catch((error: unknown) => log.warn('background_work_failed', { kind: 'journal', error }));
}

const warm = (upstream: SessionPool): void => void upstream.warm().catch(() => undefined);

/** Another broker has another clock. */
function recallClock({ address, clock }: UpstreamCheckpoint, { config, reads }: Pick<Parts, 'config' | 'reads'>): void {
  if (clock && config.servers.some((server) => addressText(server) === address)) reads.clock.recall(clock);
}

function handlersOf(parts: Parts): Pick<Bridge, 'request' | 'upgrade'> {
  const {
    config,
    now,
    log,
    upstream,
    commands,
    requests,
    control,
    writes,
    authenticate,
    addressOf,
    streaming,
    performance,
    typed,
  } = parts;
  const { state, events } = parts;
  const { holding } = parts.options;
  const { startSecret } = config;
  const epoch = (): number | null => upstream.status.epoch;
  const draining = (): boolean => requests.isDraining;
  const onAnswer: AppOptions['onAnswer'] = parts.options.isCounted === false ? () => undefined : performance.note;
  const limit = config.behindDoor ? undefined : new CallerLimit(config.rate, now);
  const hot = new HotAnswers({
    limit,
    log,
    now,
    onAnswer,
    identify:
      startSecret !== undefined
        ? identifyByDoor(startSecret)
        : state.where === 'here'
          ? identifyByKey(keysOf(state.local, config.broker, now), addressOf)
          : () => undefined,
    epoch,
    draining,
    size: config.cacheSize,
  });
  events.on('ended', () => hot.clear());
  const app = createApp({
    limit,
    log,
    now,
    authenticate,
    addressOf,
    behindDoor: config.behindDoor,
    session: () => upstream.status,
    ...(state.where === 'here' ? { memory: provenMemory(state.local, now), halt: () => state.local.haltReason } : {}),
    epoch,
    draining,
    passthrough: servePassthrough(new Passthrough(commands, writes.mutatePassthrough), config.customCommands),
    typed: serveRoutes(typed, hot),
    onAnswer,
    extra: { ...streaming.paths, ...(holding ? answersForReplicas(holding.fromReplica, state.api.sessions) : {}) },
    fromReplica: holding?.fromReplica,
    console: consolePage(CONSOLE_DIRECTORY),
  });
  const own = ownTargets(config.broker);
  const handlers: Record<string, UpgradeHandler> = { ...streaming.upgrades };
  if (control) handlers[INTERNAL_PATH.control] = (request, socket, head) => control.accept(request, socket, head);
  return {
    // What is kept is answered at once: it is never in flight.
    request: own.requests(hot.before(requests.around(app))),
    upgrade: own.upgrades(createUpgrades({ authenticate, addressOf, handlers, log, draining })),
  };
}

export function createBridgeServer(request: RequestListener, upgrade: OnUpgrade): Server {
  const server = createServer(SERVER_LIMITS, request);
  server.on('clientError', answerClientError);
  server.on('upgrade', upgrade);
  return server;
}

/** @returns the port */
export async function listen(server: Server, at: { readonly port: number; readonly host: string }): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(at, resolve);
  await promise;
  server.off('error', reject);
  return (server.address() as AddressInfo).port;
}

export function endServer(server: Server): void {
  server.close();
  server.closeAllConnections();
}

/** Another process on the same file took the session over, at most so long ago. */
const FENCE_LOOK_MS = 10_000;

/** Alone, the program begins by itself; behind the Worker, with the hand-over. */
function begin({ state, events, upstream, instanceId, log, requests, options, outbox }: Parts): void {
  if (state.where !== 'here') return;
  outbox?.start();
  const lookForSuccessor = async (): Promise<void> => {
    const { epoch } = upstream.status;
    const checkpoint = await state.api.signIn.read();
    if (epoch === null || checkpoint.epoch <= epoch || checkpoint.instanceId === instanceId) return;
    clearInterval(look);
    log.error('fenced', {
      reason: `Another process on this CHECKPOINT holds the session since epoch ${checkpoint.epoch}.`,
    });
    events.emit('drain', 'Another process holds the session.');
  };
  const look = setInterval(() => {
    if (requests.isDraining) clearInterval(look);
    else lookForSuccessor().catch((error: unknown) => log.warn('background_work_failed', { kind: 'fence', error }));
  }, options.fenceLookMs ?? FENCE_LOOK_MS);
  look.unref();
  void state.api.signIn.read().then((checkpoint) => events.emit('handover', checkpoint));
}

async function close(parts: Parts): Promise<void> {
  const { requests, log, streaming, writes, upstream, state, instanceId, figures, metrics, control, outbox } = parts;
  await Promise.race([state.ready, new Promise((resolve) => setTimeout(resolve, GREETING_GRACE_MS))]);
  requests.isDraining = true;
  log.info('draining');
  // Clients come back to the next instance, and open event streams would hold up the end.
  parts.marginWatch?.stop();
  streaming.close();
  await requests.idle(REQUEST_GRACE_MS);
  writes.release();
  await requests.idle(RELEASE_GRACE_MS);
  await writes.close();
  await upstream.drain(GOODBYE_GRACE_MS);
  await figures.close();
  await state.api.signIn.released(instanceId).catch(() => undefined);
  await outbox?.close();
  metrics.close();
  control?.close();
  state.close();
}

function logSessionEvent(log: Logger, event: SessionEvent): void {
  const { type, ...fields } = event;
  if (event.type === 'sign_in_failed') log.error(event.kind === 'impostor' ? 'impostor_alert' : type, fields);
  else if (event.type === 'signed_in') log.info(type, fields);
  else if (event.type === 'closed' && event.cause === 'quit') log.info('session_closed', fields);
  else log.warn(event.type === 'closed' ? 'session_closed' : type, fields);
}
