import { EventEmitter } from 'node:events';
import type { SessionEvent } from '../session/status.ts';
import type { UpstreamCheckpoint } from '../state/state-api.ts';

/** Events between the parts of the program. Listeners are added once all parts are built. */
export interface BridgeEvents {
  /** Of the sessions with the broker. */
  session: [event: SessionEvent];
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
