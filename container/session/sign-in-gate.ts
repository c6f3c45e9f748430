/**
 * There is no sign-in without a permit. The permit is booked as a failure before it is given and cleared on success, where
 * it outlives this process: a process that dies before it answers has failed, and back-off survives every restart.
 */
export interface SignInGate {
  permit(): Promise<SignInPermit>;
  /** Resolves when the success is durable; the epoch is the same for all sessions of one process. */
  succeeded(success: SignInSuccess): Promise<{ readonly epoch: number }>;
  failed(failure: SignInFailed): Promise<{ readonly retryAtMs: number }>;
}

export type SignInPermit =
  | { readonly granted: true; readonly permitId: string }
  | { readonly granted: false; readonly retryAtMs: number; readonly reason: string; readonly retcode: number | null };

export interface SignInSuccess {
  readonly permitId: string;
  readonly address: string;
  readonly serverBuild: string | null;
  readonly phasesMs?: Readonly<Record<string, number>>;
}

export interface SignInFailed {
  readonly permitId: string;
  readonly kind: 'refused' | 'unreachable' | 'impostor';
  readonly retcode: number | null;
  readonly reason: string;
}
