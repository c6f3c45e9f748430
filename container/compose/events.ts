import { EventEmitter } from 'node:events';
import type { SessionEvent } from '../session/status.ts';
import type { UpstreamCheckpoint } from '../state/state-api.ts';

/** What the parts of the program tell each other of. Nobody listens before all of them are built. */
export interface BridgeEvents {
  /** Of the sessions with the broker. */
  session: [event: SessionEvent];
  /** Sessions, streams or unsettled operations have changed: what keeps a container awake. */
  activity: [change: { readonly streams?: number; readonly unsettled?: number }];
  handover: [checkpoint: UpstreamCheckpoint];
  warm: [];
  /** The process should end. */
  drain: [reason: string];
  /** Consumer sessions that ended. */
  revoked: [sessionIds: readonly string[]];
}

export class BridgeEmitter extends EventEmitter<BridgeEvents> {}
