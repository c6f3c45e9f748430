import type { Scope } from '../contract/keys.ts';

/**
 * Everything that must outlive the container, as the container sees it. One implementation (`bridge-state.ts`) over
 * `Sql`: behind the Worker it runs in the Durable Object and is called over the control channel, on a VPS in-process
 * over a SQLite file. Every method resolves only after its write is durable.
 */
export interface StateApi {
  readonly signIn: SignInStateApi;
  readonly sessions: ConsumerSessionsApi;
  readonly operations: OperationsApi;
  readonly journal: JournalApi;
}

/** Identity of one process: random per process start, so an automatic restart is a new instance. */
export type InstanceId = string;

// ── Upstream session ────────────────────────────────────────────────────────────────────────────────────────────────

export interface UpstreamCheckpoint {
  /** +1 for every process instance that signs in anew. 0 = never signed in. */
  readonly epoch: number;
  /** The instance that holds the epoch: the fence. */
  readonly instanceId: InstanceId | null;
  readonly signedInAtMs: number | null;
  readonly serverBuild: string | null;
  /** Which of several `MT5_SERVER` addresses worked last. */
  readonly address: string | null;
  /** Broker clock: seconds to subtract from server time to get UTC; null = not measured yet. */
  readonly clockOffsetSeconds: number | null;
  readonly timeZone: string | null;
  /** Consecutive sign-ins without success, bookings in advance included. */
  readonly failures: number;
  readonly backoffUntilMs: number;
  readonly lastFailure: {
    readonly atMs: number;
    readonly kind: SignInFailureKind;
    readonly retcode: number | null;
    readonly reason: string;
  } | null;
}

/** `died` = a permit was given and no report came: the process went away. */
export type SignInFailureKind = 'refused' | 'unreachable' | 'impostor' | 'died';

export type PermitDecision =
  | { readonly granted: true; readonly permitId: string }
  | { readonly granted: false; readonly retryAtMs: number; readonly reason: string; readonly retcode: number | null };

export interface SignInReport {
  readonly permitId: string;
  readonly address: string;
  readonly serverBuild: string | null;
  /** Cold-start phases in ms, for the journal; on the first sign-in of an instance. */
  readonly phasesMs?: Readonly<Record<string, number>>;
}

export interface SignInStateApi {
  read(): Promise<UpstreamCheckpoint>;
  /** Books a failure in advance; refuses while backing off. @throws BridgeError `internal_error` for a fenced instance */
  permit(instanceId: InstanceId): Promise<PermitDecision>;
  /** Clears the booking. The first success of an instance raises the epoch. */
  succeeded(instanceId: InstanceId, report: SignInReport): Promise<{ epoch: number }>;
  /** Turns the booking into a failure of this kind. */
  failed(
    instanceId: InstanceId,
    failure: { permitId: string; kind: Exclude<SignInFailureKind, 'died'>; retcode: number | null; reason: string },
  ): Promise<{ retryAtMs: number }>;
  clock(instanceId: InstanceId, clock: { offsetSeconds: number; timeZone: string }): Promise<void>;
  /** Administrator: forget failures and back-off. */
  reset(): Promise<void>;
}

// ── Consumer sessions ───────────────────────────────────────────────────────────────────────────────────────────────

export interface ConsumerSession {
  /** Public id, safe to show. */
  readonly id: string;
  readonly login: number;
  readonly scopes: readonly Scope[];
  /** The API key that opened it. */
  readonly openedBy: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly lastSeenAtMs: number;
  /** `LastPassChange` of the account when last checked: a later value ends the session. */
  readonly passwordChangedAt: string;
  readonly checkedAtMs: number;
}

export interface ConsumerSessionsApi {
  /** Throttles guessing: how long to wait before this login may be tried again; 0 = now. */
  attempt(login: number, openedBy: string): Promise<{ retryAfterMs: number }>;
  attemptFailed(login: number, openedBy: string): Promise<void>;
  /** @throws BridgeError `session_limit` */
  open(session: {
    tokenHash: string;
    login: number;
    scopes: readonly Scope[];
    openedBy: string;
    passwordChangedAt: string;
  }): Promise<ConsumerSession>;
  /** By the hash of the presented token; renews the idle expiry. */
  find(tokenHash: string): Promise<ConsumerSession | null>;
  /** Sessions whose account has not been re-checked since `beforeMs`. */
  dueForCheck(beforeMs: number): Promise<readonly ConsumerSession[]>;
  checked(id: string): Promise<void>;
  revoke(id: string, reason: string): Promise<boolean>;
  list(filter: { login?: number }): Promise<readonly ConsumerSession[]>;
}

// ── Operations ledger ───────────────────────────────────────────────────────────────────────────────────────────────

export const OPERATION_STATES = [
  'sending',
  'pending',
  'done',
  'refused',
  'unknown',
  'not_executed',
  'unresolved',
] as const;
export type OperationState = (typeof OPERATION_STATES)[number];

export interface Operation {
  readonly caller: string;
  readonly key: string;
  readonly kind: string;
  /** Put at the end of `Comment` so that the broker's books name the operation. */
  readonly tag: string;
  readonly state: OperationState;
  readonly login: number | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly settledAtMs: number | null;
  /** What is needed to settle it, as JSON; never a password. */
  readonly request: string;
  /** The stored answer: status and JSON body. */
  readonly answer: { readonly status: number; readonly body: string } | null;
  /** Empty looks so far, and when the last one was. */
  readonly emptyLooks: number;
  readonly lastLookAtMs: number | null;
}

export type BeginDecision =
  | { readonly kind: 'started'; readonly operation: Operation }
  | { readonly kind: 'replay'; readonly operation: Operation }
  | { readonly kind: 'in_flight'; readonly operation: Operation }
  | { readonly kind: 'other_body' };

export interface OperationsApi {
  /** Writes the row `sending`, or tells why not. The fingerprint is an HMAC of method, path and body. */
  begin(operation: {
    caller: string;
    key: string;
    kind: string;
    login: number | null;
    fingerprint: string;
    request: string;
    instanceId: InstanceId;
  }): Promise<BeginDecision>;
  /** Never handed to a connection: the row goes, the key may be used again. Only from `sending`. */
  drop(caller: string, key: string): Promise<void>;
  /** A state change with its answer; illegal transitions are refused with `false`. */
  move(
    caller: string,
    key: string,
    change: { to: OperationState; answer?: { status: number; body: string }; request?: string; emptyLook?: boolean },
  ): Promise<boolean>;
  get(caller: string, key: string): Promise<Operation | null>;
  list(filter: { caller?: string; state?: OperationState; login?: number; limit: number; cursor?: string }): Promise<{
    items: readonly Operation[];
    nextCursor: string | null;
  }>;
  /** `pending` and `unknown` rows (and `not_executed` ones still inside the horizon), oldest first. */
  unsettled(limit: number): Promise<readonly Operation[]>;
  /** `sending` rows of instances other than this one become `unknown`; returns how many. */
  orphan(liveInstanceId: InstanceId | null): Promise<number>;
  /** Orders of this caller since then, for the per-minute limit. */
  countSince(caller: string, sinceMs: number): Promise<number>;
  halted(): Promise<{ halted: boolean; reason: string | null; sinceMs: number | null }>;
  setHalted(halted: boolean, reason: string): Promise<void>;
}

// ── Lifecycle journal ───────────────────────────────────────────────────────────────────────────────────────────────

export interface JournalEntry {
  readonly atMs: number;
  readonly event:
    | 'start'
    | 'ready'
    | 'stop'
    | 'crash'
    | 'sleep'
    | 'rollout'
    | 'warm'
    | 'hand_over'
    | 'fenced'
    | 'error';
  readonly reason: string;
  readonly instanceId: InstanceId | null;
  readonly epoch: number | null;
  /** Cold-start phases: instance, process, tls, signIn, firstAnswer. */
  readonly phasesMs: Readonly<Record<string, number>> | null;
}

export interface JournalApi {
  add(entry: Omit<JournalEntry, 'atMs'>): Promise<void>;
  list(limit: number): Promise<readonly JournalEntry[]>;
}
