import { BridgeError } from '../../contract/errors.ts';
import type { ArchiveKind } from '../../contract/routes/archive.ts';
import { WEB_DIGESTS } from '../digests.ts';
import { gunzip } from './gzip.ts';
import { type ArchiveStore, dayKey, dayOfKey, type DayPart, daysPrefix, type KeptDay } from './store.ts';

/** Whose archive it is, and where. */
export interface Kept {
  readonly store: ArchiveStore;
  readonly broker: string;
}

export interface DaysQuery {
  /** Days, both included. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly limit: number;
  /** The last day of the page before. */
  readonly cursor?: string | undefined;
}

/** Days that are kept, the oldest first. */
export async function keptDays(
  { store, broker }: Kept,
  kind: ArchiveKind,
  { from, to, limit, cursor }: DaysQuery,
): Promise<{ readonly items: readonly KeptDay[]; readonly nextCursor: string | null }> {
  // Of `2026-11-28`, `2026-11-28.json` is what follows.
  const after = cursor !== undefined ? dayKey(broker, kind, cursor) : `${daysPrefix(broker, kind)}${from ?? ''}`;
  const found = (await store.list(daysPrefix(broker, kind), after))
    .flatMap((key) => dayOfKey(key) ?? [])
    .filter((day) => to === undefined || day <= to);
  const items = await Promise.all(found.slice(0, limit).map((day) => keptDay({ store, broker }, kind, day)));
  return { items, nextCursor: found.length > limit ? (items.at(-1)?.day ?? null) : null };
}

/** @throws BridgeError `object_not_found` */
async function keptDay({ store, broker }: Kept, kind: ArchiveKind, day: string): Promise<KeptDay> {
  const text = await store.read(dayKey(broker, kind, day));
  if (text !== null) return JSON.parse(text) as KeptDay;
  throw new BridgeError('object_not_found', {
    detail: `The ${kind} of ${day} are not in the archive; GET /v1/archive/${kind} lists the days that are.`,
    outcome: 'not_sent',
  });
}

export interface LinesQuery {
  readonly login?: number | undefined;
  readonly limit: number;
  /** `<part>.<line>` of the next one. */
  readonly cursor?: string | undefined;
}

/** Parts of one page: a login that few lines are of is answered in several pages, some of them short. */
const PARTS_PER_PAGE = 10;

/** What was kept of a day. @throws BridgeError `object_not_found` · `state_unavailable` where it is not what was kept */
export async function keptRows(
  kept: Kept,
  { kind, day }: Pick<KeptDay, 'kind' | 'day'>,
  { login, limit, cursor }: LinesQuery,
): Promise<{ readonly items: readonly Record<string, unknown>[]; readonly nextCursor: string | null }> {
  const { parts } = await keptDay(kept, kind, day);
  const [firstPart = 0, firstLine = 0] = (cursor ?? '').split('.').map(Number);
  const items: Record<string, unknown>[] = [];
  for (const [n, part] of parts.entries()) {
    if (n < firstPart) continue;
    if (n >= firstPart + PARTS_PER_PAGE) return { items, nextCursor: `${n}.0` };
    const lines = (await textOf(kept.store, part)).split('\n').slice(0, -1);
    for (const [i, line] of lines.entries()) {
      if (n === firstPart && i < firstLine) continue;
      const row = JSON.parse(line) as Record<string, unknown>;
      if (login !== undefined && row['login'] !== login) continue;
      if (items.length >= limit) return { items, nextCursor: `${n}.${i}` };
      items.push(row);
    }
  }
  return { items, nextCursor: null };
}

/** The lines of an object. @param isTrusted they may be others than those that were kept @throws BridgeError `state_unavailable` */
export async function textOf(
  store: ArchiveStore,
  { key, sha256: hash }: DayPart,
  { isTrusted = false } = {},
): Promise<string> {
  const bytes = await store.readBytes(key);
  const text = bytes && (await gunzip(bytes).catch(() => null));
  if (typeof text === 'string' && (isTrusted || (await WEB_DIGESTS.sha256(text)) === hash)) return text;
  const what = bytes ? 'is not what was kept' : 'is missing';
  throw new BridgeError('state_unavailable', { detail: `${key} of the archive ${what}.` });
}
