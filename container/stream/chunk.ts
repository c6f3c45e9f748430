import type { FrameType, OperationId, Topic } from '../contract/frames.ts';

/** One frame as text, with what a server-sent event needs for its id. */
export interface OutFrame {
  readonly type: FrameType;
  readonly topic: Topic;
  readonly epoch: number;
  readonly seq: number;
  readonly text: string;
}

/**
 * Frames that go out together. One chunk is shared by every connection it goes to: a transport encodes it once and
 * keeps the bytes in `wire`.
 */
export interface Chunk {
  readonly frames: readonly OutFrame[];
  /** Filled by the WebSocket server of the container: the frames as bytes on the wire. */
  wire: Uint8Array | undefined;
}

export const chunkOf = (frames: readonly OutFrame[]): Chunk => ({ frames, wire: undefined });

export interface FrameParts {
  readonly type: FrameType;
  readonly topic: Topic;
  readonly epoch: number;
  readonly seq: number;
  readonly prev: number;
  readonly time: string;
  /** JSON text. */
  readonly data?: string | undefined;
  readonly id?: OperationId | undefined;
}

/** `time` is RFC 3339 from `Date`, `type` and `topic` are our own words: only `id` needs escaping. */
export function makeFrame(parts: FrameParts): OutFrame {
  const { type, topic, epoch, seq, prev, time, data, id } = parts;
  const text =
    `{"type":"${type}","topic":"${topic}","epoch":${epoch},"seq":${seq},"prev":${prev},"time":"${time}"` +
    (data === undefined ? '' : `,"data":${data}`) +
    (id === undefined ? '}' : `,"id":${JSON.stringify(id)}}`);
  return { type, topic, epoch, seq, text };
}

export const jsonList = (items: readonly string[]): string => `[${items.join(',')}]`;
