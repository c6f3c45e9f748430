import { deal } from '../../contract/schemas/trade.ts';
import type { Change, Entity, MissedRow } from '../../contract/hub-link.ts';
import { Fields, type WireObject } from '../../webapi/fields.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import type { Feed, LoadedSlice } from './feed.ts';
import { AHEAD_MS, LOGINS_PER_BATCH, MAX_LIST_CHARACTERS, objectJson } from './login-feed.ts';
import { commaLists, type BudgetedReads } from './reads.ts';

/** A deal may be seen so much later than its own time says. Tickets inside are remembered. */
const OVERLAP_MS = 60_000;

/** New deals of the followed logins: asked for by time with an overlap, told apart by ticket. */
export class DealFeed implements Feed {
  readonly topic = 'deals';
  readonly #reads: BudgetedReads;
  readonly #clock: () => Promise<BrokerClock>;
  readonly #now: () => number;
  /** Login → tickets seen, with the server second of each. */
  readonly #followed = new Map<string, Map<string, number>>();
  /** Everything before has been read, UTC ms. */
  #readUntilMs = Infinity;

  constructor(reads: BudgetedReads, clock: () => Promise<BrokerClock>, now: () => number) {
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

  /** Deals happen, they do not stand. */
  entities(): readonly Entity[] {
    return [];
  }

  async load(logins: readonly string[]): Promise<readonly LoadedSlice[]> {
    const startedAtMs = this.#now();
    const found = await this.#ask(logins, startedAtMs - OVERLAP_MS);
    // The overlap of the next poll reaches back to where every login has been read.
    this.#readUntilMs = Math.min(this.#readUntilMs, startedAtMs);
    for (const login of logins) this.#followed.set(login, new Map());
    for (const { login, ticket, second } of found) this.#followed.get(login)?.set(ticket, second);
    return logins.map((key) => ({ key, entities: [] }));
  }

  /** Tickets of the overlap before a login was followed. */
  known(login: string): readonly string[] {
    return [...(this.#followed.get(login)?.keys() ?? [])];
  }

  async missed(logins: readonly string[], sinceMs: number): Promise<readonly MissedRow[]> {
    const clock = await this.#clock();
    const found = await this.#ask(logins, sinceMs - OVERLAP_MS);
    const polledFromMs = Math.min(this.#readUntilMs, this.#now()) - OVERLAP_MS;
    return (
      inOrder(found)
        .map(({ wire, ...deal }) => ({
          ...deal,
          wire,
          atMs: clock.toUtcMs(new Fields(wire).integer('TimeMsc') ?? deal.second * 1000),
        }))
        // What the next poll will find is left to it.
        .filter(({ login, ticket, atMs }) => atMs < polledFromMs || this.#followed.get(login)?.has(ticket) === true)
        .map(({ login, ticket, atMs, wire }) => ({ key: login, id: ticket, atMs, json: objectJson(deal, wire, clock) }))
    );
  }

  forget(logins: Iterable<string>): void {
    for (const login of logins) this.#followed.delete(login);
    if (this.#followed.size === 0) this.#readUntilMs = Infinity;
  }

  async poll(): Promise<readonly Change[]> {
    const clock = await this.#clock();
    const startedAtMs = this.#now();
    const fromMs = Math.min(this.#readUntilMs, startedAtMs) - OVERLAP_MS;
    const changes: Change[] = [];
    const found = await this.#ask([...this.#followed.keys()], fromMs);
    for (const { login, ticket, second, wire } of inOrder(found)) {
      const seen = this.#followed.get(login);
      if (!seen || seen.has(ticket)) continue;
      seen.set(ticket, second);
      changes.push({ key: login, id: ticket, json: objectJson(deal, wire, clock) });
    }
    this.#readUntilMs = startedAtMs;
    const forgetBefore = Math.floor(clock.toServerMs(fromMs - OVERLAP_MS) / 1000);
    for (const seen of this.#followed.values())
      for (const [ticket, second] of seen) if (second < forgetBefore) seen.delete(ticket);
    return changes;
  }

  async #ask(logins: readonly string[], fromMs: number): Promise<SeenDeal[]> {
    const clock = await this.#clock();
    const from = String(Math.floor(clock.toServerMs(fromMs) / 1000));
    const to = String(Math.ceil(clock.toServerMs(this.#now() + AHEAD_MS) / 1000));
    const found: SeenDeal[] = [];
    for (const list of commaLists(logins, MAX_LIST_CHARACTERS, LOGINS_PER_BATCH)) {
      const window = [
        ['from', from],
        ['to', to],
      ] as const;
      for (const wire of await this.#reads.rows('deal/get_batch', list, window)) {
        const fields = new Fields(wire);
        const login = fields.text('Login');
        const ticket = fields.text('Deal');
        const second = fields.integer('Time') ?? 0;
        // Tickets before the window have been forgotten: if a server still sends them, they are ignored.
        if (login !== undefined && ticket !== undefined && second >= Number(from))
          found.push({ login, ticket, second, wire });
      }
    }
    return found;
  }
}

interface SeenDeal {
  readonly login: string;
  readonly ticket: string;
  readonly second: number;
  readonly wire: WireObject;
}

const inOrder = (deals: readonly SeenDeal[]): SeenDeal[] =>
  deals.toSorted((a, b) => a.second - b.second || compareTickets(a.ticket, b.ticket));

const compareTickets = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
