import type { Change, Entity } from '../../contract/hub-link.ts';
import { equitySlice, type BookSlice, type EquityBounds } from '../../contract/slice-keys.ts';
import { Fields, type WireObject } from '../../webapi/fields.ts';
import { readSlices } from './by-scope.ts';
import { DayStarts } from './day-starts.ts';
import { equityRow } from './equity-row.ts';
import type { Feed } from './feed.ts';
import { Followed } from './followed.ts';
import type { FeedReads } from './reads.ts';
import { withEvent } from './with-event.ts';

const PATH = 'user/account/get_batch';

interface Slice extends BookSlice, EquityBounds {
  readonly key: string;
  /** Accounts that are beyond a bound, by login. */
  readonly beyond: Map<string, { readonly crossed: string; readonly json: string }>;
  /** Of the read under way: those of them that were answered for. */
  seen: Set<string> | undefined;
  hasAnswered: boolean;
}

/** Accounts whose margin level is below a bound, or whose loss since the day's start is above one: told as they cross it. */
export class EquityFeed extends Followed<Slice> implements Feed {
  readonly topic = 'equity';
  readonly #reads: FeedReads;
  readonly #starts: DayStarts;

  constructor(reads: FeedReads, now: () => number, onError: (error: unknown) => void) {
    super();
    this.#reads = reads;
    this.#starts = new DayStarts(reads, now, onError);
  }

  *entities(key: string): Iterable<Entity> {
    for (const [id, { json }] of this.followed.get(key)?.beyond ?? []) yield { id, json };
  }

  async load(keys: readonly string[]): Promise<readonly string[]> {
    const slices = keys.map((key): Slice => ({
      ...equitySlice(key),
      key,
      beyond: new Map(),
      seen: undefined,
      hasAnswered: false,
    }));
    await this.#starts.load(slices.filter(needsStart));
    for await (const part of readSlices(this.#reads, PATH, slices)) if ('rows' in part) this.#take(part.rows, part.of);
    for (const slice of slices) {
      slice.seen = undefined;
      this.followed.set(slice.key, slice);
    }
    return slices.filter(({ login, hasAnswered }) => login !== undefined && !hasAnswered).map(({ key }) => key);
  }

  override forget(keys: Iterable<string>): void {
    super.forget(keys);
    if (this.followed.size === 0) this.#starts.forget();
  }

  async poll(tell: (changes: readonly Change[]) => void): Promise<void> {
    const slices = [...this.followed.values()];
    for (const slice of slices) slice.seen = undefined;
    this.#starts.refresh(slices.filter(needsStart));
    for await (const part of readSlices(this.#reads, PATH, slices))
      if ('rows' in part) {
        await this.#learn(part.rows, part.of);
        tell(this.#take(part.rows, part.of));
      } else for (const slice of part.ended) tell(await this.#gone(slice));
  }

  /** The day's start of accounts that are new in a group. */
  async #learn(rows: readonly WireObject[], of: (login: string) => readonly Slice[]): Promise<void> {
    const logins = rows.flatMap((wire) => new Fields(wire).text('Login') ?? []);
    await this.#starts.learn(logins.filter((login) => of(login).some(needsStart)));
  }

  #take(rows: readonly WireObject[], of: (login: string) => readonly Slice[]): Change[] {
    const changes: Change[] = [];
    for (const wire of rows) {
      const login = new Fields(wire).text('Login');
      if (login === undefined) continue;
      for (const slice of of(login)) {
        slice.hasAnswered = true;
        const { key, beyond } = slice;
        const before = beyond.get(login);
        if (before) (slice.seen ??= new Set()).add(login);
        const row = equityRow(login, wire, needsStart(slice) ? this.#starts.of(login) : undefined, slice);
        const crossed = row.crossed.join();
        if (crossed === (before?.crossed ?? '')) continue;
        const json = JSON.stringify(row);
        if (crossed === '') beyond.delete(login);
        else beyond.set(login, { crossed, json });
        const event = crossed === '' ? 'left' : before ? 'changed' : 'entered';
        if (crossed !== '') (slice.seen ??= new Set()).add(login);
        changes.push({ key, id: login, json: withEvent(json, event), state: crossed === '' ? null : json });
      }
    }
    return changes;
  }

  /** Accounts that left the group. One that is not answered for once is not gone. */
  async #gone({ key, mask, seen, beyond }: Slice): Promise<Change[]> {
    const silent = [...beyond].filter(([login]) => !seen?.has(login));
    if (mask === undefined || silent.length === 0) return [];
    const members = new Set(await this.#reads.members(mask, 0));
    return silent.flatMap(([login, { json }]) => {
      if (members.has(login)) return [];
      beyond.delete(login);
      return [{ key, id: login, json: withEvent(json, 'left'), state: null }];
    });
  }
}

const needsStart = ({ drawdownAbove }: EquityBounds): boolean => drawdownAbove !== undefined;
