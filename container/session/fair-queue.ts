import type { Job } from './job-queue.ts';

/** What can wait. */
export interface Queued {
  readonly lane: string;
  readonly enqueuedAtMs: number;
  /** It goes first. */
  readonly replayed: boolean;
}

interface Lane<T> {
  readonly jobs: Set<T>;
  /** The round in which its next job is served. */
  round: number;
}

/**
 * Who waits, by lane: each lane is served once a round, and within a lane the first comes first (start-time fair queueing,
 * with every job of one size). A key that asks for much waits for itself and not others for it; one that comes now and
 * then is served next, and never oftener than the others. What is replayed goes first; what gave up leaves at once.
 */
export class FairQueue<T extends Queued = Job> {
  readonly #replays = new Set<T>();
  readonly #lanes = new Map<string, Lane<T>>();
  /** The round after their last turn, of lanes that wait for nothing: those that ran ahead of the others. */
  readonly #ahead = new Map<string, number>();
  /** The round that is being served. */
  #round = 0;
  #size = 0;

  get size(): number {
    return this.#replays.size + this.#size;
  }

  /** Lanes that have somebody waiting. */
  get lanes(): number {
    return this.#lanes.size;
  }

  waitingIn(lane: string): number {
    return this.#lanes.get(lane)?.jobs.size ?? 0;
  }

  /** The one who has waited longest. */
  get oldest(): T | undefined {
    let oldest: T | undefined = first(this.#replays);
    for (const { jobs } of this.#lanes.values()) {
      const job = first(jobs);
      if (job && (!oldest || job.enqueuedAtMs < oldest.enqueuedAtMs)) oldest = job;
    }
    return oldest;
  }

  push(job: T): void {
    if (job.replayed) {
      this.#replays.add(job);
      return;
    }
    let lane = this.#lanes.get(job.lane);
    if (!lane) {
      lane = { jobs: new Set(), round: Math.max(this.#round, this.#ahead.get(job.lane) ?? 0) };
      this.#ahead.delete(job.lane);
      this.#lanes.set(job.lane, lane);
    }
    if (!lane.jobs.has(job)) this.#size++;
    lane.jobs.add(job);
  }

  remove(job: T): void {
    this.#replays.delete(job);
    const lane = this.#lanes.get(job.lane);
    if (!lane?.jobs.delete(job)) return;
    this.#size--;
    this.#leaveIfEmpty(job.lane, lane);
  }

  /** The next one of the lane whose round comes first. */
  shift(): T | undefined {
    const replay = first(this.#replays);
    if (replay) {
      this.#replays.delete(replay);
      return replay;
    }
    let name = '';
    let next: Lane<T> | undefined;
    for (const [key, lane] of this.#lanes)
      if (!next || lane.round < next.round) {
        name = key;
        next = lane;
      }
    const job = next && first(next.jobs);
    if (!next || !job) return undefined;
    next.jobs.delete(job);
    this.#size--;
    this.#round = next.round;
    next.round++;
    this.#leaveIfEmpty(name, next);
    return job;
  }

  /**
   * Those that can travel with `head`, for at most `most` different items with its own, taken out of the queue. Of first
   * comers each lane has its share, as long as others wait for anything; it costs them no turn: the train runs anyway.
   */
  companions(this: FairQueue, head: Job, most: number): Job[] {
    const all = head.replayed ? [...this.#replays] : [...this.#lanes.values()].flatMap(({ jobs }) => [...jobs]);
    const waiting = all.filter((job) => job.trainKey === head.trainKey && job.half === head.half);
    const shares = new Set(this.#lanes.keys()).add(head.lane).size;
    const share = head.replayed ? most : Math.max(1, Math.ceil(most / shares));
    const items = new Set([head.many?.item]);
    const taken = new Map([[head.lane, 1]]);
    const companions: Job[] = [];
    for (const job of waiting) {
      const item = job.many?.item;
      const ofLane = taken.get(job.lane) ?? 0;
      if (!items.has(item)) {
        if (items.size >= most || ofLane >= share) continue;
        items.add(item);
        taken.set(job.lane, ofLane + 1);
      }
      companions.push(job);
    }
    // Two reads of one item have no form for many.
    if (items.size < 2) return [];
    for (const job of companions) this.remove(job);
    return companions;
  }

  /** Empties the queue. */
  takeAll(): T[] {
    const all = [...this.#replays, ...[...this.#lanes.values()].flatMap(({ jobs }) => [...jobs])];
    this.#replays.clear();
    this.#lanes.clear();
    this.#ahead.clear();
    this.#size = 0;
    return all;
  }

  #leaveIfEmpty(name: string, { jobs, round }: Lane<T>): void {
    if (jobs.size > 0) return;
    this.#lanes.delete(name);
    for (const [other, past] of this.#ahead) if (past <= this.#round) this.#ahead.delete(other);
    if (round > this.#round) this.#ahead.set(name, round);
  }
}

const first = <T>(set: ReadonlySet<T>): T | undefined => set.values().next().value;
