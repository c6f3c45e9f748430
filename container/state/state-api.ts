import type { FiguresReport } from '../contract/figures.ts';
import type { Actor } from '../contract/events.ts';
import type { JournalEvent } from '../contract/journal.ts';
import type { CostAnswer } from './cost/cost.ts';
import type { InstanceType } from './cost/prices.ts';
import type { KeyLimits, LoginMask, Scope } from '../contract/keys.ts';
import type { KeysApi } from './keys-api.ts';
import type { MarginApi } from './margin-api.ts';

/**
 * Everything that must outlive the container, as the container sees it. One implementation (`bridge-state.ts`) over
 * `Sql`: behind the Worker it runs in the Durable Object and is called over the control channel (`remote-state.ts` and
 * `state-server.ts`), on a VPS in-process over a SQLite file. Every method resolves only after its write is durable.
 *
 * The room state/ knows neither runtime: no sockets, no files, no timers of its own but a call's deadline. Nothing here
 * assumes that one process holds the state: every method is asynchronous and atomic by itself, so that several replicas
 * can share it over another store (Redis) behind this same interface.
 */
export interface StateApi {
  readonly signIn: SignInStateApi;
  readonly sessions: ConsumerSessionsApi;
  readonly operations: OperationsApi;
  readonly journal: JournalApi;
  readonly figures: FiguresApi;
  readonly keys: KeysApi;
  readonly symbols: SymbolsApi;
  readonly cost: CostApi;
  readonly margin: MarginApi;
}

// ── API keys ────────────────────────────────────────────────────────────────────────────────────────────────────────

export type { KeyChange, KeyEntry } from './keys-api.ts';

/** Identity of one process: random per process start, so an automatic restart is a new instance. */
export type InstanceId = string;

// ── Upstream session ────────────────────────────────────────────────────────────────────────────────────────────────

export interface UpstreamCheckpoint {
  /** +1 for every process instance that signs in. 0 = never signed in. */
  readonly epoch: number;
  /** The instance that holds the epoch: the fence. */
  readonly instanceId: InstanceId | null;
  readonly signedInAtMs: number | null;
  readonly serverBuild: string | null;
  /** Which of several `MT5_SERVER` addresses worked last. */
  readonly address: string | null;
  /** The broker's clock as last read; null = not yet. */
  readonly clock: CheckpointClock | null;
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

export const DAYLIGHT_RULES = ['none', 'eu', 'us', 'au'] as const;

/** What turns server time into UTC. */
export interface CheckpointClock {
  /** Minutes east of Greenwich in winter. */
  readonly zoneMinutes: number;
  readonly daylight: (typeof DAYLIGHT_RULES)[number];
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
  /**
   * Books a failure in advance; refuses while backing off. The instance that holds the epoch gets further permits (pool
   * growth, lost connections) without back-off while its last sign-in succeeded.
   * @throws BridgeError `draining` for a fenced instance, here and below
   */
  permit(instanceId: InstanceId): Promise<PermitDecision>;
  /** Clears the booking. The first success of an instance raises the epoch and fences the instances before it. */
  succeeded(instanceId: InstanceId, report: SignInReport): Promise<{ epoch: number }>;
  /** Turns the booking into a failure of this kind. */
  failed(
    instanceId: InstanceId,
    failure: { permitId: string; kind: Exclude<SignInFailureKind, 'died'>; retcode: number | null; reason: string },
  ): Promise<{ retryAtMs: number }>;
  /** What the next instance takes for the broker's clock until it has read it; null = nothing. */
  clock(instanceId: InstanceId, clock: CheckpointClock | null): Promise<void>;
  /** The instance ends in order: its sign-in is no part of a crash loop. */
  released(instanceId: InstanceId): Promise<void>;
  /** Administrator: forget failures and back-off. */
  reset(by?: Actor): Promise<void>;
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
  /** Limits of the key that opened it, as they are now. */
  readonly limits: KeyLimits | null;
}

export interface ConsumerSessionsApi {
  /**
   * Throttles guessing, by login, by the key that asks, and in all: 0 = try now, and the try is booked as failed in
   * advance; else how long to wait.
   */
  attempt(login: number, keyId: string): Promise<{ retryAfterMs: number }>;
  /**
   * Takes the booking back: the password was right, or could not be checked. A right main password also clears what was
   * guessed wrong before; an investor's does not.
   */
  attemptForgiven(login: number, keyId: string, isMainPassword: boolean): Promise<void>;
  /** @throws BridgeError `session_limit` */
  open(session: {
    /** Of the 256-bit token, `sha256:<hex>`; the token itself never comes here. */
    tokenHash: string;
    login: number;
    scopes: readonly Scope[];
    openedBy: string;
    passwordChangedAt: string;
    by?: Actor | undefined;
  }): Promise<ConsumerSession>;
  /** By the hash of the presented token; renews the idle expiry. */
  find(tokenHash: string): Promise<ConsumerSession | null>;
  /** Sessions whose account has not been re-checked since `beforeMs`. */
  dueForCheck(beforeMs: number): Promise<readonly ConsumerSession[]>;
  checked(id: string): Promise<void>;
  revoke(id: string, reason: string, by?: Actor): Promise<boolean>;
  /** Every session of a login, or of all. */
  list(filter: { login?: number }): Promise<readonly ConsumerSession[]>;
  /** Ends every session of a login; returns how many. */
  revokeLogin(login: number, reason: string, by?: Actor): Promise<number>;
}

// ── Operations ledger ───────────────────────────────────────────────────────────────────────────────────────────────

export const OPERATION_STATES = [
  'sending',
  'pending',
  'done',
  /** Of a bulk request: some of its parts were executed, the others refused. */
  'partial',
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
  /** The request that began it, and the address that it came from; null = not told. */
  readonly requestId: string | null;
  readonly address: string | null;
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
  /** The key is known with this body: settled, queued at the dealer, or unknown. */
  | { readonly kind: 'replay'; readonly operation: Operation }
  | { readonly kind: 'in_flight'; readonly operation: Operation }
  | { readonly kind: 'other_body' }
  | { readonly kind: 'halted'; readonly reason: string }
  | { readonly kind: 'limited'; readonly retryAfterMs: number }
  /** A limit of the key, counted with everything that is on its way. */
  | { readonly kind: 'over_limit'; readonly limit: string; readonly detail: string };

export interface BeginRequest {
  readonly caller: string;
  readonly key: string;
  readonly kind: string;
  /** Made by the caller of `begin`, so that a row whose `begin` got lost on the way can be named. */
  readonly tag: string;
  readonly login: number | null;
  /** The request, and the address of its client. */
  readonly requestId?: string;
  readonly address?: string;
  /** What was asked, as JSON without secrets: for the event that tells of it, kept nowhere else. */
  readonly asked?: string;
  /** HMAC (`fingerprintSecret`) of method, path and body. */
  readonly fingerprint: string;
  readonly request: string;
  readonly instanceId: InstanceId;
  /** Past it no row is written: whoever waited has been told `not_sent`. */
  readonly deadlineAtMs: number;
  /** Counts as trading: refused while halted, and counted against the orders per minute. */
  readonly trading: boolean;
  /** The key whose limits count. */
  readonly budget: string;
  readonly symbol?: string;
  /** The account's group, for halts. */
  readonly group?: string;
  readonly trade?: ReservedTrade;
  /** Money that is moved, in 1/100 000 000 of the currency, without its sign. */
  readonly amount?: string;
  readonly limits?: ReservedLimits;
}

/** What an order adds to a position or takes from it. */
export interface ReservedTrade {
  readonly side: 'buy' | 'sell';
  /** In 1/100 000 000 lot. */
  readonly volume: string;
  /** The position that it makes smaller; absent = it opens. */
  readonly reduces?: string;
}

/** Limits of the key, with what the broker's books held when they were read. Volumes in 1/100 000 000 lot. */
export interface ReservedLimits {
  readonly ordersPerMinute?: number;
  readonly maxPositions?: { readonly most: number; readonly held: number };
  readonly maxExposure?: { readonly most: string; readonly held: string };
  /** What may be taken from the position. */
  readonly reducible?: string;
  readonly maxAmountPerDay?: string;
  /** How long ago the reading of the books began: what was executed since is counted from the ledger. */
  readonly readForMs: number;
}

export interface OperationChange {
  readonly to: OperationState;
  readonly answer?: { readonly status: number; readonly body: string };
  readonly request?: string;
  /** Of an account that it opened: a row that has none takes it. */
  readonly login?: number;
  /** A look at the broker's books found nothing. */
  readonly emptyLook?: boolean;
}

export interface OperationFilter {
  readonly caller?: string;
  readonly tag?: string;
  readonly state?: OperationState;
  readonly login?: number;
  /** Only operations of these logins. */
  readonly logins?: LoginMask;
  readonly limit: number;
  readonly cursor?: string;
}

export interface OperationsApi {
  /** What `begin` would say of a key that is known; `null` = not known. Writes nothing. */
  recall(caller: string, key: string, fingerprint: string): Promise<BeginDecision | null>;
  /**
   * Writes the row `sending`, or tells why not.
   * @throws BridgeError `deadline_exceeded` when the deadline has passed, `draining` for a fenced instance, `outbox_full`
   */
  begin(request: BeginRequest): Promise<BeginDecision>;
  /** Never handed to a connection: the row goes, the key may be used again. Only from `sending`, only with its tag. */
  drop(caller: string, key: string, tag: string): Promise<boolean>;
  /** A state change with its answer; illegal transitions (`operation-states.ts`) are refused with `false`. */
  move(caller: string, key: string, change: OperationChange): Promise<boolean>;
  get(caller: string, key: string): Promise<Operation | null>;
  list(filter: OperationFilter): Promise<{ items: readonly Operation[]; nextCursor: string | null }>;
  /** `pending` and `unknown` rows, and `not_executed` ones young enough to be found late; oldest first. */
  unsettled(limit: number): Promise<readonly Operation[]>;
  /** How many wait, and for whom. */
  waiting(): Promise<WaitingOperations>;
  /** `sending` rows of instances other than this one become `unknown`; returns how many. */
  orphan(liveInstanceId: InstanceId | null): Promise<number>;
  /** Every halt in force, the oldest first. */
  halts(): Promise<readonly TradingHalt[]>;
  halt(scope: HaltScope, reason: string, by?: Actor): Promise<void>;
  resume(scope: HaltScope, by?: Actor): Promise<void>;
  /** Operations under `key/…`: the parts of a bulk request. */
  parts(caller: string, key: string): Promise<readonly Operation[]>;
  /** Hex of 32 random bytes, made once. */
  fingerprintSecret(): Promise<string>;
  /** When the newest operation was written, and the accounts of the newest thousand; `null` = there is none. */
  latest(): Promise<{ readonly createdAtMs: number; readonly logins: readonly number[] } | null>;
  /** Those of the tags that no operation has and nobody was told of. */
  unknownTags(tags: readonly string[]): Promise<readonly string[]>;
  /** This ledger may not hold everything that was sent: everybody's trading is halted until it is resumed. */
  distrust(reason: string, unknownTags: readonly string[]): Promise<void>;
}

export interface WaitingOperations {
  /** Pending or unknown: the bridge settles them. */
  readonly unsettled: number;
  /** The broker's books could not tell: a person must. Orders, and everything else. */
  readonly needLook: { readonly orders: number; readonly others: number };
}

/** Whose trades are halted: everybody's, or those of a group mask, a symbol or a login. */
export interface HaltScope {
  readonly kind: 'all' | 'group' | 'symbol' | 'login';
  /** '' for all. */
  readonly value: string;
}

export interface TradingHalt extends HaltScope {
  readonly reason: string;
  readonly sinceMs: number;
}

// ── Symbols in use ──────────────────────────────────────────────────────────────────────────────────────────────────

export interface SymbolsApi {
  /** They were traded, quoted or streamed. */
  used(names: readonly string[]): Promise<void>;
  /** Those of the last fortnight, by name. */
  inUse(): Promise<readonly string[]>;
}

// ── Margin ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export type { AccountMargin, ClosedByStopOut, MarginApi } from './margin-api.ts';

// ── Cost ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Told where the state is; the container has no part in it. */
export interface CostApi {
  monthToDate(instanceType?: InstanceType): Promise<CostAnswer>;
}

// ── Lifecycle journal ───────────────────────────────────────────────────────────────────────────────────────────────

export interface JournalEntry {
  readonly atMs: number;
  readonly event: JournalEvent;
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

// ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface FiguresApi {
  /** What a program told last. */
  last(): Promise<FiguresReport | null>;
  /** @throws BridgeError `draining` for a fenced instance: the counters of the one after it are further */
  keep(instanceId: InstanceId, report: FiguresReport): Promise<void>;
}
