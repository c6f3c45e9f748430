import { BridgeError } from '../../contract/errors.ts';
import { Fields, payload, payloadObjects, type WireObject } from '../../webapi/fields.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import { commaLists } from '../broker/comma-lists.ts';
import { untilEmpty } from '../broker/pages.ts';
import type { Pace } from './pace.ts';

type Query = readonly (readonly [name: string, value: string])[];

/** What the feeds need of the broker: judged reads (`service/broker.ts`). */
export interface BrokerReads {
  /** @throws BridgeError for every retcode but 0 and those in `accept` */
  read(
    path: string,
    query: Query,
    context: { readonly deadlineAtMs: number; readonly signal: AbortSignal },
    accept?: readonly number[],
  ): Promise<Reply>;
}

interface Reply {
  readonly retcode: number;
  readonly body: WireObject;
}

export type BatchPath = `${string}/get_batch`;

/** 13: also what an empty list may be (mt5-webapi §3.6); 14: more than 5,000 objects, or 16 MB, and some of them came. */
const { ERR_NOTFOUND: NOT_FOUND, ERR_PARTIAL: PARTIAL } = RETCODE;
/** What the documents allow at least (mt5-webapi §3.6). */
const PAGE_ROWS = 100;
/** 200,000 rows of one login: only a server that ignores `offset` gets here. */
const MOST_PAGES = 2_000;
/** Longest a poll is waited for. */
const READ_DEADLINE_MS = 10_000;

/** Logins of the first batch, as in the typed API, and of the smallest. */
const FIRST_LOGINS = 100;
const LEAST_LOGINS = 10;
/** An answer may take so much longer than the quickest one, and hold so many rows (1 to 2 MB): it holds a session so long. */
const AIM_MS = 200;
const AIM_ROWS = 2_000;
/** Groups and logins of a mask whose rows the server does not tell at once; then that is tried again, too. */
const GROUP_FRESH_MS = 60_000;

/** More than the server tells in time. */
const TOO_LATE: ReadonlySet<string> = new Set(['broker_timeout', 'deadline_exceeded']);

/** The rows of some of the logins that were asked for, whole. */
export interface Batch {
  readonly logins: readonly string[];
  readonly rows: readonly WireObject[];
}

export interface FeedReadsOptions {
  readonly reads: BrokerReads;
  readonly now: () => number;
  readonly pace: Pace;
  readonly signal: AbortSignal;
}

/**
 * Questions of streaming, at its pace. What the server sends only in part (14) is asked for in smaller parts until each is
 * whole: what was not sent is never taken for gone.
 */
export class FeedReads {
  requests = 0;
  readonly #options: FeedReadsOptions;
  /** Logins of a batch, by command: follows the time and the size of the answers. */
  readonly #sizes = new Map<string, number>();
  #quickestMs = Infinity;
  /** Commands of which this build refuses `group`. */
  readonly #loginsOnly = new Set<string>();
  /** Commands that have told rows by `group`: where they tell none, there are none. */
  readonly #takesGroups = new Set<string>();
  /** Groups that have no rows when asked by login either, by command and mask: until when that is believed. */
  readonly #empty = new Map<string, number>();
  /** Groups that are more than one answer holds, by command and mask: until when. */
  readonly #tooLarge = new Map<string, number>();
  readonly #groupNames = new Map<string, { readonly names: readonly string[]; readonly atMs: number }>();
  readonly #members = new Map<string, { readonly logins: readonly string[]; readonly atMs: number }>();

  constructor(options: FeedReadsOptions) {
    this.#options = options;
  }

  /** Another server may answer: what was learnt of it is forgotten. */
  restart(): void {
    this.#sizes.clear();
    this.#loginsOnly.clear();
    this.#takesGroups.clear();
    this.#empty.clear();
    this.#tooLarge.clear();
    this.#members.clear();
    this.#groupNames.clear();
    this.#quickestMs = Infinity;
  }

  /** The body of a good, empty or partial answer; `undefined` = nothing found. @throws BridgeError */
  async read(path: string, query: Query): Promise<WireObject | undefined> {
    const { retcode, body } = (await this.#ask(path, query)).answer;
    return retcode === NOT_FOUND ? undefined : body;
  }

  /** Every row of these logins, batch by batch. @throws BridgeError */
  async *batches(path: BatchPath, logins: Iterable<string>, window: Query = []): AsyncGenerator<Batch> {
    let rest = [...logins];
    while (rest.length > 0) {
      const size = this.#sizes.get(path) ?? FIRST_LOGINS;
      const [batch = []] = commaLists(rest.slice(0, size));
      const { answer, tookMs } = await this.#ask(path, [['login', batch.join(',')], ...window]);
      const { retcode, body } = answer;
      const rows = retcode === NOT_FOUND ? [] : payloadObjects(body);
      this.#learnSize(path, { size, full: batch.length === size, tookMs, rows: rows.length, retcode });
      if (retcode !== PARTIAL) yield { logins: batch, rows };
      else if (batch.length > 1) {
        for (const half of halves(batch)) yield* this.batches(path, half, window);
      } else yield { logins: batch, rows: await this.#pages(path, [['login', batch[0] ?? ''], ...window]) };
      rest = rest.slice(batch.length);
    }
  }

  /**
   * Every row of the accounts of a group mask: in one answer where the server can, else group by group, and by logins.
   * @throws BridgeError
   */
  async *ofGroup(path: BatchPath, mask: string, window: Query = []): AsyncGenerator<readonly WireObject[]> {
    const id = `${path} ${mask}`;
    let isSilent = false;
    if (!this.#loginsOnly.has(path) && !isYet(this.#tooLarge.get(id), this.#options.now())) {
      const rows = await this.#wholeGroup(path, mask, window);
      if (rows && (rows.length > 0 || this.#takesGroups.has(path) || isYet(this.#empty.get(id), this.#options.now()))) {
        yield rows;
        return;
      }
      isSilent = rows !== undefined;
    }
    const groups = isSilent || this.#loginsOnly.has(path) ? [] : await this.#groups(mask);
    if (groups.length > 1) {
      for (const group of groups) yield* this.ofGroup(path, group, window);
      return;
    }
    let count = 0;
    for await (const { rows } of this.batches(path, await this.members(mask), window)) {
      count += rows.length;
      yield rows;
    }
    // Nobody, when asked by group: it was so and no longer is, or this build overlooks `group`.
    if (isSilent && count > 0) {
      if ((await this.#wholeGroup(path, mask, window))?.length === 0) this.#loginsOnly.add(path);
    } else if (isSilent) this.#empty.set(id, this.#options.now() + GROUP_FRESH_MS);
  }

  /** Logins of a group mask, at most so old. @throws BridgeError */
  async members(mask: string, freshMs = GROUP_FRESH_MS): Promise<readonly string[]> {
    const known = this.#members.get(mask);
    if (known && this.#options.now() - known.atMs < freshMs) return known.logins;
    const atMs = this.#options.now();
    const { retcode, body } = (await this.#ask('user/logins', [['group', mask]])).answer;
    if (retcode === PARTIAL)
      throw new BridgeError('broker_malformed', {
        detail: `user/logins tells only a part of the group "${mask}": name smaller groups.`,
      });
    const list = retcode === NOT_FOUND ? [] : payload(body);
    const logins = Array.isArray(list) ? list.map(String) : [];
    this.#members.set(mask, { logins, atMs });
    return logins;
  }

  /** Names of the groups of a mask; none where this manager may not see them, or the server tells only a part. */
  async #groups(mask: string): Promise<readonly string[]> {
    const known = this.#groupNames.get(mask);
    if (known && this.#options.now() - known.atMs < GROUP_FRESH_MS) return known.names;
    const atMs = this.#options.now();
    let names: readonly string[] = [];
    try {
      const { retcode, body } = (await this.#ask('group/get', [['mask', mask]])).answer;
      if (retcode === RETCODE.OK)
        names = payloadObjects(body).flatMap((group) => new Fields(group).text('Group') ?? []);
    } catch (error) {
      if (!(error instanceof BridgeError) || error.outcome !== 'refused' || error.retry !== 'no') throw error;
    }
    this.#groupNames.set(mask, { names, atMs });
    return names;
  }

  /** `undefined` where the server does not tell it at once. */
  async #wholeGroup(path: BatchPath, mask: string, window: Query): Promise<readonly WireObject[] | undefined> {
    try {
      const { retcode, body } = (await this.#ask(path, [['group', mask], ...window])).answer;
      if (retcode === NOT_FOUND) return [];
      const rows = payloadObjects(body);
      if (rows.length > 0) this.#takesGroups.add(path);
      if (retcode !== PARTIAL) return rows;
      this.#tooLarge.set(`${path} ${mask}`, this.#options.now() + GROUP_FRESH_MS);
    } catch (error) {
      // `3 Invalid parameters`: of a build that knows only `login`. A mask that is wrong is refused by `user/logins`, too.
      const isUnknown = error instanceof BridgeError && error.context.retcode === RETCODE.ERR_PARAMS;
      const isTooMuch = error instanceof BridgeError && TOO_LATE.has(error.code);
      if (!isUnknown && !isTooMuch) throw error;
      await this.members(mask);
      if (isUnknown) this.#loginsOnly.add(path);
      else this.#tooLarge.set(`${path} ${mask}`, this.#options.now() + GROUP_FRESH_MS);
    }
    return undefined;
  }

  #learnSize(path: string, one: { size: number; full: boolean; tookMs: number; rows: number; retcode: number }): void {
    this.#quickestMs = Math.min(this.#quickestMs, one.tookMs);
    const tookMs = one.tookMs - this.#quickestMs;
    if (one.retcode === PARTIAL || tookMs > AIM_MS || one.rows > AIM_ROWS)
      this.#sizes.set(path, Math.max(LEAST_LOGINS, Math.floor(one.size / 2)));
    else if (one.full && tookMs < AIM_MS / 2 && one.rows < AIM_ROWS / 2) this.#sizes.set(path, one.size * 2);
  }

  #pages(path: string, query: Query): Promise<WireObject[]> {
    const read = async (offset: number): Promise<readonly WireObject[]> => {
      const page = [
        ['offset', String(offset)],
        ['total', String(PAGE_ROWS)],
      ] as const;
      const { retcode, body } = (await this.#ask(path.replace(/batch$/, 'page'), [...query, ...page])).answer;
      return retcode === NOT_FOUND ? [] : payloadObjects(body);
    };
    return untilEmpty(read, MOST_PAGES, path);
  }

  #ask(path: string, query: Query): Promise<{ readonly answer: Reply; readonly tookMs: number }> {
    const { pace, reads, now, signal } = this.#options;
    return pace.turn(() => {
      this.requests++;
      return reads.read(path, query, { deadlineAtMs: now() + READ_DEADLINE_MS, signal }, [NOT_FOUND, PARTIAL]);
    });
  }
}

const isYet = (untilMs: number | undefined, nowMs: number): boolean => untilMs !== undefined && nowMs < untilMs;

const halves = (list: readonly string[]): (readonly string[])[] => {
  const middle = Math.ceil(list.length / 2);
  return [list.slice(0, middle), list.slice(middle)];
};
