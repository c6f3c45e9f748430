/**
 * The control channel: one WebSocket that the Durable Object opens to the container's port directly (so that it is not
 * counted as activity), with the per-start secret. JSON text frames, one message each.
 *
 *   container → Durable Object   hello · call · activity
 *   Durable Object → container   handover · result · failure · warm · drain · revoked
 *
 * The container may call the state (`state/state-api.ts`) only after `handover`. When the channel closes, calls in
 * flight fail; the Durable Object opens it again while the process lives, and the container says hello again with the
 * same instance id, so that a Durable Object that was reset learns what runs.
 */
export type ControlMessage =
  | Hello
  | Handover
  | StateCall
  | StateResult
  | StateFailure
  | Activity
  /** Leave a session ready: sign in now unless signed in, signing in or backing off. An `activity` tells the end. */
  | { readonly type: 'warm' }
  | { readonly type: 'drain'; readonly reason: string }
  /** Consumer sessions that ended: their streams close with 4001. */
  | { readonly type: 'revoked'; readonly sessionIds: readonly string[] };

export interface Hello {
  readonly type: 'hello';
  readonly contractVersion: number;
  readonly bridgeVersion: string;
  readonly instanceId: string;
  /** Epoch that this instance has signed in under; null before its first sign-in. */
  readonly epoch: number | null;
  /** Milliseconds from process start to listening. */
  readonly listeningAfterMs: number;
}

export interface Handover {
  readonly type: 'handover';
  readonly contractVersion: number;
  readonly bridgeVersion: string;
  /** `false`: another instance holds the epoch; this one drains. */
  readonly accepted: boolean;
  /** JSON of `UpstreamCheckpoint`. */
  readonly checkpoint: string;
}

/** A call of `StateApi`: `method` is `signIn.permit`, `operations.begin`, …; arguments are JSON. */
export interface StateCall {
  readonly type: 'call';
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

export interface StateResult {
  readonly type: 'result';
  readonly id: number;
  readonly value: unknown;
}

export interface StateFailure {
  readonly type: 'failure';
  readonly id: number;
  readonly code: string;
  readonly detail: string;
}

/** Sent on change: what keeps the container awake besides requests, and how the session stands. */
export interface Activity {
  readonly type: 'activity';
  readonly streams: number;
  readonly unsettled: number;
  readonly session: SessionStatus;
}

export type SessionStateName =
  | 'idle'
  | 'connecting'
  | 'challenged'
  | 'ready'
  | 'backoff'
  | 'refused'
  | 'unreachable'
  | 'draining'
  | 'closed';

export interface SessionStatus {
  readonly state: SessionStateName;
  readonly epoch: number | null;
  /** When the state was entered, epoch ms. */
  readonly sinceMs: number;
  /** Plain words where the state is not good. */
  readonly reason: string | null;
  readonly retcode: number | null;
  readonly connections: number;
}
