import { z } from 'zod';
import type { ErrorCode } from './errors.ts';
import { ERRORS } from './errors.ts';
import { MAX_SLICE_KEY_CHARACTERS } from './slice-keys.ts';
import { DATA_TOPICS, SYSTEM_EVENTS, type DataTopic, type SystemEvent } from './frames.ts';

/**
 * The wire between the hub and the container, `INTERNAL_PATH.stream`: JSON text frames, one message each.
 *
 *   hub → container   `LinkRequest`
 *   container → hub   `SourceEvent`
 *
 * A *slice* is what is followed as one: a symbol, a login, the accounts of a group (`slice-keys.ts`). A slice is first loaded, then changes; nothing about it
 * comes before its `load`. Both ends parse what comes: a message that cannot be parsed ends the link with 1008, and a new one is
 * opened.
 */
export const LINK_PROTOCOL_ERROR = { code: 1008, reason: 'not a message of this link' } as const;

/** As many as a hub's clients may want together. */
const MAX_SELECTORS = 1_000_000;

const topic = z.enum(DATA_TOPICS);
const selectors = z.array(z.string().min(1).max(MAX_SLICE_KEY_CHARACTERS)).max(MAX_SELECTORS);
const linkRequestSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('want'), topic, selectors }),
  z.strictObject({ op: z.literal('drop'), topic, selectors }),
  /** Answered with `missed` of the same id. */
  z.strictObject({ op: z.literal('missed'), topic, selectors, id: z.int(), sinceMs: z.int() }),
]);

/** What a hub follows from now on, or no longer; or what it asks about the time when it followed nothing. */
export type LinkRequest = z.infer<typeof linkRequestSchema>;

/** One thing inside a slice: the tick itself, the account itself, a position, an order. */
export interface Entity {
  readonly id: string;
  /** As JSON text: written once, copied into every frame. */
  readonly json: string;
}

export interface LoadedSlice {
  readonly key: string;
  readonly entities: readonly Entity[];
  /** The next load tells the rest of them. */
  readonly more?: true | undefined;
  /** Ids of what happened just before it is followed, and is nobody's news. */
  readonly known?: readonly string[] | undefined;
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

/** Something that happened while nobody followed it. */
export interface MissedRow {
  readonly key: string;
  readonly id: string;
  /** When it happened at the broker, epoch ms. */
  readonly atMs: number;
  readonly json: string;
}

export type SourceEvent =
  /** Nothing is followed any more: a new epoch, or the link to the source broke. Loads follow. */
  | { readonly kind: 'reset'; readonly epoch: number; readonly reason: string }
  | {
      readonly kind: 'load';
      readonly topic: DataTopic;
      /** Sequence of the topic at this state. */
      readonly seq: number;
      readonly slices: readonly LoadedSlice[];
    }
  | {
      readonly kind: 'change';
      readonly topic: DataTopic;
      /** Higher than every one before in this topic and epoch. */
      readonly seq: number;
      readonly changes: readonly Change[];
    }
  /** Everything of this source until then (epoch ms) has been told. */
  | { readonly kind: 'alive'; readonly source: 'market' | 'books'; readonly untilMs: number }
  /** Oldest first; `null` = the broker does not tell. */
  | {
      readonly kind: 'missed';
      readonly topic: DataTopic;
      readonly id: number;
      readonly rows: readonly MissedRow[] | null;
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

/** @returns `undefined` for what is no request */
export const parseLinkRequest = (text: string): LinkRequest | undefined =>
  linkRequestSchema.safeParse(parsed(text)).data;

/** @returns `undefined` for what is no event. By hand: there is one for every change that any client sees. */
export function parseSourceEvent(text: string): SourceEvent | undefined {
  const event = parsed(text);
  return isRecord(event) && isEvent(event) ? (event as unknown as SourceEvent) : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function isEvent(event: Fields): boolean {
  switch (event['kind']) {
    case 'change':
      return isTopic(event['topic']) && isCount(event['seq']) && isListOf(event['changes'], isChange);
    case 'load':
      return isTopic(event['topic']) && isCount(event['seq']) && isListOf(event['slices'], isSlice);
    case 'alive':
      return (event['source'] === 'market' || event['source'] === 'books') && isCount(event['untilMs']);
    case 'missed':
      return (
        isTopic(event['topic']) && isCount(event['id']) && (event['rows'] === null || isListOf(event['rows'], isRow))
      );
    case 'mask':
      return isText(event['mask']) && isListOf(event['symbols'], isText);
    case 'mark':
      return (event['mark'] === 'stale' || event['mark'] === 'live') && isListOf(event['symbols'], isText);
    case 'reset':
      return isCount(event['epoch']) && isText(event['reason']);
    case 'refused':
      return isTopic(event['topic']) && isText(event['selector']) && isCode(event['code']) && isText(event['detail']);
    case 'system':
      return isSystemEvent(event['event']) && isRecord(event['data']);
    default:
      return false;
  }
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isListOf = (value: unknown, isItem: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every((item) => isItem(item));
const isTopic = (value: unknown): boolean => DATA_TOPICS.includes(value as DataTopic);
const isCode = (value: unknown): boolean => typeof value === 'string' && Object.hasOwn(ERRORS, value);
const isSystemEvent = (value: unknown): boolean => SYSTEM_EVENTS.includes(value as SystemEvent);
const isRow = (value: unknown): boolean =>
  isEntity(value) && isText((value as Fields)['key']) && typeof (value as Fields)['atMs'] === 'number';
const isEntity = (value: unknown): boolean => isRecord(value) && isText(value['id']) && isText(value['json']);
const isSlice = (value: unknown): boolean =>
  isRecord(value) &&
  isText(value['key']) &&
  isListOf(value['entities'], isEntity) &&
  (value['more'] === undefined || value['more'] === true) &&
  (value['known'] === undefined || isListOf(value['known'], isText));
const isChange = (value: unknown): boolean =>
  isEntity(value) &&
  isText((value as Fields)['key']) &&
  ['string', 'undefined'].includes(typeof ((value as Fields)['state'] ?? undefined));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
