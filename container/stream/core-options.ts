import type { StreamGap } from '../contract/events.ts';
import type { Authenticated, StreamLimits, SystemEvent } from '../contract/frames.ts';
import type { Connection } from './connection.ts';
import type { StreamSource } from './source.ts';

/** What the owner of a `StreamCore` gives it. */
export interface StreamCoreOptions {
  readonly source: StreamSource;
  /** @returns undefined for a key or token that is worth nothing. */
  readonly authenticate: (key: string, address: string | undefined) => Promise<Authenticated | undefined>;
  /** Which of these proofs of consumer sessions still hold; asked for while their streams are open. */
  readonly stillValid?: (proofs: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly now: () => number;
  /** Runs a flush later in this turn, so that what is published together goes out in one write. */
  readonly defer: (flush: () => void) => void;
  readonly limits?: Partial<StreamLimits>;
  /** Bytes kept per topic for those who come back. */
  readonly ringBytes?: number;
  readonly onError?: (error: unknown) => void;
  /** How the session stands where the source does not tell; `undefined` = it does. */
  readonly lookAtSession?: () => Promise<SystemState['session'] | undefined>;
  /** Subscriptions of clients were told that something is missing: how many, by topic and reason, since the last `tick`. */
  readonly onGaps?: (gaps: readonly StreamGap[]) => void;
  /** A connection has left. */
  readonly onConnections?: () => void;
  /** A connection presented its key, or its subscriptions changed: what a hub must remember. */
  readonly onSubscriptions?: (connection: Connection) => void;
  /** The epoch that clients know from before this object was made. */
  readonly epoch?: number;
}

/** How the session stands after an event that is about it. */
export const SESSION_AFTER: Readonly<Partial<Record<SystemEvent, SystemState['session']>>> = {
  session_replaced: 'ready',
  session_restored: 'ready',
  session_lost: 'lost',
  maintenance: 'maintenance',
};

export interface SystemState {
  /** `asleep`: nobody needs one now; the first who does gets it. */
  session: 'unknown' | 'asleep' | 'ready' | 'lost' | 'maintenance';
  market: 'unknown' | 'open' | 'closed';
  /** When the market opens again, as far as it is known. */
  opensAtMs: number | null;
}
