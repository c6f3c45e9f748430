export type UpstreamState =
  | 'idle'
  | 'connecting'
  | 'challenged'
  | 'ready'
  | 'backoff'
  | 'refused'
  | 'unreachable'
  | 'draining'
  | 'closed';

/** How the session stands; the same shape as the contract's `SessionStatus`. */
export interface UpstreamStatus {
  readonly state: UpstreamState;
  readonly epoch: number | null;
  /** When the state was entered, epoch ms. */
  readonly sinceMs: number;
  /** Plain words where the state is not good. */
  readonly reason: string | null;
  readonly retcode: number | null;
  readonly connections: number;
}

/** What happens to sessions, for the log and the metrics. Texts hold no secrets. */
export type SessionEvent =
  | {
      readonly type: 'signed_in';
      readonly address: string;
      readonly epoch: number;
      readonly connections: number;
      readonly phasesMs: Readonly<Record<string, number>>;
    }
  | { readonly type: 'sign_in_failed'; readonly kind: string; readonly retcode: number | null; readonly reason: string }
  | { readonly type: 'sign_in_paused'; readonly reason: string; readonly retryAtMs: number }
  | { readonly type: 'closed'; readonly cause: string; readonly reason: string; readonly connections: number }
  | { readonly type: 'one_session_only' };

/** Counters since the process started. */
export interface UpstreamStats {
  readonly connections: number;
  readonly busy: number;
  readonly waiting: number;
  readonly signIns: number;
  readonly signInFailures: number;
  /** Commands. */
  readonly sent: number;
  /** Requests that travelled with another one. */
  readonly merged: number;
  readonly replayed: number;
  readonly lost: number;
}
