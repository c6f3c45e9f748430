import type { BreakerStatus } from '../../container/contract/breaker.ts';
import type { Activity } from '../../container/contract/control.ts';
import type { StatusAnswer, StatusWarning } from '../../container/contract/routes/server.ts';
import type { FiguresReport } from '../../container/contract/figures.ts';
import { circuitStatus, isHeldBack, originStatus } from '../../container/contract/schemas/status.ts';
import { followedNow, toldFacts } from '../../container/contract/told-facts.ts';
import { verdictOf } from '../../container/contract/verdict.ts';
import type { UpstreamCheckpoint, WaitingOperations } from '../../container/state/state-api.ts';
import type { Cost } from '../../container/state/cost/cost.ts';
import { DEATHS, type LifecycleRecord } from './lifecycle.ts';
import type { PolicyVerdict } from './policy/awake.ts';
import type { Serving } from './origin/origins.ts';

/** The whole road as last known: told without starting anything. */
export type BridgeStatus = StatusAnswer;

export interface StatusFacts {
  readonly record: LifecycleRecord;
  /** Why nothing can be written down now. */
  readonly memory: string | null;
  /** Why everybody's trading is halted. */
  readonly halt: string | null;
  readonly activity: Activity | null;
  readonly checkpoint: UpstreamCheckpoint;
  readonly operations: WaitingOperations;
  /** What a container told last. */
  readonly report: FiguresReport | null;
  readonly plan: PolicyVerdict;
  readonly inFlight: number;
  /** The circuit breaker of the road to the origin that answers. */
  readonly road: BreakerStatus;
  readonly warnings: readonly StatusWarning[];
  /** Which origin answers. */
  readonly serving: Serving;
  readonly nowMs: number;
}

/** What the month costs beyond `BUDGET_USD`. */
export function budgetWarnings(cost: Pick<Cost, 'warning'>): StatusWarning[] {
  const told = cost.warning();
  if (told === null) return [];
  const { state, sinceMs, reason } = told;
  return [{ code: `budget_${state}`, since: new Date(sinceMs).toISOString(), sinceMs, reason }];
}

/** The broker refuses or cannot be reached: a request now would be told so. */
const NOT_READY: ReadonlySet<string> = new Set(['refused', 'unreachable', 'backoff', 'draining']);

export function bridgeStatus(facts: StatusFacts): BridgeStatus {
  const session = sessionStatus(facts);
  // What the container does is no matter where another origin answers.
  const isContainer = facts.serving.name === 'container';
  const broken = isContainer && facts.record.state === 'stopped' && facts.record.failedStarts > 0;
  const { stopReason } = facts.record;
  const death =
    isContainer && facts.record.state === 'stopping' && (stopReason === 'frozen' || stopReason === 'port gone');
  const broker = facts.activity?.breaker;
  const held = [facts.road, broker].find((circuit) => isHeldBack(circuit, facts.nowMs));
  const notReady = facts.memory !== null || broken || death || held !== undefined || NOT_READY.has(session.state);
  const reason = (): string | null => {
    if (facts.memory !== null) return facts.memory;
    if (death) return DEATHS[stopReason];
    if (broken) return facts.record.lastFault;
    if (held) return held.reason;
    if (notReady) return session.reason ?? session.state;
    return facts.halt === null ? null : `Trading is halted: ${facts.halt}`;
  };
  const { halt: halted, operations, report, nowMs } = facts;
  const isThere = isContainer ? facts.record.state === 'running' : facts.activity !== null;
  const circuits = { broker: broker ? circuitStatus(broker) : null, road: circuitStatus(facts.road) };
  const told = { ready: !notReady, reason: reason(), session, halted, circuits };
  return {
    ...verdictOf({
      ...told,
      isFallback: facts.serving.name === 'fallback',
      operations: { ...operations.needLook, unsettled: operations.unsettled },
      followed: followedNow(isThere ? report : null, nowMs),
    }),
    ...told,
    operations,
    container: {
      state: facts.record.state,
      since: new Date(facts.record.sinceMs).toISOString(),
      sinceMs: facts.record.sinceMs,
      streams: facts.activity?.streams ?? 0,
      unsettled: facts.activity?.unsettled ?? 0,
      inFlight: facts.inFlight,
    },
    origin: originStatus(facts.serving, nowMs),
    warnings: [...facts.warnings],
    sleep: sleepOf(facts.plan),
    ...toldFacts(report, nowMs),
  };
}

function sessionStatus({ record, activity, checkpoint, nowMs }: StatusFacts): BridgeStatus['session'] {
  const { epoch, failures, lastFailure, backoffUntilMs, serverBuild } = checkpoint;
  const common = { epoch, serverBuild, retryAtMs: backoffUntilMs > nowMs ? backoffUntilMs : null };
  if (activity !== null) {
    const { state, sinceMs, reason, retcode, connections } = activity.session;
    return { ...common, state, since: new Date(sinceMs).toISOString(), sinceMs, reason, retcode, connections };
  }
  // Nobody speaks for the session: what the last sign-ins left behind.
  const failed = failures > 0 && lastFailure !== null;
  const state = failed
    ? lastFailure.kind === 'refused' || lastFailure.kind === 'impostor'
      ? 'refused'
      : lastFailure.kind === 'unreachable'
        ? 'unreachable'
        : 'backoff'
    : record.state === 'stopped'
      ? 'asleep'
      : 'connecting';
  const sinceMs = failed ? lastFailure.atMs : record.sinceMs;
  return {
    ...common,
    state,
    since: new Date(sinceMs).toISOString(),
    sinceMs,
    reason: failed ? lastFailure.reason : null,
    retcode: failed ? lastFailure.retcode : null,
    connections: 0,
  };
}

function sleepOf({ awake, why, untilMs, wakesAtMs }: PolicyVerdict): BridgeStatus['sleep'] {
  const at = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  return { awake, why, sleepsAt: at(untilMs), sleepsAtMs: untilMs, wakesAt: at(wakesAtMs), wakesAtMs };
}
