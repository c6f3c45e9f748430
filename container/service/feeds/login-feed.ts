import { hash } from 'node:crypto';
import type { AnyObjectDefinition } from '../../contract/schemas/object.ts';
import { bookSlice, type BookSlice } from '../../contract/slice-keys.ts';
import type { Change, Entity, MissedRow } from '../../contract/hub-link.ts';
import { Fields, type WireObject } from '../../webapi/fields.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import { decodeObject } from '../broker/decode.ts';
import type { Feed } from './feed.ts';
import { Followed } from './followed.ts';
import { LOGIN_KINDS, type Kind } from './login-kinds.ts';
import { readSlices } from './by-scope.ts';
import type { FeedReads } from './reads.ts';
import { withEvent } from './with-event.ts';

/** Clocks of broker and bridge agree within a day, whatever the zone was taken for. */
export const AHEAD_MS = 86_400_000;

interface Row {
  /** Of the object as sent, to tell a change: the text itself would cost as much again. */
  readonly digest: string;
  readonly json: string;
  readonly login: number;
}

interface Slice extends BookSlice {
  readonly key: string;
  readonly rows: Map<string, Row>;
  /** Of the read under way: ids that came. */
  seen: Set<string> | undefined;
}

/** Accounts, positions or open orders of the followed logins and groups: told by what differs from poll to poll. */
export class LoginFeed extends Followed<Slice> implements Feed {
  readonly topic: keyof typeof LOGIN_KINDS;
  readonly #kind: Kind;
  readonly #reads: FeedReads;
  readonly #clock: () => Promise<BrokerClock>;
  readonly #now: () => number;

  constructor(topic: keyof typeof LOGIN_KINDS, reads: FeedReads, clock: () => Promise<BrokerClock>, now: () => number) {
    super();
    this.topic = topic;
    this.#kind = LOGIN_KINDS[topic];
    this.#reads = reads;
    this.#clock = clock;
    this.#now = now;
  }

  *entities(key: string): Iterable<Entity> {
    for (const [id, { json }] of this.followed.get(key)?.rows ?? []) yield { id, json };
  }

  async load(keys: readonly string[]): Promise<readonly string[]> {
    const clock = await this.#clock();
    const slices = keys.map((key): Slice => ({ ...bookSlice(key), key, rows: new Map(), seen: undefined }));
    for await (const part of readSlices(this.#reads, this.#kind.path, slices))
      if ('rows' in part) this.#take(part.rows, part.of, clock);
    for (const slice of slices) {
      slice.seen = undefined;
      this.followed.set(slice.key, slice);
    }
    const isMissing = ({ login, rows }: Slice): boolean =>
      this.#kind.one === true && login !== undefined && rows.size === 0;
    return slices.filter(isMissing).map(({ key }) => key);
  }

  async poll(tell: (changes: readonly Change[]) => void): Promise<void> {
    const clock = await this.#clock();
    const slices = [...this.followed.values()];
    for (const slice of slices) slice.seen = undefined;
    for await (const part of readSlices(this.#reads, this.#kind.path, slices))
      if ('rows' in part) tell(this.#take(part.rows, part.of, clock));
      else for (const slice of part.ended) await this.#end(slice, clock, tell);
  }

  async missed(keys: readonly string[], sinceMs: number): Promise<readonly MissedRow[]> {
    const { past, events, definition, id: idField } = this.#kind;
    if (!past || !events) return [];
    const clock = await this.#clock();
    const window = [
      ['from', String(Math.floor(clock.toServerMs(sinceMs) / 1000))],
      ['to', String(Math.ceil(clock.toServerMs(this.#now() + AHEAD_MS) / 1000))],
    ] as const;
    const slices = keys.flatMap((key) => this.followed.get(key) ?? []);
    const rows: MissedRow[] = [];
    for await (const part of readSlices(this.#reads, past.path, slices, window)) {
      if (!('rows' in part)) continue;
      for (const wire of part.rows) {
        const fields = new Fields(wire);
        const login = fields.text('Login');
        const id = fields.text(idField);
        const atMs = clock.toUtcMs((fields.integer(past.removedAt) ?? 0) * 1000);
        // One that stands still, or whose end the next poll will tell, is no news here.
        if (login === undefined || id === undefined || atMs < sinceMs || !past.isShown(wire)) continue;
        const json = objectJson(definition, wire, clock);
        const placedAtMs = clock.toUtcMs((fields.integer(past.placedAt) ?? 0) * 1000);
        for (const slice of part.of(login)) {
          if (slice.rows.has(id)) continue;
          const row = { key: slice.key, id };
          if (placedAtMs >= sinceMs) rows.push({ ...row, atMs: placedAtMs, json: withEvent(json, events.added) });
          rows.push({ ...row, atMs, json: withEvent(json, events.removed) });
        }
      }
    }
    return rows.toSorted((a, b) => a.atMs - b.atMs);
  }

  /** Rows that came, into the slices that they are of. @returns what is new */
  #take(rows: readonly WireObject[], of: (login: string) => readonly Slice[], clock: BrokerClock): Change[] {
    const { events, definition, id: idField } = this.#kind;
    const changes: Change[] = [];
    for (const wire of rows) {
      const fields = new Fields(wire);
      const login = fields.text('Login');
      const id = fields.text(idField);
      if (login === undefined || id === undefined) continue;
      const slices = of(login);
      const digest = slices.length > 0 ? hash('sha1', JSON.stringify(wire), 'binary') : '';
      let row: Row | undefined;
      for (const slice of slices) {
        const { key } = slice;
        (slice.seen ??= new Set()).add(id);
        const before = slice.rows.get(id);
        if (before?.digest === digest) continue;
        row ??= { digest, json: objectJson(definition, wire, clock), login: Number(login) };
        slice.rows.set(id, row);
        if (events === undefined) changes.push({ key, id, json: row.json });
        else {
          const event = before ? events.changed : events.added;
          changes.push({ key, id, json: withEvent(row.json, event), state: row.json });
        }
      }
    }
    return changes;
  }

  /** What a slice has no longer, once all of it has been read. */
  async #end(slice: Slice, clock: BrokerClock, tell: (changes: readonly Change[]) => void): Promise<void> {
    const { seen, rows } = slice;
    slice.seen = undefined;
    const gone = [...rows].filter(([id]) => !seen?.has(id));
    if (gone.length === 0) return;
    if (slice.mask !== undefined) return this.#endOfGroup(slice, slice.mask, gone, clock, tell);
    // An account that is not answered for once is not gone; positions and orders go.
    const { events } = this.#kind;
    if (events) tell(gone.map(([id, row]) => this.#removed(slice, id, row, events.removed)));
  }

  /**
   * What a group's answer no longer holds is asked for by login before it is told: the account may have changed its group
   * (`left`), and an answer may be short.
   */
  async #endOfGroup(
    slice: Slice,
    mask: string,
    gone: readonly (readonly [id: string, row: Row])[],
    clock: BrokerClock,
    tell: (changes: readonly Change[]) => void,
  ): Promise<void> {
    const standing = new Set<string>();
    const found: WireObject[] = [];
    const logins = new Set(gone.map(([, { login }]) => String(login)));
    for await (const { rows } of this.#reads.batches(this.#kind.path, logins))
      for (const wire of rows) {
        const id = new Fields(wire).text(this.#kind.id);
        if (id === undefined || !slice.rows.has(id)) continue;
        standing.add(id);
        found.push(wire);
      }
    const isAsked = this.#kind.one === true || gone.some(([id]) => standing.has(id));
    const members = new Set(isAsked ? await this.#reads.members(mask, 0) : []);
    const changes: Change[] = [];
    for (const [id, row] of gone) {
      const isMember = members.has(String(row.login));
      if (isMember && (standing.has(id) || this.#kind.one)) continue;
      const removed = standing.has(id) ? undefined : this.#kind.events?.removed;
      changes.push(this.#removed(slice, id, row, removed ?? 'left'));
    }
    tell([...this.#take(found, (login) => (members.has(login) ? [slice] : []), clock), ...changes]);
    slice.seen = undefined;
  }

  #removed({ key, rows }: Slice, id: string, { json }: Row, event: string): Change {
    rows.delete(id);
    return { key, id, json: withEvent(json, event), state: null };
  }
}

/** The contract's object without what the contract does not name. */
export function objectJson(definition: AnyObjectDefinition, wire: WireObject, clock: BrokerClock): string {
  const { extra: _extra, ...decoded } = decodeObject(definition, wire, clock) as Record<string, unknown>;
  return JSON.stringify(decoded);
}
