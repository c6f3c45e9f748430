/**
 * Where the audit's objects are: an R2 bucket, or a folder on a VPS. Nothing is overwritten and nothing deleted through
 * it.
 */
export interface AuditStore {
  /** Text of a new object. `exists`: there is one of this key, and it is left as it is. @throws while it is away */
  create(key: string, text: string): Promise<'created' | 'exists'>;
  /** null = there is none. */
  read(key: string): Promise<string | null>;
  /** Keys that begin so and come after this one, in order; at most a thousand or so. */
  list(prefix: string, after: string): Promise<readonly string[]>;
}

const SEQ_DIGITS = 15;

/** Sorts by time: `main/2026/11/28/000000000000001.ndjson`, by the number of its first record. `day` is `2026-11-28`. */
export const objectKey = (broker: string, day: string, seq: number): string =>
  `${broker}/${day.replaceAll('-', '/')}/${String(seq).padStart(SEQ_DIGITS, '0')}.ndjson`;

/** What an object's key says; undefined = it is not one of the audit's. */
export function readObjectKey(key: string): { broker: string; day: string; seq: number } | undefined {
  const [, broker = '', year = '', month = '', day = '', seq = ''] =
    /^([a-z0-9-]+)\/(\d{4})\/(\d{2})\/(\d{2})\/(\d{15})\.ndjson$/.exec(key) ?? [];
  return broker === '' ? undefined : { broker, day: `${year}-${month}-${day}`, seq: Number(seq) };
}

/** Comes before every key of this day. */
export const keyBefore = (broker: string, day: string): string => `${broker}/${day.replaceAll('-', '/')}/`;

/** `2026-11-28` of an instant, in UTC. */
export const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
