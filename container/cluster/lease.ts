import type { ClusterStatus } from '../contract/cluster.ts';
import type { Logger } from '../contract/logger.ts';
import type { LedgerMark } from '../state/ledger-fence.ts';

/**
 * Which replica holds the session: whoever has the lease in Redis. The lease is the election, not the memory: what must
 * not be lost is in the ledger, which the lease's *token* fences (`state/ledger-fence.ts`).
 */

/** The holder stays it for so long after it said so last. Another begins `LEASE_MS + LOOK_MS` after its death, at the latest. */
export const LEASE_MS = 3_000;
/** Between two looks of each replica; six of the holder's may fail. */
export const LOOK_MS = 500;
/** From here on others may think that the lease has ended before the next look has been answered, or given up. */
const DOUBT_MS = LEASE_MS - 2 * LOOK_MS;

const ANOTHER_LEDGER =
  'The replica that held the session before wrote to another ledger: what it sent since is not in this one.';

/** A replica, as the others know it. */
export interface Replica {
  /** Of its process. */
  readonly id: string;
  /** `http://host:port`. */
  readonly url: string;
}

export interface Held extends Replica {
  /** Higher than that of every lease before. */
  readonly token: number;
}

/** The ledger of a replica that may hold. All throw where it cannot be read or written. */
export interface Ledger {
  mark(): LedgerMark;
  /** @returns its id, and why what is in it may not be all that was sent; `null` = it is */
  takeOver(token: number): { readonly id: string; readonly distrust: string | null };
}

/** Where the lease is. Each call is atomic, and rejects when it cannot be known what it did. */
export interface LeaseStore {
  read(): Promise<Held | null>;
  /**
   * Takes the lease where nobody has it, with a token above the mark's. @returns who has it then; `null`: nobody, and the
   * store has forgotten what it knew, since its tokens are below `leastToken`
   */
  acquire(self: Replica, mark: LedgerMark, leastToken: number): Promise<Held | null>;
  /** The ledger that the holder writes to, as it said; `null` = none was told. */
  ledger(): Promise<string | null>;
  tellLedger(id: string): Promise<void>;
  /** @returns `lost` where another replica has had the lease meanwhile; `shared` = every candidate writes to this ledger */
  renew(held: Held): Promise<'lost' | 'shared' | 'apart'>;
  release(held: Held): Promise<void>;
}

export interface LeaseOptions {
  readonly store: LeaseStore;
  readonly self: Replica;
  /** `undefined`: this replica has none that outlives it, and never holds. */
  readonly ledger: Ledger | undefined;
  /** This replica holds from now on. @param distrust why trading begins halted; `null` = it does not */
  readonly onElected: (held: Held, distrust: string | null) => void;
  /** It does not any more: its session ends. */
  readonly onLost: (reason: string) => void;
  /** Another replica holds, or none does. */
  readonly onHolder: (held: Held | undefined) => void;
  /** Never goes back: `performance.now`. */
  readonly now: () => number;
  readonly log: Logger;
}

/** One replica's view of the lease. `look` is called every `LOOK_MS`, and never overlaps itself. */
export class Lease {
  readonly #options: LeaseOptions;
  #held: Held | undefined;
  #isOurs = false;
  /** It was lost or released: this process ends, and begins anew as a follower. */
  #isOver = false;
  /** When Redis was last heard to say so; for the holder, when it asked. */
  #provenAt = -Infinity;
  #isShared = true;
  /** Not told to the others yet. */
  #ledger: string | undefined;
  #hasBegun = false;
  /** Since when Redis knows no token as high as those that were seen. */
  #forgottenAt: number | undefined;
  #highestToken = 0;
  #fault: string | null = null;
  #looking: Promise<void> | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** As last known; where Redis is gone, still the one that it named last. */
  get holder(): Held | undefined {
    return this.#held;
  }

  get isOurs(): boolean {
    return this.#isOurs;
  }

  get status(): ClusterStatus {
    const { self, now } = this.#options;
    const ageMs = now() - this.#provenAt;
    return {
      replica: self.id,
      role: this.#isOurs ? 'holder' : 'follower',
      holder: this.#held ? { replica: this.#held.id, url: this.#held.url, token: this.#held.token } : null,
      leaseAgeMs: Number.isFinite(ageMs) ? Math.round(ageMs) : null,
      fault: this.#fault,
    };
  }

  /** Never rejects. */
  look(): Promise<void> {
    return (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)));
  }

  /** What the election found out about the ledger is in it: from now on it is the cluster's. */
  begun(): void {
    this.#hasBegun = true;
  }

  /** Lets the others begin at once. */
  async release(): Promise<void> {
    this.#isOver = true;
    await this.#looking;
    if (!this.#isOurs || !this.#held) return;
    this.#isOurs = false;
    await this.#options.store.release(this.#held).catch((error: unknown) => this.#failed(error));
  }

  async #look(): Promise<void> {
    if (this.#isOver) return;
    try {
      await (this.#isOurs ? this.#renew() : this.#follow());
    } catch (error) {
      this.#failed(error);
    }
    if (this.#isOurs) this.#doubt();
  }

  async #renew(): Promise<void> {
    const { store, now } = this.#options;
    if (!this.#held) return;
    const askedAt = now();
    const answer = await store.renew(this.#held);
    this.#fault = null;
    if (answer === 'lost') return this.#lost('Another replica has taken the lease.');
    this.#provenAt = askedAt;
    this.#isShared = answer === 'shared';
    if (this.#hasBegun && this.#ledger !== undefined) {
      await store.tellLedger(this.#ledger);
      this.#ledger = undefined;
    }
  }

  /**
   * Redis may not be asked now, or another replica may have begun without it. Whoever begins marks the ledger before it
   * signs in: as long as the mark is ours and every replica that may hold writes to this ledger, nobody has, and the
   * session goes on without Redis for as long as it takes. Where one has a ledger of its own, the lease is the only proof,
   * and the session ends before others may think that the lease has.
   */
  #doubt(): void {
    const { now, ledger } = this.#options;
    const isDoubtful = now() - this.#provenAt >= DOUBT_MS;
    try {
      if (ledger?.mark().token !== this.#held?.token) return this.#lost('Another replica has begun on the ledger.');
    } catch (error) {
      // Locked for a moment: the lease is proof enough while it lasts.
      if (isDoubtful) this.#lost(`Neither the lease nor the ledger can be asked: ${messageOf(error)}`);
      return;
    }
    if (isDoubtful && !this.#isShared)
      this.#lost('Redis cannot be asked, and a replica with another ledger may begin.');
  }

  async #follow(): Promise<void> {
    const { store, self, ledger, now } = this.#options;
    const mark = ledger && this.#markOf(ledger);
    const askedAt = now();
    const held = mark ? await this.#acquire(self, mark, askedAt) : await store.read();
    if (mark || !ledger) this.#fault = null;
    if (ledger && held?.id === self.id) return this.#elected(held, ledger, askedAt);
    this.#provenAt = askedAt;
    // Of what Redis has forgotten, the last that it knew is the best guess.
    if (this.#forgottenAt === undefined) this.#known(held ?? undefined);
  }

  /** Where Redis has forgotten everything, a holder that lives is given the time of a lease to say so again. */
  async #acquire(self: Replica, mark: LedgerMark, askedAt: number): Promise<Held | null> {
    const isOver = this.#forgottenAt !== undefined && askedAt - this.#forgottenAt >= LEASE_MS;
    const least = isOver ? 0 : Math.max(mark.token, this.#highestToken);
    const held = await this.#options.store.acquire(self, mark, least);
    this.#forgottenAt = held ? undefined : (this.#forgottenAt ?? askedAt);
    return held;
  }

  /** Without its volume it follows, and does not hold. */
  #markOf(ledger: Ledger): LedgerMark | undefined {
    try {
      return ledger.mark();
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  async #elected(held: Held, ledger: Ledger, askedAt: number): Promise<void> {
    const { store, onElected } = this.#options;
    try {
      const before = await store.ledger();
      const { id, distrust } = ledger.takeOver(held.token);
      const isAnother = before !== null && before !== id;
      this.#isOurs = true;
      this.#isShared = true;
      this.#ledger = id;
      this.#provenAt = askedAt;
      this.#known(held);
      onElected(held, distrust ?? (isAnother ? ANOTHER_LEDGER : null));
    } catch (error) {
      await store.release(held);
      throw error;
    }
  }

  #known(held: Held | undefined): void {
    const isSame = this.#held?.token === held?.token && this.#held?.id === held?.id;
    this.#held = held;
    this.#highestToken = Math.max(this.#highestToken, held?.token ?? 0);
    if (!isSame) this.#options.onHolder(held);
  }

  #lost(reason: string): void {
    this.#isOurs = false;
    this.#isOver = true;
    this.#options.onLost(reason);
  }

  #failed(error: unknown): void {
    const reason = messageOf(error);
    // Said once, not at every look.
    if (reason !== this.#fault) this.#options.log.warn('cluster', { reason });
    this.#fault = reason;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
