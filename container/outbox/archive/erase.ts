import type { ArchiveKind } from '../../contract/routes/archive.ts';
import { WEB_DIGESTS } from '../digests.ts';
import { gzip } from './gzip.ts';
import { type Kept, keptDays, textOf } from './read-archive.ts';
import { dayKey, type DayPart } from './store.ts';

export interface Erasable extends Kept {
  /** Writes an object in place of what is there. */
  readonly replace: (key: string, content: string | Uint8Array<ArrayBuffer>) => Promise<void>;
}

/**
 * Takes the lines of a login out of every day: its objects are written anew under their names, then the day with their
 * hashes. Broken off in between, a day cannot be read until it is done again. @returns how many lines were taken out
 */
export async function eraseLogin(kept: Erasable, kind: ArchiveKind, login: number): Promise<number> {
  let erased = 0;
  for (let cursor: string | undefined; ;) {
    const { items, nextCursor } = await keptDays(kept, kind, { limit: 100, cursor });
    for (const day of items) {
      const parts: DayPart[] = [];
      for (const part of day.parts) {
        const text = await textOf(kept.store, part, { isTrusted: true });
        const lines = text.split('\n').slice(0, -1);
        const left = lines.filter((line) => (JSON.parse(line) as { login?: unknown }).login !== login);
        if (left.length === lines.length) {
          parts.push(part);
          continue;
        }
        erased += lines.length - left.length;
        const now = left.map((line) => `${line}\n`).join('');
        const bytes = await gzip(now);
        await kept.replace(part.key, bytes);
        parts.push({
          key: part.key,
          items: left.length,
          bytes: bytes.byteLength,
          sha256: await WEB_DIGESTS.sha256(now),
        });
      }
      const count = parts.reduce((sum, { items }) => sum + items, 0);
      const text = JSON.stringify({ ...day, items: count, parts });
      if (parts.some((part, i) => part !== day.parts[i])) await kept.replace(dayKey(kept.broker, kind, day.day), text);
    }
    if (nextCursor === null) return erased;
    cursor = nextCursor;
  }
}
