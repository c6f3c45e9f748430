import { randomUUID } from 'node:crypto';
import { asBridgeError, BridgeError } from '../contract/errors.ts';
import { Breaker } from '../contract/breaker.ts';
import type { Config } from '../host/config.ts';
import { configSecrets } from '../host/config.ts';
import { CalendarReader } from '../service/broker/trading-calendar.ts';
import { ControlChannel } from '../host/control-channel.ts';
import { createLog } from '../host/log.ts';
import { linkState, type StateLink } from '../host/state-link.ts';
import type { Logger } from '../contract/logger.ts';
import { postBatch } from '../contract/routes/batch.ts';
import type { adminOrigins, adminPolicy, adminSleep, adminWarm } from '../contract/routes/admin.ts';
import { ROUTES, type Route } from '../contract/routes.ts';
import { type AddressOf, checkKeys, trustDoor, trustSigner, type Authenticate } from '../http/authenticate.ts';
import { keysOf } from './keys-of.ts';
import { clientAddress } from '../http/client-address.ts';
import { serveBatch } from '../http/batch.ts';
import { Requests } from '../http/requests.ts';
import { TypedApi } from '../http/serve-routes.ts';
import { SymbolsInUse } from '../service/broker/symbols-in-use.ts';
import { notingWrites } from '../service/broker/noting-writes.ts';
import type { HandlersOf } from '../service/handler.ts';
import type { MarginWatch } from '../service/process/margin-watch.ts';
import { outboxHandlers } from '../service/outbox-handlers.ts';
import type { OutboxRoute } from '../outbox/outbox-answers.ts';
import { monitoringHandlers } from '../service/process/monitoring-handlers.ts';
import { FiguresKeeper } from '../service/process/figures-keeper.ts';
import { Performance } from '../service/process/performance.ts';
import { ProgramMetrics } from '../service/process/program-metrics.ts';
import { selfHandlers, statusOf, type SelfOptions } from '../service/process/self-handlers.ts';
import { createReadService, type ReadService } from '../service/reads/read-service.ts';
import { createWriteService, type WriteService } from '../service/writes/write-service.ts';
import { SessionPool } from '../session/pool.ts';
import type { Upstream } from '../session/upstream.ts';
import { SESSION_TIMINGS } from '../session/session.ts';
import { UpstreamBreaker } from '../session/upstream-breaker.ts';
import type { BridgeState } from '../state/bridge-state.ts';
import { callerOfSession } from '../state/consumer-session-view.ts';
import { ObservedTransport } from '../transport/observed-transport.ts';
import { UndiciTransport } from '../transport/undici-transport.ts';
import { passwordHash } from '../webapi/handshake.ts';
import type { Holding } from '../cluster/holding.ts';
import type { ContainerOptions } from '../compose.ts';
import { REFERENCE_CLASSES } from '../contract/reference-data.ts';
import type { Broker } from '../service/broker/broker.ts';
import { BridgeEmitter } from './events.ts';
import { collectFigures, countedLedger, metricsText, programFacts } from './figures.ts';
import { archiveSource } from './archive-source.ts';
import { createMarginWatch } from './margin-watch.ts';
import { createOwnOutbox, type OwnOutbox } from './outbox.ts';
import { signInGate } from './sign-in-gate.ts';
import { createStreaming, type Streaming } from './streaming.ts';

/** Everything that the program is made of. */
export interface Parts {
  readonly config: Config;
  readonly options: ContainerOptions;
  readonly now: () => number;
  readonly instanceId: string;
  readonly log: Logger;
  readonly events: BridgeEmitter;
  readonly requests: Requests;
  readonly state: StateLink;
  /** Of the broker. */
  readonly breaker: Breaker;
  readonly upstream: SessionPool;
  /** The same for commands: where the sleep policy goes by what is in use, they are heard. */
  readonly commands: Upstream;
  readonly control: ControlChannel | undefined;
  /** Only where somebody decides by it. */
  readonly calendar: CalendarReader | undefined;
  readonly reads: ReadService;
  readonly writes: WriteService;
  readonly authenticate: Authenticate;
  /** The client of a request. */
  readonly addressOf: AddressOf;
  readonly streaming: Streaming;
  readonly metrics: ProgramMetrics;
  readonly figures: FiguresKeeper;
  readonly performance: Performance;
  readonly typed: TypedApi;
  /** Where the Worker does not hold it. */
  readonly outbox: OwnOutbox | undefined;
  /** Where somebody asked for it. */
  readonly marginWatch: MarginWatch | undefined;
}

/** Constructs every part from those before it; nothing runs yet. @throws ConfigError */
export async function build(config: Config, options: ContainerOptions): Promise<Parts> {
  const { now = Date.now, holding } = options;
  const instanceId = randomUUID();
  const events = new BridgeEmitter();
  const requests = new Requests();
  const log = createLog({
    level: config.logLevel,
    secrets: configSecrets(config),
    now,
    ...(options.writeLog ? { write: options.writeLog } : {}),
  });
  const state = linkState(config, log, {
    now,
    random: options.random ?? Math.random,
    broker: config.broker,
    outbox: { whenFull: config.auditDir === undefined ? 'drop' : config.outboxFull },
    onEnded: (ended) => events.emit('ended', [ended]),
    ...(holding ? { fence: holding.fence, distrust: holding.distrust } : {}),
    ...(options.signIn ? { signIn: options.signIn } : {}),
  });
  const metrics = new ProgramMetrics(now);
  const breaker = new Breaker({ ...BROKER_BREAKER, onChange: (status) => events.emit('circuit', status) });
  const base = { config, options, now, instanceId, log, events, requests, state, metrics, breaker };
  const upstream = await buildUpstream(base);
  const control =
    state.where === 'durable_object'
      ? new ControlChannel({
          ...base,
          state: state.api,
          session: () => upstream.status,
          breaker: () => breaker.status,
          listeningAfterMs: () => globalThis.performance.now(),
        })
      : undefined;
  const commands = control ? symbolsInUse(base).hearing(upstream) : upstream;
  const reads = buildReads(base, commands, () => writes.running > 0);
  const calendar = control && buildCalendar(base, reads, control);
  const writes: WriteService = buildWriteService(base, commands, reads);
  const outbox = buildOutbox(base, reads, () => writes.running > 0);
  const authenticate = countingRefused(buildAuthentication(base), outbox);
  const addressOf = addressesOf(base);
  const streaming = createStreaming({
    addressOf,
    broker: reads.broker,
    clock: reads.clock,
    authenticate,
    sessions: state.api.sessions,
    maxConnections: config.maxConnections,
    onStreams: (streams) => events.emit('activity', { streams }),
    onGaps: outbox?.gaps,
    now,
    log,
    isHub: control ? () => true : holding?.fromReplica,
    upstreamPerSecond: config.upstreamPerSecond,
    ...(options.streamLimits ? { limits: options.streamLimits } : {}),
  });
  const marginWatch = createMarginWatch({ config, state: state.api.margin, reads, streaming, now, log });
  const measured = { ...base, upstream, reads, streaming };
  collectFigures(measured);
  const figures = new FiguresKeeper({
    instanceId,
    state: state.api.figures,
    metrics: metrics.registry,
    facts: () => programFacts(measured),
    now,
    everyMs: options.figuresEveryMs,
    onError: (error) => log.warn('background_work_failed', { kind: 'tell figures', error }),
  });
  const performance = new Performance({
    metrics,
    inFlight: () => requests.count,
    upstream: () => ({ ...upstream.stats }),
    profiling: config.profiling,
  });
  const typed = buildTypedApi({ ...measured, writes, performance, figures, outbox });
  const known = { ...measured, addressOf, authenticate, outbox, marginWatch };
  return { ...known, commands, control, calendar, writes, figures, performance, typed };
}

type Base = Pick<
  Parts,
  'config' | 'options' | 'now' | 'instanceId' | 'log' | 'events' | 'requests' | 'state' | 'metrics' | 'breaker'
>;

/** Five in a row are no accident; a server that restarts needs some seconds, and one call each ten costs it nothing. */
const BROKER_BREAKER = { failures: 5, firstOpenMs: 1_000, longestOpenMs: 10_000 } as const;

async function buildUpstream(base: Base): Promise<SessionPool> {
  const { config, options, now, instanceId, events, state, metrics, breaker } = base;
  // Behind the Worker the checkpoint comes with the hand-over.
  const checkpoint = state.where === 'here' ? await state.api.signIn.read() : undefined;
  const transport = new UndiciTransport({ tls: config.tls, ...(config.proxy ? { proxy: config.proxy } : {}) });
  return new SessionPool({
    transport: options.isCounted === false ? transport : new ObservedTransport(transport, metrics.exchanged),
    gate: signInGate(state.api, instanceId, state.ready),
    addresses: config.servers,
    credentials: { login: config.login, passwordHash: passwordHash(config.password), agent: config.agent },
    timings: { ...SESSION_TIMINGS, ...options.timings },
    max: config.poolMax,
    dealers: config.dealerConnections,
    perSecond: config.upstreamPerSecond,
    breaker: new UpstreamBreaker(breaker, now),
    preferredAddress: checkpoint?.address ?? undefined,
    now,
    random: options.random ?? Math.random,
    onEvent: (event) => events.emit('session', event),
    onStatus: () => events.emit('activity', {}),
  });
}

const serverBuildOf =
  ({ state }: Base) =>
  async (): Promise<string | null> =>
    (await state.api.signIn.read()).serverBuild;

const symbolsInUse = ({ state, now, log, events }: Base): SymbolsInUse =>
  new SymbolsInUse({
    state: state.api.symbols,
    now,
    onUsed: (names) => events.emit('symbols', names),
    onError: (error) => log.warn('background_work_failed', { kind: 'note symbols', error }),
  });

function buildReads(base: Base, upstream: Upstream, isWriting: () => boolean): ReadService {
  const { config, now, instanceId, log, state } = base;
  return createReadService({
    upstream,
    now,
    cacheSize: config.cacheSize,
    atOnce: Math.max(1, config.poolMax - 1),
    isWriting,
    serverBuild: serverBuildOf(base),
    keepClock: (clock) => {
      state.api.signIn
        .clock(instanceId, clock)
        .catch((error: unknown) => log.warn('background_work_failed', { kind: 'keep clock', error }));
    },
  });
}

function buildWriteService(base: Base, upstream: Upstream, reads: ReadService): WriteService {
  const { config, options, now, instanceId, log, events, state, metrics } = base;
  return createWriteService({
    upstream: notingWrites(upstream, tellingBroker(reads.broker, options.holding), reads.clock),
    broker: reads.broker,
    many: reads.many,
    clock: reads.clock,
    state: countedLedger(state.api, metrics),
    instanceId,
    marketOrderPrice: config.marketOrderPrice,
    now,
    ...(options.settle ? { settle: options.settle } : {}),
    onUnsettled: (unsettled) => events.emit('activity', { unsettled }),
    onError: (what, error) => log.warn('background_work_failed', { kind: what, error }),
  });
}

function addressesOf({ config, options }: Base): AddressOf {
  const own = clientAddress(config.trustedProxies);
  return options.holding?.addressOf(own) ?? own;
}

/** The other replicas forget with this one. */
function tellingBroker(broker: ReadService['broker'], holding: Holding | undefined): Pick<Broker, 'forgetReads'> {
  if (!holding) return broker;
  return {
    forgetReads: (...kinds) => {
      broker.forgetReads(...kinds);
      const classes = REFERENCE_CLASSES.filter((one) => kinds.includes(one));
      if (classes.length > 0) holding.changed(classes);
    },
  };
}

/** Anybody may ask whether the bridge is ready; a write is made for it so often at most. */
const PROVE_EVERY_MS = 2_000;

/** @returns why the memory cannot be written to, `null` if it can */
export function provenMemory(state: BridgeState, now: () => number): () => string | null {
  let provenAtMs = -Infinity;
  return () => {
    if (Math.abs(now() - provenAtMs) < PROVE_EVERY_MS) return null;
    try {
      state.prove();
      provenAtMs = now();
      return null;
    } catch (error) {
      return asBridgeError(error).context.detail;
    }
  };
}

function buildAuthentication({ config, state, now }: Base): Authenticate {
  if (config.startSecret !== undefined) return trustDoor(config.startSecret);
  if (config.doorKey !== undefined) return trustSigner(config.doorKey, now);
  if (state.where !== 'here') throw new Error('without a door the state is here');
  return checkKeys(keysOf(state.local, config.broker, now), async (tokenHash) => {
    const session = await state.api.sessions.find(tokenHash);
    return session && callerOfSession(session);
  });
}

function buildCalendar(
  { config, state, now, log }: Base,
  { broker, clock }: ReadService,
  control: ControlChannel,
): CalendarReader {
  return new CalendarReader({
    broker,
    clock,
    symbols: config.calendarSymbols,
    inUse: () => state.api.symbols.inUse(),
    now,
    tell: (told) => control.sendCalendar(told),
    onError: (error) => log.warn('background_work_failed', { kind: 'read calendar', error }),
  });
}

/** Behind the Worker, a Durable Object is it. */
const buildOutbox = (
  { state, config, now, log }: Base,
  reads: ReadService,
  isWriting: () => boolean,
): OwnOutbox | undefined =>
  state.where === 'here'
    ? createOwnOutbox({ ...config, archiveSource: archiveSource(reads, now), isWriting, state, now, log })
    : undefined;

/** Keys and tokens that open nothing are counted. */
function countingRefused(authenticate: Authenticate, outbox: OwnOutbox | undefined): Authenticate {
  if (!outbox) return authenticate;
  const counted = (error: unknown): never => {
    if (error instanceof BridgeError && error.code === 'unauthenticated') outbox.refused();
    throw error;
  };
  return (header, from) => {
    try {
      const caller = authenticate(header, from);
      return caller instanceof Promise ? caller.catch(counted) : caller;
    } catch (error) {
      return counted(error);
    }
  };
}

/** All routes but those about the container, which its holder alone can answer, and those of the outbox where it is elsewhere. */
type ServedRoute = Exclude<
  Route,
  OutboxRoute | typeof adminPolicy | typeof adminOrigins | typeof adminWarm | typeof adminSleep
>;

type Typed = Base & Pick<Parts, 'upstream' | 'reads' | 'writes' | 'streaming' | 'performance' | 'figures' | 'outbox'>;

/** Every route that this program serves. The batch serves the others. */
function buildTypedApi(parts: Typed): TypedApi {
  const { config, now, requests, upstream, reads, writes, streaming, performance, figures, metrics, outbox } = parts;
  const startedAtMs = now();
  const about: Omit<SelfOptions, 'operations'> = {
    broker: config.broker,
    session: () => upstream.status,
    breaker: () => parts.breaker.status,
    now,
    process: () => ({
      sinceMs: startedAtMs,
      inFlight: requests.count,
      streams: streaming.service.streams,
      unsettled: writes.unsettled,
    }),
    ledger: parts.state.api.operations,
    serverBuild: serverBuildOf(parts),
    report: () => figures.report(),
    audit: () => outbox?.outbox.backlog ?? null,
    cluster: () => parts.options.holding?.status() ?? null,
  };
  const own = {
    ...(outbox ? outboxHandlers(outbox.outbox) : {}),
    ...reads.handlers,
    ...writes.handlers,
    ...monitoringHandlers({
      broker: reads.broker,
      performance,
      metrics: async () => metricsText(metrics, { ...(await statusOf(about)), outbox: outbox?.outbox.figures }, now()),
      serverBuild: serverBuildOf(parts),
      streams: () => ({
        clients: streaming.service.streams,
        maxClients: config.maxConnections,
        feed: streaming.poller.stats(),
      }),
    }),
  };
  const self = selfHandlers({ ...about, operations: [...Object.keys(own), postBatch.id] });
  const single: HandlersOf<Exclude<ServedRoute, typeof postBatch>> = { ...own, ...self };
  return new TypedApi(ROUTES, { ...single, ...serveBatch(new TypedApi(ROUTES, single)) });
}
