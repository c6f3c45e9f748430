import { z } from 'zod';

/**
 * What happened, as it is told: to the audit, and to those who asked to be told (webhooks). Written in the transaction of
 * what it tells, delivered afterwards at least once, under the same id each time.
 */

/** The first word of every type. */
export const EVENT_FAMILIES = [
  'operation',
  'session',
  'key',
  'account',
  'admin',
  'margin',
  'stream',
  'container',
] as const;
export type EventFamily = (typeof EVENT_FAMILIES)[number];
export type EventType = `${EventFamily}.${string}`;

/** Nobody asked for it: the bridge itself did it. */
export const BRIDGE_CALLER = 'bridge';

/** Who asked for what an event tells. */
export interface Actor {
  /** Id of the key, `<key>/<login>` of a trader's session, or `bridge`. */
  readonly caller: string;
  readonly requestId?: string | undefined;
  /** Network address of the client. */
  readonly address?: string | undefined;
}

export const eventSchema = z.object({
  id: z.string().regex(/^evt_[0-9a-f]{32}$/),
  type: z.string().regex(/^[a-z]+\.[a-z_]+$/),
  /** RFC 3339 UTC. */
  time: z.string(),
  timeMs: z.number(),
  broker: z.string(),
  caller: z.string(),
  address: z.string().optional(),
  requestId: z.string().optional(),
  login: z.int().optional(),
  data: z.record(z.string(), z.unknown()),
});
export type BridgeEvent = z.infer<typeof eventSchema>;

/** What tells of an event what its time, its id and its broker do not. */
export interface EventDraft {
  readonly type: EventType;
  readonly by?: Actor | undefined;
  readonly login?: number | null | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

/** `operation.*`, `operation.done`, or `*` for all. */
export const EVENT_PATTERN = new RegExp(`^(?:\\*|(?:${EVENT_FAMILIES.join('|')})\\.(?:\\*|[a-z_]{1,60}))$`);

export const eventTypeMatches = (pattern: string, type: string): boolean =>
  pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)));

/** An event in the row of its source: `seq` grows by the order of telling and is never used twice. */
export interface WaitingEvent {
  readonly seq: number;
  /** `BridgeEvent` as JSON. */
  readonly text: string;
}

/** Events of one source, oldest first, as they are handed on. */
export interface EventBatch {
  /** Random, of the memory that the events were told in: another memory counts from the beginning. */
  readonly source: string;
  readonly events: readonly WaitingEvent[];
}

/** How far the audit is behind. */
export interface AuditBacklog {
  /** Events that no stored object holds yet. */
  readonly pending: number;
  /** When the oldest of them happened, epoch ms; null = none. */
  readonly oldestAtMs: number | null;
  /** Why they are not stored; null = nothing is wrong. */
  readonly fault: string | null;
}

/** Subscriptions that were told of a gap, for one reason, within a moment. */
export interface StreamGap {
  readonly topic: string;
  readonly reason: string;
  readonly subscriptions: number;
}

/** What the outbox has before it. */
export interface OutboxFigures {
  /** null = nobody asked for an audit. */
  readonly audit: AuditBacklog | null;
  /** Of all receivers that are not disabled together. */
  readonly webhooks: {
    readonly pending: number;
    readonly oldestAtMs: number | null;
    /** Receivers that are disabled. */
    readonly disabled: number;
  };
}

/** The answer to a batch. */
export interface BatchTaken {
  /** Everything up to this `seq` of the source is kept: it need not be told again. */
  readonly taken: number;
  /** null = nobody asked for an audit. */
  readonly audit: AuditBacklog | null;
}

/** While the events that wait are too many: no write is begun, or the oldest events are given up. */
const OUTBOX_FULL = ['refuse', 'drop'] as const;
export type OutboxFull = (typeof OUTBOX_FULL)[number];
export const outboxFullSchema = z
  .enum(OUTBOX_FULL, { error: `expected ${OUTBOX_FULL.join(' or ')}` })
  .default('refuse');

/** `MARGIN_WATCH`: masks of groups, by comma. */
export const marginWatchSchema = z
  .string()
  .default('')
  .refine((text) => /^[^\p{Cc}]{0,1000}$/u.test(text), 'expected masks of groups like "real\\*", by comma, or nothing');

/** `WEBHOOK_ALLOWED_ORIGINS`: receivers of webhooks that may be called whatever they are, by comma. */
export const allowedOriginsSchema = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
  )
  .refine((origins) => origins.every(isOrigin), 'expected origins like "http://receiver.internal:8080", by comma');

function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** Names of fields whose text never leaves; `LastPassChange` and its like are times. */
const SECRET_NAME = /pass(?!\w*change)|secret|otp|token|^hash(es)?$/i;

/** The same without what opens anything. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, inner]) => !(typeof inner === 'string' && SECRET_NAME.test(name)))
      .map(([name, inner]) => [name, withoutSecrets(inner)]),
  );
}
