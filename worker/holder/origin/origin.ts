import type { Activity, ControlMessage } from '../../../container/contract/control.ts';
import type { StartReason, StopReason } from '../lifecycle.ts';
import type { ForwardRequest } from './forward-to-origin.ts';

/** The program that holds the broker's session, wherever it runs: in the container (`Instance`) or on a VPS (`Vps`). */
export interface Origin {
  /** Its last word; `null` when nobody vouches for it. */
  readonly activity: Activity | null;
  /** The process that said hello last; `null` = none is there. */
  readonly instanceId: string | null;
  /** It is there: what it was handed may still be done. */
  readonly isRunning: boolean;
  /** It is there and was not given up: asking it starts nothing. */
  readonly isAlive: boolean;
  /** There, greeted and of our own contract. All callers share one attempt. @throws BridgeError */
  ensure(reason: StartReason): Promise<void>;
  /** Whether it answers now; waits some seconds at most. */
  answers(): Promise<boolean>;
  /** Sends a request as it is. @throws what the platform says when there is no answer */
  forward(request: ForwardRequest, timeoutMs: number): Promise<Response>;
  /** Resolves when it runs no more; at once if it does not. */
  ended(): Promise<void>;
  /** A connection failed: before the next request it is seen whether it is there. */
  suspect(): void;
  /** A request was not answered within its deadline. */
  unanswered(): void;
  /** @returns false when it cannot be told now */
  send(message: ControlMessage): boolean;
  /** It finishes what is under way, says goodbye to the broker, and gives the session up. */
  stop(reason: StopReason): Promise<void>;
}
