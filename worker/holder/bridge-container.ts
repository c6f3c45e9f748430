import { Container } from '@cloudflare/containers';
import type { Actor, OutboxFigures } from '../../container/contract/events.ts';
import { type Caller, endedKey } from '../../container/contract/keys.ts';
import type { MetricsSnapshot } from '../../container/contract/metrics/registry.ts';
import { BridgeState } from '../../container/state/bridge-state.ts';
import type { Counts } from '../../container/state/cost/usage.ts';
import { type PlainAnswer, storedAnswer } from '../../container/state/operation-view.ts';
import { STATE_ANSWERS, type StateRoute } from '../../container/state/state-answers.ts';
import type { ConsumerSession } from '../../container/state/state-api.ts';
import { type BridgeStatus, bridgeStatus, budgetWarnings } from './bridge-status.ts';
import { classifyPlatformError } from './platform-errors.ts';
import { CONTAINER_PORT, type ContainerControl, containerControl, START_LIMITS } from './container-control.ts';
import { containerEnv, newStartSecret } from './container-env.ts';
import { forwardRequest } from './forward-request.ts';
import { costSettings } from './cost-settings.ts';
import { HolderKeys } from './holder-keys.ts';
import { HolderMetrics, requestsIn } from './holder-metrics.ts';
import { holderReference } from './reference/holder-reference.ts';
import { HEARTBEAT_TIMINGS, type HeartbeatTimings } from './heartbeat.ts';
import { InFlight } from './in-flight.ts';
import type { Instance } from './instance.ts';
import { DEATHS, Lifecycle, type LifecycleRecord, type StartReason } from './lifecycle.ts';
import { type Broker, doorConfig } from '../config.ts';
import { logEvent } from '../log.ts';
import { ownBroker, ownName } from '../own-place.ts';
import { hubOf } from '../stubs.ts';
import type { CountsByClass, ReferenceState } from '../reference-wire.ts';
import { withContainer } from './no-container.ts';
import { MemoryProof } from './memory-proof.ts';
import { buildOrigins, fetchVps } from './origin/build-origins.ts';
import { type ForwardRequest, readForwardRequest } from './origin/forward-to-origin.ts';
import type { Origin } from './origin/origin.ts';
import type { Origins, OriginsView } from './origin/origins.ts';
import { RETURN_TIMINGS, type ReturnTimings } from './origin/return-to-primary.ts';
import type { CronFiring } from './policy/cron-watch.ts';
import { endWhenIdle } from './end-when-idle.ts';
import { SLEEP_AFTER_PATTERN } from './sleep-policy.ts';
import { Succession } from './succession.ts';
import type { StreamHub } from '../hub/stream-hub.ts';
import { type PlainInput, type Told, told } from '../told.ts';
import { StorageSql } from '../storage-sql.ts';
import { tellOutbox, toldBy } from './telling.ts';
import { startForUnsettled } from './start-for-unsettled.ts';
import { warmUp } from './warm-up.ts';
import { policySettings, type PolicyView, Wakefulness } from './wakefulness.ts';

const LIFECYCLE_KEY = 'bridge:lifecycle';

/**
 * Owns the container and remembers what must not be forgotten. Composes the plain classes beside it; what each of them
 * does is in its own file.
 */
export class BridgeContainer extends Container<Env> {
  override defaultPort = CONTAINER_PORT;
  override pingEndpoint = 'container/healthz';
  override sleepAfter = SLEEP_AFTER_PATTERN.test(this.env.SLEEP_AFTER) ? this.env.SLEEP_AFTER : '10m';

  readonly #sql = new StorageSql(this.ctx.storage);
  readonly #state: BridgeState;
  readonly #lifecycle: Lifecycle;
  readonly #instance: Instance;
  readonly #origins: Origins;
  readonly #succession: Succession;
  readonly #wakefulness: Wakefulness;
  readonly #memory: MemoryProof;
  readonly #metrics: HolderMetrics;
  readonly #inFlight = new InFlight();
  readonly #name = ownName(this.ctx);
  readonly #keys: HolderKeys;
  readonly #pump: ReturnType<typeof tellOutbox>;
  readonly #reference = holderReference(this.ctx, this.#sql, this.env, this.#name, {
    now: () => this.now(),
    isAwake: () => this.#origins.current.isAlive,
  });
  #activityChanged = Promise.withResolvers<void>();

  constructor(ctx: DurableObjectState<object>, env: Env) {
    super(withContainer(ctx), env);
    const onFault = (kind: string, error: unknown): void => logEvent('fault', { kind, error }, 'error');
    this.#state = new BridgeState(this.#sql, {
      now: () => this.now(),
      cost: costSettings({ ...env }),
      warn: (message) => logEvent('state', { reason: message }, 'warn'),
      ...toldBy(env, this.#name),
      onEnded: (ended) => {
        this.#origins.send({ type: 'ended', ended: [ended] });
        ctx.waitUntil(this.#hub().ended([ended]));
        // The variable may change a key while this object is being made.
        if (ended.startsWith(endedKey(''))) ctx.waitUntil(Promise.resolve().then(() => this.#keys.tellOthers()));
      },
    });
    const again = (delayMs: number): void => ctx.waitUntil(this.#scheduleOnce('tell', delayMs));
    this.#pump = tellOutbox({ env, name: this.#name, outbox: this.#state.outbox, again });
    this.#memory = new MemoryProof(this.#state);
    this.#metrics = new HolderMetrics({ kv: ctx.storage.kv, now: () => this.now() });
    this.#lifecycle = new Lifecycle({
      read: () => ctx.storage.kv.get<LifecycleRecord>(LIFECYCLE_KEY),
      write: (record) => ctx.storage.kv.put(LIFECYCLE_KEY, record),
      journal: this.#metrics.counting(this.#state.journal),
      now: () => this.now(),
      newSecret: newStartSecret,
    });
    this.#wakefulness = new Wakefulness({
      kv: ctx.storage.kv,
      settings: policySettings({ ...env }, this.sleepAfter),
      journal: this.#state.journal,
      now: () => this.now(),
      activity: () => this.#origins.activity,
      schedule: (delayMs) => this.#scheduleOnce('wake', delayMs),
    });
    const { origins, instance } = this.#buildOrigins(onFault);
    this.#origins = origins;
    this.#instance = instance;
    this.#succession = new Succession({
      kv: ctx.storage.kv,
      name: this.#name,
      hasLived: ctx.storage.kv.get(LIFECYCLE_KEY) !== undefined,
      state: this.#state,
      objectOf: (name) => env.BRIDGE.getByName(name),
      onFault,
    });
    ctx.waitUntil(this.#succession.begin());
    this.#keys = new HolderKeys({
      env,
      kv: ctx.storage.kv,
      name: this.#name,
      keys: this.#state.keys,
      now: () => this.now(),
      onFault,
    });
    ctx.waitUntil(this.#keys.fresh());
    // A write may have been under way when the last object of this name ended: nobody has to ask for it to be settled.
    if (!origins.resume(instance)) ctx.waitUntil(this.#processChanged(null, origins.current));
  }

  /** Everything that goes through to the container: requests of the door, streams of the hub. */
  override async fetch(request: Request): Promise<Response> {
    this.count();
    const forward = await readForwardRequest(request);
    return this.#reference.around(forward.headers, (behind) => this.#forward(forward, behind));
  }

  #forward(forward: ForwardRequest, behind: boolean): Promise<Response> {
    return forwardRequest(forward, behind, {
      origins: this.#origins,
      lifecycle: this.#lifecycle,
      succession: this.#succession,
      wakefulness: this.#wakefulness,
      inFlight: this.#inFlight,
      metrics: this.#metrics,
      state: this.#state,
      renewActivityTimeout: () => this.renewActivityTimeout(),
      now: () => this.now(),
    });
  }

  /** For the doors, which tell how many reads of reference data they have answered since they last asked. */
  referenceState(answered: CountsByClass): ReferenceState {
    this.count();
    return this.#reference.state(answered);
  }

  /** Starts what sleeps, renews what runs, and leaves a session ready or a known reason why not. */
  async warm(reason: StartReason, cron?: CronFiring, by?: Actor): Promise<Told<BridgeStatus>> {
    if (by) this.#state.outbox.tell({ type: 'admin.warm', by, data: {} });
    if (cron) this.#wakefulness.cronFired(cron);
    await this.#wakefulness.look();
    if (reason === 'cron' && this.#wakefulness.sleepsByPlan()) return told(() => this.status());
    return told(async () => {
      await warmUp({
        origins: this.#origins,
        reason,
        renewActivityTimeout: () => this.renewActivityTimeout(),
        activityChanged: () => this.#activityChanged.promise,
      });
      return this.status();
    });
  }

  /** Asks the container to finish and end. */
  async sleep(by?: Actor): Promise<BridgeStatus> {
    if (by) this.#state.outbox.tell({ type: 'admin.sleep', by, data: {} });
    await this.#origins.stop('admin');
    return this.status();
  }

  /** What the sleep policy says and why. Starts nothing, renews nothing. */
  async policy(): Promise<PolicyView> {
    await this.#wakefulness.look();
    return this.#wakefulness.view();
  }

  /** Both origins, and which of them answers. */
  origins(): OriginsView {
    return this.#origins.view();
  }

  /** Called by the library's schedule, before the container is needed. */
  async wake(): Promise<void> {
    if (this.#succession.isRetired || !(await this.#wakefulness.due())) return;
    const warmed = await this.warm('policy');
    if (!warmed.ok) await this.#wakefulness.failed(warmed.context.detail ?? warmed.code);
  }

  /** Called by the library's schedule: the outbox was not to be had. */
  tell(): Promise<void> {
    return this.#pump.run();
  }

  /** Another object holds the session from now on: the container ends, and nothing but a request starts it again. */
  async retire(): Promise<void> {
    this.#succession.isRetired = true;
    await this.#origins.stop('admin');
  }

  /** What this object knows of a write, for the one that holds the session after it. */
  async knownWrite(caller: string, key: string): Promise<PlainAnswer | null> {
    const operation = await this.#state.operations.get(caller, key);
    return operation && storedAnswer(operation);
  }

  /** Something was asked of this object, and what else there was to count: by the hub, which has counts of its own. */
  count(counts: Counts = {}): void {
    this.#state.cost.count({ ...this.#sql.takeRows(), ...counts, objectRequests: (counts.objectRequests ?? 0) + 1 });
  }

  /** Starts nothing but what a wake-up that was missed should have started; renews nothing. */
  async status(): Promise<BridgeStatus> {
    this.count();
    const nowMs = this.now();
    // Where the memory cannot be written to, the status says so.
    await this.#wakefulness.look().catch((error: unknown) => logEvent('fault', { kind: 'wake-up', error }));
    return bridgeStatus({
      warnings: [...this.#wakefulness.warnings(), ...budgetWarnings(this.#state.cost)],
      memory: this.#memory.fault(nowMs),
      halt: this.#state.haltReason,
      record: this.#lifecycle.record,
      activity: this.#origins.activity,
      serving: this.#origins.serving,
      checkpoint: await this.#state.signIn.read(),
      operations: await this.#state.operations.waiting(),
      report: this.#state.figures.lastNow(),
      plan: this.#wakefulness.verdict(),
      inFlight: this.#inFlight.count(nowMs),
      road: this.#origins.road,
      nowMs,
    });
  }

  /** The text of `/metrics`, with what the outbox told. Starts nothing, renews nothing. */
  async metrics(outbox?: OutboxFigures): Promise<string> {
    return this.#metrics.text(this.#state.figures.lastNow(), { ...(await this.status()), outbox });
  }

  /** What a door or the hub counted since it told last. */
  figuresTold(part: 'door' | 'hub', deltas: MetricsSnapshot, clients?: number): void {
    this.count({ workerRequests: requestsIn(deltas) });
    this.#metrics.told(part, deltas, clients);
  }

  /** Every key that opens something, for the doors, as JSON; and which of them they have seen used. */
  apiKeys(used: readonly string[]): string {
    this.count();
    for (const id of used) this.#state.keys.used(id);
    return this.#keys.tell();
  }

  /** The object that keeps the keys tells them. */
  keysTold(text: string): void {
    this.#keys.told(text);
  }

  /** By the token's hash. */
  async findSession(tokenHash: string): Promise<ConsumerSession | null> {
    this.count();
    await this.#keys.fresh();
    return this.#state.sessions.find(tokenHash);
  }

  /** Which of these token hashes still stand for a session; for the streams of the hub. */
  async validSessions(tokenHashes: readonly string[]): Promise<string[]> {
    await this.#keys.fresh();
    const found = await Promise.all(tokenHashes.map((hash) => this.#state.sessions.find(hash)));
    return tokenHashes.filter((_, i) => found[i] !== null);
  }

  /** A route that the state alone can answer, as JSON text. `input` has passed the route's schemas. */
  answer(operationId: StateRoute['id'], input: PlainInput, caller: Caller, by?: Actor): Promise<Told<string>> {
    this.count();
    // The next sign-in may be to a server that is another by now.
    if (operationId === 'adminSignInReset') this.#reference.invalidate();
    const actor = by ?? { caller: caller.id };
    return told(async () => JSON.stringify(await STATE_ANSWERS[operationId](this.#state, input, caller, actor)));
  }

  override onStop({ exitCode }: { exitCode: number }): Promise<void> {
    return this.#instance.hookEnded({ kind: 'exited', exitCode });
  }

  /** Told of start failures (which `Instance` hears of anyway) and of ends whose text the library does not know. */
  override onError(error: unknown): Promise<void> {
    return this.#instance.hookEnded(classifyPlatformError(error));
  }

  override async onActivityExpired(): Promise<void> {
    this.count();
    await endWhenIdle({
      instance: this.#instance,
      record: this.#lifecycle.record,
      verdict: this.#wakefulness.idleVerdict(),
      inFlight: this.#inFlight.count(this.now()),
      pauseStreams: (forMs) => this.#hub().pauseFor(forMs),
      nowMs: this.now(),
    });
  }

  /** The clock of everything that is stored; a test sets another. */
  protected now(): number {
    return Date.now();
  }

  /** A test is less patient. */
  protected heartbeatTimings(): HeartbeatTimings {
    return HEARTBEAT_TIMINGS;
  }

  /** A test is less patient. */
  protected returnTimings(): ReturnTimings {
    return RETURN_TIMINGS;
  }

  /** A test has a VPS of its own. */
  protected vpsFetch(url: string, init: RequestInit): Promise<Response> {
    return fetchVps(this.env, url, init);
  }

  #broker(): Broker {
    return ownBroker(this.#name, doorConfig(this.env));
  }

  #hub(): DurableObjectStub<StreamHub> {
    return hubOf(this.env, doorConfig(this.env), this.#broker());
  }

  #buildOrigins(onFault: (kind: string, error: unknown) => void): ReturnType<typeof buildOrigins> {
    const { ctx, env } = this;
    return buildOrigins({
      env,
      state: this.#state,
      kv: ctx.storage.kv,
      container: this.#containerControl(),
      lifecycle: this.#lifecycle,
      heartbeat: this.heartbeatTimings(),
      returning: this.returnTimings(),
      inFlight: this.#inFlight,
      announce: (event, data) => ctx.waitUntil(this.#hub().announce(event, data)),
      onProcess: (instanceId, origin) => this.#processChanged(instanceId, origin),
      onActivity: () => {
        this.#activityChanged.resolve();
        this.#activityChanged = Promise.withResolvers();
      },
      onCalendar: (calendar) => this.#wakefulness.learn(calendar),
      onDead: (death) => {
        this.#inFlight.abort(new Error('network connection lost'));
        ctx.waitUntil(this.#hub().containerLost(DEATHS[death]));
      },
      onFault,
      broker: () => this.#broker(),
      vpsFetch: (url, init) => this.vpsFetch(url, init),
      now: () => this.now(),
    });
  }

  #containerControl(): ContainerControl {
    return containerControl(withContainer(this.ctx).container, {
      start: (envVars) => this.startAndWaitForPorts({ startOptions: { envVars }, cancellationOptions: START_LIMITS }),
      envVars: (startSecret) => containerEnv(doorConfig(this.env).variablesOf(this.#broker()), startSecret),
      stop: () => this.stop('SIGTERM'),
      destroy: () => this.destroy(),
    });
  }

  /** What other processes left as `sending` is unknown now; a process must be there to look it up in the books. */
  async #processChanged(instanceId: string | null, origin: Origin): Promise<void> {
    const isCurrent = origin === this.#origins.current;
    await this.#state.operations.orphan(isCurrent ? instanceId : this.#origins.current.instanceId);
    if (instanceId !== null || !isCurrent || this.#succession.isRetired) return;
    const { stopReason } = this.#lifecycle.record;
    await this.#wakefulness.ended(stopReason === 'sleep' || stopReason === 'admin');
    this.ctx.waitUntil(startForUnsettled(this.#state, () => this.#origins.ensure('unsettled operations')));
  }

  /** The library's schedule, in place of what was scheduled before. */
  async #scheduleOnce(method: 'wake' | 'tell', delayMs: number): Promise<void> {
    this.deleteSchedules(method);
    await this.schedule(Math.ceil(delayMs / 1000), method);
  }
}
