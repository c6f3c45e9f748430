import { topicEntry } from '../contract/frames.ts';
import type { MissedRow, SourceEvent } from '../contract/hub-link.ts';
import type { Member } from './member.ts';

/** Since when a member may have missed something. */
export interface Since {
  /** The broker is asked from here on, epoch ms. */
  readonly sinceMs: number;
  /** What was published until then it has been told. */
  readonly toldUntilMs: number;
  /** Told by a client, or remembered over another life: what is not known here is judged by its own time. */
  readonly byTime: boolean;
  isAsked: boolean;
  /** What the broker told; `undefined` = nothing yet. */
  rows: readonly MissedRow[] | undefined;
}

/** A deal may be seen so much later than its own time says; what was told of that time is known by its ticket. */
const OVERLAP_MS = 60_000;

/**
 * The broker's clock may be behind ours. What is told twice for it is known by its ticket; what is not told is known by
 * nothing.
 */
const CLOCKS_DIFFER_MS = 5_000;

/**
 * What happens and does not stand (deals, orders that are gone) is no part of a snapshot: after a gap the broker is asked
 * for it before the snapshot is given.
 */
export class MissedEvents {
  readonly #waiting = new Map<number, readonly Member[]>();
  /** Of this turn: members of one selection with the same gap are asked for together. */
  readonly #asked = new Map<string, Member[]>();
  #lastId = 0;

  /** Whether the member still has to wait for it. */
  isOwed(member: Member): boolean {
    const { since, log } = member;
    if (!since || since.rows !== undefined || topicEntry(log.name).behind !== 'every') return false;
    if (!since.isAsked) this.#ask(member, since);
    return true;
  }

  /** Nothing that was asked will be answered: all are owed a snapshot anew, and ask again. */
  forget(): void {
    this.#waiting.clear();
    this.#asked.clear();
  }

  /** @returns those who waited for it */
  told({ id, rows }: Extract<SourceEvent, { kind: 'missed' }>): readonly Member[] {
    const members = this.#waiting.get(id) ?? [];
    this.#waiting.delete(id);
    // A broker that does not tell leaves the gap declared as it is.
    for (const { since } of members) if (since?.isAsked) since.rows = rows ?? [];
    return members;
  }

  #ask(member: Member, since: Since): void {
    since.isAsked = true;
    const { log, group } = member;
    const together = `${log.name}\n${group.id}\n${since.sinceMs}`;
    const asked = this.#asked.get(together);
    if (asked) return void asked.push(member);
    const members = [member];
    this.#asked.set(together, members);
    queueMicrotask(() => {
      if (this.#asked.get(together) !== members) return;
      this.#asked.delete(together);
      const id = ++this.#lastId;
      this.#waiting.set(id, members);
      log.missed([...group.keys], { id, sinceMs: since.sinceMs - OVERLAP_MS });
    });
  }
}

/** JSON of what a member was not told, oldest first. */
export function missedBy({ log, group, since }: Member): string[] {
  if (!since?.rows) return [];
  return since.rows
    .filter(({ key, id, atMs }) => group.keys.has(key) && isNews(log.publishedAtMs(id), atMs, since))
    .map(({ json }) => json);
}

/** `publishedAtMs`: when this bridge told it to whoever listened; 0 = it was there before anybody did; undefined = not seen. */
function isNews(publishedAtMs: number | undefined, atMs: number, since: Since): boolean {
  if (publishedAtMs) return publishedAtMs > since.toldUntilMs;
  return since.byTime ? atMs >= since.sinceMs - CLOCKS_DIFFER_MS : publishedAtMs === undefined;
}
