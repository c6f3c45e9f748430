import { topicEntry, type DataTopic } from '../contract/frames.ts';

/**
 * Where changes come from: the poller in the container, or, in the hub, the container at the other end of a WebSocket.
 * Both speak in the events of `contract/hub-link.ts`.
 */
export interface StreamSource {
  /** Selectors: symbols or masks of symbols, or slices of the accounts' books (`contract/slice-keys.ts`). */
  want(topic: DataTopic, selectors: readonly string[]): void;
  drop(topic: DataTopic, selectors: readonly string[]): void;
  /** What happened to followed slices since then; answered by the event `missed` of the same id. */
  missed(topic: DataTopic, keys: readonly string[], request: { readonly id: number; readonly sinceMs: number }): void;
}

/** A mask names symbols by path: it has a wildcard, a path separator or an exclusion. */
export const isMask = (topic: DataTopic, selector: string): boolean =>
  topicEntry(topic).selector === 'symbols' && /[*!\\]/.test(selector);
