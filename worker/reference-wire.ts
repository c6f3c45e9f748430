import { z } from 'zod';
import { HEADER } from '../container/contract/headers.ts';
import { REFERENCE_CLASSES, type ReferenceClass } from '../container/contract/reference-data.ts';

/** What door and Durable Object tell each other of reference data, beside a request and its answer. */

const askSchema = z.object({
  class: z.enum(REFERENCE_CLASSES),
  /** Route, input and what the caller may see: the same for everybody who is to get the same answer. */
  key: z.string(),
  /** The oldest answer that is taken; 0 = none that is kept; null = any. */
  oldestMs: z.number().nullable(),
  /** Of the answer that the isolate has: where it is still the one, it is not sent again (304). */
  etag: z.string().nullable(),
  /** No caller waits for it. */
  behind: z.boolean(),
});
export type ReferenceAsk = Readonly<z.infer<typeof askSchema>>;

const toldSchema = z.object({
  /** Of its class when the answer was read: another one by now, and a write came between. */
  generation: z.int(),
  /** When the broker was asked for it, epoch ms. */
  readAtMs: z.number(),
  freshForMs: z.number(),
  /** Why it is given though it is old; null = it is not. */
  stale: z.string().nullable(),
  /** The Durable Object's part of `Cache-Status`. */
  cacheStatus: z.string(),
});
export type ReferenceTold = Readonly<z.infer<typeof toldSchema>>;

/** @returns null where the header is not there, or is not what the door writes */
export const readAsk = (headers: Headers): ReferenceAsk | null => parsed(askSchema, headers);
export const readTold = (headers: Headers): ReferenceTold | null => parsed(toldSchema, headers);

function parsed<T>(schema: z.ZodType<T>, headers: Headers): T | null {
  const text = headers.get(HEADER.reference);
  return text === null ? null : (schema.safeParse(JSON.parse(text)).data ?? null);
}

/** In a header, whose value is bytes: what is not ASCII (names of symbols) is escaped. */
export const wireText = (value: ReferenceAsk | ReferenceTold): string =>
  JSON.stringify(value).replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Raised by every write that may have changed the class; kept for as long as the Durable Object is. */
export type Generations = Readonly<Record<ReferenceClass, number>>;

/** What the door's cache of one broker did since its Durable Object was made. */
export interface ReferenceState {
  readonly generations: Generations;
  readonly statistics: {
    /** Answers that are kept. */
    readonly entries: number;
    readonly byClass: Readonly<Record<ReferenceClass, ReferenceCounts & { readonly invalidations: number }>>;
  };
}

/** How many reads were answered, and from where. */
export interface ReferenceCounts {
  /** From an isolate's memory. */
  memoryHits: number;
  /** From the Durable Object's SQLite. */
  storeHits: number;
  /** Of both, those whose answer was older than it is fresh. */
  staleHits: number;
  /** Those that went on to the container. */
  misses: number;
}
export type CountsByClass = Readonly<Record<ReferenceClass, ReferenceCounts>>;

export const perClass = <T>(value: (one: ReferenceClass) => T): Record<ReferenceClass, T> =>
  Object.fromEntries(REFERENCE_CLASSES.map((one) => [one, value(one)])) as Record<ReferenceClass, T>;

export const noCounts = (): Record<ReferenceClass, ReferenceCounts> =>
  perClass(() => ({ memoryHits: 0, storeHits: 0, staleHits: 0, misses: 0 }));

/** A member of `Cache-Status` (RFC 9211): one cache, and what it did. */
export function cacheStatus(
  cache: 'isolate' | 'durable-object',
  did: {
    readonly hit?: boolean;
    readonly fwd?: 'uri-miss' | 'stale' | 'request';
    readonly fwdStatus?: number;
    readonly ttlMs?: number;
    readonly stored?: boolean;
    readonly detail?: string | null;
  },
): string {
  const parts: string[] = [cache];
  if (did.hit) parts.push('hit');
  if (did.fwd) parts.push(`fwd=${did.fwd}`);
  if (did.fwdStatus !== undefined) parts.push(`fwd-status=${did.fwdStatus}`);
  if (did.ttlMs !== undefined) parts.push(`ttl=${Math.floor(did.ttlMs / 1000)}`);
  if (did.stored) parts.push('stored');
  if (did.detail) parts.push(`detail="${did.detail.replaceAll(/[^\x20-\x7e]|["\\]/g, ' ')}"`);
  return parts.join('; ');
}
