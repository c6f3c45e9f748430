import { EventEmitter } from 'node:events';
import type { BreakerStatus } from '../contract/breaker.ts';
import type { SessionEvent } from '../session/status.ts';
import type { UpstreamCheckpoint } from '../state/state-api.ts';

/** Events between the parts of the program. Listeners are added once all parts are built. */
export interface BridgeEvents {
  /** Of the sessions with the broker. */
  session: [event: SessionEvent];
  /** The circuit breaker of the broker opened, tries, or closed. */
  circuit: [status: BreakerStatus];
  /** Sessions, streams or unsettled operations have changed: what keeps a container awake. */
  activity: [change: { readonly streams?: number; readonly unsettled?: number }];
  handover: [checkpoint: UpstreamCheckpoint];
  warm: [];
  /** Symbols that were not in use an hour ago. */
  symbols: [names: readonly string[]];
  /** The process should end. */
  drain: [reason: string];
  /** Consumer sessions that ended. */
  ended: [ended: readonly string[]];
}

export class BridgeEmitter extends EventEmitter<BridgeEvents> {}
