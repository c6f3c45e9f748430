import { type Digests, WEB_DIGESTS } from '../digests.ts';

/**
 * One line of the audit. `digest` is that of the event, `hash` that of number, record before and digest: an event can be
 * erased, leaving its digest, and the chain holds. Nobody can tell the event from its digest: its id is random.
 */
export interface AuditRecord {
  /** From 1, without a gap. */
  readonly seq: number;
  /** `hash` of the record before; 64 zeros of the first one. */
  readonly prev: string;
  /** SHA-256 of the event's JSON, hex. */
  readonly digest: string;
  /** SHA-256 of `seq`, `prev` and `digest`, each on a line, hex. */
  readonly hash: string;
  /** null = erased. */
  readonly event: AuditedEvent | null;
}

/** An event, or the head of the day before. */
export type AuditedEvent = Readonly<Record<string, unknown>>;

export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
  /** UTC, `2026-11-28`; '' before the first record. */
  readonly day: string;
  /** The object that it stands in; '' before the first record. */
  readonly key: string;
}

export const EMPTY_CHAIN: ChainHead = { seq: 0, hash: '0'.repeat(64), day: '', key: '' };

/** The first record of a day: the head of the last one before it, signed. */
export const DAY_TYPE = 'audit.day';
export interface DayHead extends AuditedEvent {
  readonly type: typeof DAY_TYPE;
  readonly broker: string;
  /** The day that is closed, and its last record. */
  readonly day: string;
  readonly seq: number;
  readonly hash: string;
  /** Ed25519, base64url. */
  readonly publicKey: string;
  readonly signature: string;
}

/** What a record's hash is of. */
export const hashedText = (seq: number, prev: string, digest: string): string => `${seq}\n${prev}\n${digest}`;

/** The record that follows a head, as its line. `text` is the event as `JSON.stringify` writes it. */
export async function nextLine(
  head: Pick<ChainHead, 'seq' | 'hash'>,
  text: string,
  { sha256 }: Digests = WEB_DIGESTS,
): Promise<Pick<AuditRecord, 'seq' | 'hash'> & { readonly line: string }> {
  const seq = head.seq + 1;
  const digest = await sha256(text);
  const hash = await sha256(hashedText(seq, head.hash, digest));
  return { seq, hash, line: lineOf({ seq, prev: head.hash, digest, hash }, text) };
}

const lineOf = ({ seq, prev, digest, hash }: Omit<AuditRecord, 'event'>, text: string): string =>
  `{"seq":${seq},"prev":"${prev}","digest":"${digest}","hash":"${hash}","event":${text}}\n`;

/** As it stands in an object, byte for byte. */
export const recordLine = (record: AuditRecord): string => lineOf(record, JSON.stringify(record.event));

/** The lines of an object as records; undefined where one is none. */
export const parseObject = (text: string): readonly (AuditRecord | undefined)[] =>
  text.split('\n').slice(0, -1).map(parseLine);

const HASH = /^[0-9a-f]{64}$/;

/** A line that says what a record says, in these very bytes. */
export function parseLine(line: string): AuditRecord | undefined {
  try {
    const record = JSON.parse(line) as AuditRecord;
    const { seq, prev, digest, hash, event } = record;
    const isRecord = Number.isSafeInteger(seq) && [prev, digest, hash].every((text) => HASH.test(text));
    const hasEvent = event === null || (typeof event === 'object' && !Array.isArray(event));
    return isRecord && hasEvent && recordLine(record) === `${line}\n` ? record : undefined;
  } catch {
    return undefined;
  }
}
