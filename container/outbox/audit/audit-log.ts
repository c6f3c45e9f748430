import type { AuditBacklog } from '../../contract/events.ts';
import type { Sql } from '../../state/sql.ts';
import type { Digests } from '../digests.ts';
import type { EventLog, LoggedText } from '../event-log.ts';
import type { OutboxSettings } from '../tables.ts';
import { type ChainHead, DAY_TYPE, type DayHead, EMPTY_CHAIN, nextLine, parseObject } from './record.ts';
import { newSigningKey, publicKeyOf, signDay } from './signing.ts';
import { type AuditStore, dayOf, objectKey, readObjectKey } from './store.ts';

export interface AuditPolicy {
  /** An event is stored within this time: one object holds what came meanwhile. */
  readonly flushMs: number;
  /** … or as soon as so many wait. */
  readonly objectEvents: number;
  readonly objectCharacters: number;
  /** Events that wait at most; then no more are taken. At some 700 bytes each, 140 MB. */
  readonly most: number;
  /** After a failure, doubled each time up to the cap. */
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
}

/**
 * R2 takes a million new objects a month for nothing: one each 10 s is a quarter of that. On a VPS each object is three
 * flushes of the disk that orders wait behind: 200 events a second still travel in one.
 */
export const AUDIT_POLICY: AuditPolicy = {
  flushMs: 10_000,
  objectEvents: 2_000,
  objectCharacters: 2_000_000,
  most: 200_000,
  firstRetryMs: 5_000,
  longestRetryMs: 300_000,
};

export interface AuditLogParts {
  readonly sql: Sql;
  readonly settings: OutboxSettings;
  readonly log: EventLog;
  readonly store: AuditStore;
  readonly broker: string;
  readonly now: () => number;
  readonly warn: (message: string) => void;
  readonly policy: AuditPolicy;
  readonly digests?: Digests | undefined;
  /** Lets others have their turn. */
  readonly yieldTurn?: (() => Promise<void>) | undefined;
}

/** Records that are made in one turn: some 5 µs each, with Node's digests. */
const TURN_RECORDS = 100;

/**
 * The next object, as it will be stored. Which event is its last is written down first, so that it is made the same however
 * often it is tried: its text follows from the head and the log.
 */
interface Plan extends Planned {
  readonly key: string;
  readonly text: string;
  readonly head: ChainHead;
}

interface Planned {
  /** The last event of the log that is in it. */
  readonly upTo: number;
}

const HEAD = 'audit_head';
const PLAN = 'audit_plan';
const AUDITED = 'audit_upto';
const SIGNING_KEY = 'audit_key';

/** Every event of the log, chained, in objects that are created once and never changed. */
export class AuditLog {
  readonly #parts: AuditLogParts;
  #flushing: Promise<void> | undefined;
  /** Whether the store was seen to end where this memory says. */
  #isContinued = false;
  #fault: string | null = null;
  #failures = 0;
  #retryAtMs = 0;

  constructor(parts: AuditLogParts) {
    this.#parts = parts;
  }

  /** The last record that is stored. */
  get head(): ChainHead {
    const text = this.#parts.settings.get(HEAD);
    return text === undefined ? EMPTY_CHAIN : (JSON.parse(text) as ChainHead);
  }

  /** The last event of the log that is stored. */
  get storedUpTo(): number {
    return Number(this.#parts.settings.get(AUDITED) ?? 0);
  }

  get backlog(): AuditBacklog {
    return { ...this.#parts.log.backlogAfter(this.storedUpTo), fault: this.#fault };
  }

  get isFull(): boolean {
    return this.backlog.pending >= this.#parts.policy.most;
  }

  /** Base64url of the key that days are signed with; made with the first object. */
  get publicKey(): string | null {
    const key = this.#parts.settings.get(SIGNING_KEY);
    return key === undefined ? null : publicKeyOf(key);
  }

  /** When something must be stored, epoch ms; null = nothing waits. */
  get dueAtMs(): number | null {
    const { policy } = this.#parts;
    const { pending, oldestAtMs } = this.backlog;
    if (oldestAtMs === null) return null;
    return Math.max(this.#retryAtMs, pending >= policy.objectEvents ? 0 : oldestAtMs + policy.flushMs);
  }

  /** Stores all that waits. @throws what the store threw; what waits is kept */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => (this.#flushing = undefined));
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    const { now, policy, warn } = this.#parts;
    try {
      for (let plan = await this.#plan(); plan; plan = await this.#plan()) await this.#store(plan);
      this.#fault = null;
      this.#failures = 0;
      this.#retryAtMs = 0;
    } catch (error) {
      this.#fault = `The audit’s store cannot be written to: ${error instanceof Error ? error.message : String(error)}`;
      this.#failures += 1;
      if (this.#failures === 1) warn(this.#fault);
      this.#retryAtMs = now() + Math.min(policy.longestRetryMs, policy.firstRetryMs * 2 ** (this.#failures - 1));
      throw error;
    }
  }

  async #plan(): Promise<Plan | undefined> {
    const { settings, broker, digests, yieldTurn } = this.#parts;
    const head = this.head;
    const events = this.#nextEvents(head.day);
    const [first] = events;
    const upTo = events.at(-1)?.seq;
    if (!first || upTo === undefined) return undefined;
    settings.set(PLAN, JSON.stringify({ upTo } satisfies Planned));
    const day = laterDay(head.day, first);
    const texts = events.map(({ text }) => text);
    if (head.day !== '' && head.day !== day) texts.unshift(JSON.stringify(await this.#closing(head)));
    let last: Pick<ChainHead, 'seq' | 'hash'> = head;
    let object = '';
    for (const [i, text] of texts.entries()) {
      if (i % TURN_RECORDS === TURN_RECORDS - 1) await yieldTurn?.();
      const { line, ...record } = await nextLine(last, text, digests);
      object += line;
      last = record;
    }
    const key = objectKey(broker, day, head.seq + 1);
    return { key, text: object, head: { ...last, day, key }, upTo };
  }

  /** Of the object that was begun, or of a new one. */
  #nextEvents(headDay: string): readonly LoggedText[] {
    const { settings, log, policy } = this.#parts;
    const from = this.storedUpTo;
    const planned = settings.get(PLAN);
    if (planned === undefined)
      return ofOneDay(log.textsAfter(from, policy.objectEvents), headDay, policy.objectCharacters);
    const { upTo } = JSON.parse(planned) as Planned;
    return log.textsAfter(from, upTo - from).filter(({ seq }) => seq <= upTo);
  }

  /** The first record of a day says, signed, how the day before ended. */
  async #closing({ day, seq, hash }: ChainHead): Promise<DayHead> {
    const { broker } = this.#parts;
    const key = await this.#signingKey();
    const signature = await signDay({ broker, day, seq, hash }, key);
    return { type: DAY_TYPE, broker, day, seq, hash, publicKey: publicKeyOf(key), signature };
  }

  async #signingKey(): Promise<string> {
    const { settings } = this.#parts;
    const known = settings.get(SIGNING_KEY);
    if (known !== undefined) return known;
    const made = await newSigningKey();
    settings.set(SIGNING_KEY, made);
    return made;
  }

  async #store(plan: Plan): Promise<void> {
    const { sql, settings, store } = this.#parts;
    await this.#signingKey();
    if (!this.#isContinued && (await this.#continue(plan))) return;
    const isOurs =
      (await store.create(plan.key, plan.text)) === 'created' || (await store.read(plan.key)) === plan.text;
    if (!isOurs) return this.#goOnAfter(plan.key);
    sql.transaction(() => {
      settings.set(HEAD, JSON.stringify(plan.head));
      settings.set(AUDITED, String(plan.upTo));
      settings.delete(PLAN);
    });
  }

  /** Once for each program: does the store hold more than this memory knows? */
  async #continue(plan: Plan): Promise<boolean> {
    const { store, broker } = this.#parts;
    const beyond = await store.list(`${broker}/`, this.head.key);
    const newest = beyond.at(-1);
    const isKnown = newest === undefined || (beyond.length === 1 && newest === plan.key);
    if (!isKnown) await this.#goOnAfter(newest);
    this.#isContinued = true;
    return !isKnown;
  }

  /**
   * The store holds records that this memory does not know: it was restored from a copy, or begun anew. Nothing is ever
   * overwritten: the chain goes on after the last one that is there.
   */
  async #goOnAfter(key: string): Promise<void> {
    const { sql, settings, store, broker, warn } = this.#parts;
    let last = key;
    for (;;) {
      const page = await store.list(`${broker}/`, last);
      const newest = page.at(-1);
      if (newest === undefined) break;
      last = newest;
    }
    const record = parseObject((await store.read(last)) ?? '').at(-1);
    const named = readObjectKey(last);
    if (!record || !named) throw new Error(`${last} is not an object of this audit; nothing can be chained to it.`);
    warn(
      `The audit’s store holds records up to ${record.seq} that this bridge does not remember; it goes on after them.`,
    );
    sql.transaction(() => {
      const head: ChainHead = { seq: record.seq, hash: record.hash, day: named.day, key: last };
      settings.set(HEAD, JSON.stringify(head));
      settings.delete(PLAN);
    });
  }
}

const laterDay = (day: string, { atMs }: LoggedText): string => {
  const own = dayOf(atMs);
  return own > day ? own : day;
};

/** An object holds events of one day, and not too much of them. Days never go back, whatever a clock says. */
function ofOneDay(events: readonly LoggedText[], headDay: string, characters: number): readonly LoggedText[] {
  const [first] = events;
  if (!first) return [];
  const day = laterDay(headDay, first);
  let length = 0;
  const end = events.findIndex((logged, i) => {
    length += logged.text.length;
    return laterDay(day, logged) !== day || (i > 0 && length > characters);
  });
  return end < 0 ? events : events.slice(0, end);
}
