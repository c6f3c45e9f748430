import type { ArchiveKind } from '../../contract/routes/archive.ts';

/** Where the archive's objects are: an R2 bucket, or a folder on a VPS. Nothing is overwritten through it. */
export interface ArchiveStore {
  /** `exists`: there is an object of this key, and it is left as it is. @throws while it is away */
  create(key: string, content: string | Uint8Array<ArrayBuffer>): Promise<'created' | 'exists'>;
  /** null = there is none. */
  read(key: string): Promise<string | null>;
  readBytes(key: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Keys that begin so and come after this one, in order; at most a thousand or so. */
  list(prefix: string, after: string): Promise<readonly string[]>;
}

/** One object of a day. */
export interface DayPart {
  readonly key: string;
  readonly items: number;
  /** As it is stored, compressed. */
  readonly bytes: number;
  /** Of its lines, hex. */
  readonly sha256: string;
}

/** A day that is kept: written after all of its parts, so that a day is there whole or not at all. */
export interface KeptDay {
  readonly kind: ArchiveKind;
  /** UTC, `2026-11-28`. */
  readonly day: string;
  readonly items: number;
  /** When the broker was asked, epoch ms. */
  readonly readAtMs: number;
  readonly parts: readonly DayPart[];
}

export const daysPrefix = (broker: string, kind: ArchiveKind): string => `${broker}/${kind}/days/`;

export const dayKey = (broker: string, kind: ArchiveKind, day: string): string =>
  `${daysPrefix(broker, kind)}${day}.json`;

/** `2026-11-28` of a day's key; undefined = it is none. */
export const dayOfKey = (key: string): string | undefined => /\/days\/(\d{4}-\d{2}-\d{2})\.json$/.exec(key)?.[1];

/** Named by what is in it: an attempt that was broken off leaves parts that keep no other from being written. */
export const partKey = (
  broker: string,
  { kind, day }: Pick<KeptDay, 'kind' | 'day'>,
  n: number,
  sha256: string,
): string => `${broker}/${kind}/parts/${day}/${String(n).padStart(4, '0')}-${sha256.slice(0, 16)}.ndjson.gz`;
