import type { BreakerStatus } from '../../contract/breaker.ts';
import type { ClusterStatus } from '../../contract/cluster.ts';
import type { SessionStatus } from '../../contract/control.ts';
import { brokerPath } from '../../contract/brokers.ts';
import { TOPICS } from '../../contract/frames.ts';
import { MAX_BODY_BYTES } from '../../contract/json-body.ts';
import { keySelf } from '../../contract/keys.ts';
import { MAX_BATCH } from '../../contract/routes/batch.ts';
import {
  getCapabilities,
  getKeySelf,
  getStatus,
  listBrokers,
  type StatusAnswer,
} from '../../contract/routes/server.ts';
import type { AnswerOf } from '../../contract/route.ts';
import { TIMEFRAMES } from '../../contract/schemas/market.ts';
import { circuitStatus, isHeldBack, originStatus } from '../../contract/schemas/status.ts';
import type { FiguresReport } from '../../contract/figures.ts';
import { followedNow, toldFacts } from '../../contract/told-facts.ts';
import { besideAudit, verdictOf } from '../../contract/verdict.ts';
import { BRIDGE_VERSION, CONTRACT_VERSION } from '../../contract/version.ts';
import { rfc3339 } from '../../webapi/time.ts';
import type { OperationsApi } from '../../state/state-api.ts';
import { handle, type HandlersOf } from '../handler.ts';

export interface SelfOptions {
  /** Its id. */
  readonly broker: string;
  readonly session: () => SessionStatus;
  /** The circuit breaker of the broker. */
  readonly breaker: () => BreakerStatus;
  readonly now: () => number;
  /** What is under way, and when the process began to listen. */
  readonly process: () => Pick<StatusAnswer['container'], 'inFlight' | 'sinceMs' | 'streams' | 'unsettled'>;
  /** operationIds of the other routes that are served. */
  readonly operations: readonly string[];
  readonly ledger: Pick<OperationsApi, 'halts' | 'waiting'>;
  readonly serverBuild: () => Promise<string | null>;
  /** What is measured, now. */
  readonly report: () => FiguresReport;
  /** How far the audit is behind; null = there is none. */
  readonly audit: () => StatusAnswer['audit'];
  /** Of several replicas, who holds; null = there is one. */
  readonly cluster: () => ClusterStatus | null;
}

type SelfRoute = typeof listBrokers | typeof getCapabilities | typeof getKeySelf | typeof getStatus;

/** What the bridge says of itself, and of the key that asks. */
export const selfHandlers = (options: SelfOptions): HandlersOf<SelfRoute> => ({
  ...handle(getCapabilities, async () => ({ body: capabilities([...options.operations, ...OWN]) })),
  ...handle(getKeySelf, async (_input, { caller }) => ({ body: keySelf(caller) })),
  ...handle(listBrokers, async () => ({ body: { items: [await brokerItem(options)], nextCursor: null } })),
  ...handle(getStatus, async () => ({ body: await statusOf(options) })),
});

const OWN = [getCapabilities, getKeySelf, getStatus, listBrokers].map(({ id }) => id);

const capabilities = (operations: readonly string[]): AnswerOf<typeof getCapabilities> => ({
  version: BRIDGE_VERSION,
  contractVersion: CONTRACT_VERSION,
  timeframes: TIMEFRAMES,
  operations,
  streamTopics: TOPICS,
  limits: {
    batchRequests: MAX_BATCH,
    bodyBytes: MAX_BODY_BYTES,
    pageItems: 1000,
    symbolsPerRequest: 100,
    loginsPerRequest: 200,
  },
});

/** Alone, the program knows of itself only. */
async function brokerItem(options: SelfOptions): Promise<AnswerOf<typeof listBrokers>['items'][number]> {
  const { ready, reason, session, container } = await statusOf(options);
  const { broker: id } = options;
  return { id, path: brokerPath(id), region: null, ready, reason, session: session.state, container: container.state };
}

/** The same shape as the Durable Object tells behind the Worker. */
export async function statusOf(options: Omit<SelfOptions, 'operations'>): Promise<StatusAnswer> {
  const { state, epoch, sinceMs, reason, retcode, connections } = options.session();
  const { sinceMs: startedAtMs, ...work } = options.process();
  const report = options.report();
  const { ledger } = options;
  const [operations, halts, serverBuild] = await Promise.all([ledger.waiting(), ledger.halts(), options.serverBuild()]);
  const asleep = state === 'idle' || state === 'closed';
  const circuit = options.breaker();
  const serves = state === 'ready' || asleep || state === 'connecting' || state === 'challenged';
  const ready = serves && !isHeldBack(circuit, options.now());
  const session = { state, epoch, since: rfc3339(sinceMs), sinceMs, reason, retcode, connections, retryAtMs: null };
  const told = {
    ready,
    reason: ready ? null : serves ? circuit.reason : (reason ?? state),
    session: { ...session, serverBuild },
    origin: originStatus({ name: 'vps', sinceMs: null, reason: null }, options.now()),
    circuits: { broker: circuitStatus(circuit), road: null },
    halted: halts.find(({ kind }) => kind === 'all')?.reason ?? null,
  };
  const audit = options.audit() ?? null;
  const verdict = verdictOf({
    ...told,
    operations: { ...operations.needLook, unsettled: operations.unsettled },
    followed: followedNow(report, report.atMs),
  });
  return {
    ...besideAudit(verdict, audit),
    ...told,
    container: { state: 'running', since: rfc3339(startedAtMs), sinceMs: startedAtMs, ...work },
    operations,
    sleep: null,
    ...toldFacts(report, report.atMs),
    warnings: [],
    audit,
    cluster: options.cluster(),
  };
}
