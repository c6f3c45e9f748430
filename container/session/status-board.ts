import type { SessionState } from './session.ts';
import type { UpstreamState, UpstreamStatus } from './status.ts';
import type { SessionError } from './upstream.ts';

/** What the status is made from. */
export interface StatusFacts {
  readonly draining: boolean;
  readonly connections: number;
  readonly epoch: number | null;
  /** State of the session that is being opened. */
  readonly opening: SessionState | undefined;
  /** Why nobody is signed in. */
  readonly failure: SessionError | undefined;
  /** Why the last session ended, when it just did. */
  readonly closedReason?: string | undefined;
}

/** How the sessions stand, in one value; told when it changes. */
export class StatusBoard {
  readonly #now: () => number;
  readonly #onChange: (status: UpstreamStatus) => void;
  #status: UpstreamStatus;

  constructor(now: () => number, onChange: (status: UpstreamStatus) => void) {
    this.#now = now;
    this.#onChange = onChange;
    this.#status = { state: 'idle', epoch: null, sinceMs: now(), reason: null, retcode: null, connections: 0 };
  }

  get status(): UpstreamStatus {
    return this.#status;
  }

  update(facts: StatusFacts): void {
    const previous = this.#status;
    const { state, reason, retcode } = describe(facts, previous);
    const { connections, epoch } = facts;
    const same = state === previous.state && reason === previous.reason && connections === previous.connections;
    if (same && epoch === previous.epoch) return;
    const sinceMs = state === previous.state ? previous.sinceMs : this.#now();
    this.#status = { state, epoch, sinceMs, reason, retcode, connections };
    this.#onChange(this.#status);
  }
}

type Description = Pick<UpstreamStatus, 'state' | 'reason' | 'retcode'>;

function describe(facts: StatusFacts, previous: UpstreamStatus): Description {
  const { failure, opening } = facts;
  if (facts.draining) return good('draining', 'The bridge shuts down.');
  if (facts.connections > 0) return good('ready');
  if (failure) return { state: failedState(failure), reason: failure.message, retcode: failure.retcode ?? null };
  if (opening === 'connecting') return good('connecting');
  // Signed in, and the success is being recorded: not ready yet.
  if (opening === 'challenged' || opening === 'ready') return good('challenged');
  if (previous.state === 'idle') return good('idle');
  return good('closed', facts.closedReason ?? (previous.state === 'closed' ? previous.reason : null));
}

const good = (state: UpstreamState, reason: string | null = null): Description => ({ state, reason, retcode: null });

const failedState = ({ kind }: SessionError): UpstreamState =>
  kind === 'refused' || kind === 'impostor' ? 'refused' : kind === 'backoff' ? 'backoff' : 'unreachable';
