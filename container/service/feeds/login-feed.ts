import { money } from '../../contract/schemas/account.ts';
import type { AnyObjectDefinition } from '../../contract/schemas/object.ts';
import { order, position } from '../../contract/schemas/trade.ts';
import type { Change, Entity, MissedRow } from '../../contract/hub-link.ts';
import { Fields, type WireObject } from '../../webapi/fields.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import { decodeObject } from '../broker/decode.ts';
import type { Feed, LoadedSlice } from './feed.ts';
import { commaLists, type BudgetedReads } from './reads.ts';

/** Logins of one `get_batch`, as in the typed API. */
export const LOGINS_PER_BATCH = 100;
export const MAX_LIST_CHARACTERS = 4096;
/** Clocks of broker and bridge agree within a day, whatever the zone was taken for. */
export const AHEAD_MS = 86_400_000;

interface Kind {
  readonly path: `${string}/get_batch`;
  readonly definition: AnyObjectDefinition;
  /** Field that tells one from the other inside a login. */
  readonly id: string;
  /** Every login has exactly one: none means that there is no such login. */
  readonly one?: true;
  /** Words for what happened; `undefined` where the thing just changes. */
  /** Where those that are gone are found. */
  readonly past?: {
    readonly path: `${string}/get_batch`;
    readonly placedAt: string;
    readonly removedAt: string;
    /** Whether it would have been seen standing. */
    readonly isShown: (wire: WireObject) => boolean;
  };
  readonly events?: { readonly added: string; readonly changed: string; readonly removed: string };
}

/** Market orders are gone when they are there: they stand in no list. `Type` 0 and 1 (mt5-webapi §3.5). */
function isPending(wire: WireObject): boolean {
  const type = new Fields(wire).integer('Type') ?? 0;
  return type > 1;
}

const LOGIN_KINDS = {
  accounts: { path: 'user/account/get_batch', definition: money, id: 'Login', one: true },
  positions: {
    path: 'position/get_batch',
    definition: position,
    id: 'Position',
    events: { added: 'opened', changed: 'changed', removed: 'closed' },
  },
  orders: {
    path: 'order/get_batch',
    definition: order,
    id: 'Order',
    events: { added: 'placed', changed: 'changed', removed: 'removed' },
    past: { path: 'history/get_batch', placedAt: 'TimeSetup', removedAt: 'TimeDone', isShown: isPending },
  },
} as const satisfies Record<string, Kind>;

interface Row {
  /** As sent, to tell a change. */
  readonly wire: string;
  readonly json: string;
}

/** Accounts, positions or open orders of the followed logins: read in batches, told by what differs. */
export class LoginFeed implements Feed {
  readonly topic: keyof typeof LOGIN_KINDS;
  readonly #kind: Kind;
  readonly #reads: BudgetedReads;
  readonly #clock: () => Promise<BrokerClock>;
  readonly #now: () => number;
  readonly #followed = new Map<string, Map<string, Row>>();

  constructor(
    topic: keyof typeof LOGIN_KINDS,
    reads: BudgetedReads,
    clock: () => Promise<BrokerClock>,
    now: () => number,
  ) {
    this.topic = topic;
    this.#kind = LOGIN_KINDS[topic];
    this.#reads = reads;
    this.#clock = clock;
    this.#now = now;
  }

  get size(): number {
    return this.#followed.size;
  }

  keys(): Iterable<string> {
    return this.#followed.keys();
  }

  isFollowed(login: string): boolean {
    return this.#followed.has(login);
  }

  entities(login: string): readonly Entity[] {
    return [...(this.#followed.get(login) ?? [])].map(([id, { json }]) => ({ id, json }));
  }

  async load(logins: readonly string[]): Promise<readonly LoadedSlice[]> {
    const clock = await this.#clock();
    const found = await this.#ask(logins);
    return logins.map((login) => {
      const rows = new Map<string, Row>();
      for (const [id, wire] of found.get(login) ?? []) rows.set(id, this.#row(wire, clock));
      this.#followed.set(login, rows);
      return { key: login, entities: this.entities(login), missing: this.#kind.one === true && rows.size === 0 };
    });
  }

  forget(logins: Iterable<string>): void {
    for (const login of logins) this.#followed.delete(login);
  }

  async poll(): Promise<readonly Change[]> {
    const clock = await this.#clock();
    const changes: Change[] = [];
    for (const logins of commaLists(this.#followed.keys(), MAX_LIST_CHARACTERS, LOGINS_PER_BATCH)) {
      const found = await this.#ask(logins);
      for (const login of logins) {
        const rows = this.#followed.get(login);
        if (rows) this.#compare(login, rows, found.get(login) ?? new Map(), clock, changes);
      }
    }
    return changes;
  }

  async missed(logins: readonly string[], sinceMs: number): Promise<readonly MissedRow[]> {
    const { past, events, definition, id: idField } = this.#kind;
    if (!past || !events) return [];
    const clock = await this.#clock();
    const from = String(Math.floor(clock.toServerMs(sinceMs) / 1000));
    const to = String(Math.ceil(clock.toServerMs(this.#now() + AHEAD_MS) / 1000));
    const rows: MissedRow[] = [];
    for (const list of commaLists(logins, MAX_LIST_CHARACTERS, LOGINS_PER_BATCH)) {
      const window = [
        ['from', from],
        ['to', to],
      ] as const;
      for (const wire of await this.#reads.rows(past.path, list, window)) {
        const fields = new Fields(wire);
        const key = fields.text('Login');
        const id = fields.text(idField);
        const atMs = clock.toUtcMs((fields.integer(past.removedAt) ?? 0) * 1000);
        // One that stands still, or whose end the next poll will tell, is no news here.
        if (key === undefined || id === undefined || atMs < sinceMs || !past.isShown(wire)) continue;
        if (this.#followed.get(key)?.has(id) !== false) continue;
        const json = objectJson(definition, wire, clock);
        const placedAtMs = clock.toUtcMs((fields.integer(past.placedAt) ?? 0) * 1000);
        if (placedAtMs >= sinceMs) rows.push({ key, id, atMs: placedAtMs, json: withEvent(json, events.added) });
        rows.push({ key, id, atMs, json: withEvent(json, events.removed) });
      }
    }
    return rows.toSorted((a, b) => a.atMs - b.atMs);
  }

  #compare(
    login: string,
    rows: Map<string, Row>,
    found: ReadonlyMap<string, WireObject>,
    clock: BrokerClock,
    changes: Change[],
  ): void {
    const { events } = this.#kind;
    for (const [id, wire] of found) {
      const before = rows.get(id);
      if (before?.wire === JSON.stringify(wire)) continue;
      const row = this.#row(wire, clock);
      rows.set(id, row);
      if (events === undefined) changes.push({ key: login, id, json: row.json });
      else {
        const event = before ? events.changed : events.added;
        changes.push({ key: login, id, json: withEvent(row.json, event), state: row.json });
      }
    }
    // An account that is not answered for once is not gone; positions and orders go.
    if (events === undefined) return;
    for (const [id, row] of rows) {
      if (found.has(id)) continue;
      rows.delete(id);
      changes.push({ key: login, id, json: withEvent(row.json, events.removed), state: null });
    }
  }

  async #ask(logins: readonly string[]): Promise<Map<string, Map<string, WireObject>>> {
    const found = new Map<string, Map<string, WireObject>>();
    for (const list of commaLists(logins, MAX_LIST_CHARACTERS, LOGINS_PER_BATCH)) {
      for (const wire of await this.#reads.rows(this.#kind.path, list)) {
        const fields = new Fields(wire);
        const login = fields.text('Login');
        const id = fields.text(this.#kind.id);
        if (login === undefined || id === undefined) continue;
        const rows = found.get(login);
        if (rows) rows.set(id, wire);
        else found.set(login, new Map([[id, wire]]));
      }
    }
    return found;
  }

  #row(wire: WireObject, clock: BrokerClock): Row {
    return { wire: JSON.stringify(wire), json: objectJson(this.#kind.definition, wire, clock) };
  }
}

/** The contract's object without what the contract does not name. */
export function objectJson(definition: AnyObjectDefinition, wire: WireObject, clock: BrokerClock): string {
  const { extra: _extra, ...decoded } = decodeObject(definition, wire, clock) as Record<string, unknown>;
  return JSON.stringify(decoded);
}

const withEvent = (json: string, event: string): string => `{"event":"${event}",${json.slice(1)}`;
