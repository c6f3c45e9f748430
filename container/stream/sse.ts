import { BridgeError } from '../contract/errors.ts';
import { SYSTEM_TOPIC, TOPIC_TABLE, topicEntry, TOPICS, type DataTopic, type Topic } from '../contract/frames.ts';
import type { Chunk } from './chunk.ts';

/**
 * The same frames as server-sent events: one event per frame, the frame as its data. The event id holds the epoch and
 * the sequence of every topic (`7:ticks=12,orders=3`), so that `Last-Event-ID` resumes all of them.
 */
export const SSE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // nginx and its like would hold events back.
  'x-accel-buffering': 'no',
};

export class SseWriter {
  readonly #cursors = new Map<Topic, number>();
  #epoch = 0;

  /** A chunk as event-stream text. Heartbeats are comments: nobody has to handle them. */
  write(chunk: Chunk): string {
    let text = '';
    for (const frame of chunk.frames) {
      if (frame.type === 'heartbeat') {
        text += ': heartbeat\n\n';
        continue;
      }
      if (frame.epoch !== this.#epoch) this.#cursors.clear();
      this.#epoch = frame.epoch;
      if (frame.topic !== SYSTEM_TOPIC && frame.type !== 'ack' && frame.type !== 'error' && frame.type !== 'gap')
        this.#cursors.set(frame.topic, frame.seq);
      const cursors = [...this.#cursors].map(([topic, seq]) => `${topic}=${seq}`).join(',');
      text += `${cursors === '' ? '' : `id: ${this.#epoch}:${cursors}\n`}data: ${frame.text}\n\n`;
    }
    return text;
  }
}

/**
 * `?topics=ticks,orders&symbols=EURUSD&logins=1001` (or `groups=real\*`) and `Last-Event-ID` → the operations that a WebSocket client would
 * send. @throws BridgeError `invalid_field`
 */
export function sseOperations(query: URLSearchParams, lastEventId: string | null | undefined): string[] {
  const list = (name: string): string[] | undefined =>
    query
      .getAll(name)
      .flatMap((value) => value.split(','))
      .map((value) => value.trim())
      .filter((value) => value !== '');
  const symbols = list('symbols') ?? [];
  const groups = list('groups') ?? [];
  const logins = (list('logins') ?? []).map((login) => (/^[1-9]\d{0,15}$/.test(login) ? Number(login) : NaN));
  if (logins.some(Number.isNaN))
    throw new BridgeError('invalid_field', {
      detail: 'query.logins: expected logins like 1001,1002',
      field: 'query.logins',
      expected: 'logins like 1001,1002',
    });
  const bounds = Object.fromEntries(
    ['marginLevelBelow', 'drawdownAbove'].flatMap((name) => {
      const value = query.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  const topics = list('topics') ?? [];
  const unknown = topics.find((topic) => !TOPICS.some((known) => known === topic));
  if (topics.length === 0 || unknown !== undefined)
    throw new BridgeError('invalid_field', {
      detail: `query.topics: expected some of ${TOPICS.join(', ')}`,
      field: 'query.topics',
      expected: `some of ${TOPICS.join(', ')}, joined by commas`,
    });
  const { epoch, cursors } = parseEventId(lastEventId ?? '', topics);
  return topics.map((topic) => {
    const selection = {
      topic,
      ...(selectorOf(topic) === 'symbols' && symbols.length > 0 ? { symbols } : {}),
      ...(selectorOf(topic) === 'logins' && logins.length > 0 ? { logins } : {}),
      ...(selectorOf(topic) === 'logins' && groups.length > 0 ? { groups } : {}),
      ...(topic === 'equity' ? bounds : {}),
    };
    const seq = cursors.get(topic);
    return JSON.stringify(
      seq === undefined ? { op: 'subscribe', ...selection } : { op: 'resume', epoch, seq, ...selection },
    );
  });
}

const selectorOf = (topic: string): 'symbols' | 'logins' | undefined =>
  isDataTopic(topic) ? topicEntry(topic).selector : undefined;
const isDataTopic = (topic: string): topic is DataTopic => Object.hasOwn(TOPIC_TABLE, topic);

/** `7:ticks=12,orders=3`, or `7:12` where there is one topic. Anything else is no cursor: everything starts afresh. */
function parseEventId(text: string, topics: readonly string[]): { epoch: number; cursors: Map<string, number> } {
  const cursors = new Map<string, number>();
  const match = /^(\d{1,15}):([\w=,]{1,200})$/.exec(text);
  for (const part of (match?.[2] ?? '').split(',')) {
    const [, topic = topics[0] ?? '', seq] = /^(?:(\w+)=)?(\d{1,15})$/.exec(part) ?? [];
    if (seq !== undefined && isDataTopic(topic)) cursors.set(topic, Number(seq));
  }
  return { epoch: Number(match?.[1] ?? 0), cursors };
}
