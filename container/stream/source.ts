import type { DataTopic, SystemEvent } from '../contract/frames.ts';
import type { ErrorCode } from '../contract/errors.ts';

/**
 * Where changes come from: the poller in the container, or, in the hub, the container at the other end of a WebSocket.
 * Both speak in these events, which are plain JSON.
 *
 * A *slice* is what is followed as one: a symbol of `ticks`, a login of the other topics. A slice is first loaded, then
 * changes; nothing about it comes before its `load`.
 */
export interface StreamSource {
  /** Selectors: symbols or masks for `ticks`, logins in decimal for the others. */
  want(topic: DataTopic, selectors: readonly string[]): void;
  drop(topic: DataTopic, selectors: readonly string[]): void;
}

/** One thing inside a slice: the tick itself, the account itself, a position, an order. */
export interface Entity {
  readonly id: string;
  /** As JSON text: written once, copied into every frame. */
  readonly json: string;
}

export interface Change {
  /** The slice. */
  readonly key: string;
  readonly id: string;
  /** What subscribers are told. */
  readonly json: string;
  /** What a snapshot shows from now on; `null` = nothing more; absent = the same as `json`. */
  readonly state?: string | null;
}

export type SourceEvent =
  /** Nothing is followed any more: a new epoch, or the link to the source broke. Loads follow. */
  | { readonly kind: 'reset'; readonly epoch: number; readonly reason: string }
  | {
      readonly kind: 'load';
      readonly topic: DataTopic;
      /** Sequence of the topic at this state. */
      readonly seq: number;
      readonly slices: readonly { readonly key: string; readonly entities: readonly Entity[] }[];
    }
  | {
      readonly kind: 'change';
      readonly topic: DataTopic;
      /** Higher than every one before in this topic and epoch. */
      readonly seq: number;
      readonly changes: readonly Change[];
    }
  /** The symbols that a mask stands for now. */
  | { readonly kind: 'mask'; readonly mask: string; readonly symbols: readonly string[] }
  | { readonly kind: 'mark'; readonly mark: 'stale' | 'live'; readonly symbols: readonly string[] }
  /** A selector that cannot be followed. */
  | {
      readonly kind: 'refused';
      readonly topic: DataTopic;
      readonly selector: string;
      readonly code: ErrorCode;
      readonly detail: string;
    }
  | {
      readonly kind: 'system';
      readonly event: SystemEvent;
      readonly data: Readonly<Record<string, string | number | null>>;
    };

/** A mask names symbols by path: it has a wildcard, a path separator or an exclusion. */
export const isMask = (selector: string): boolean => /[*!\\]/.test(selector);
