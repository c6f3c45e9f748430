import type { Job } from './job-queue.ts';

/**
 * Who waits, by lane: lanes take turns, and within one the first comes first. A key that asks for much waits for itself
 * and not others for it. What is replayed goes first; what gave up leaves at once.
 */
export class FairQueue {
  readonly #replays = new Set<Job>();
  /** In the order of their turns. */
  readonly #lanes = new Map<string, Set<Job>>();
  #size = 0;

  get size(): number {
    return this.#replays.size + this.#size;
  }

  /** Lanes that have somebody waiting. */
  get lanes(): number {
    return this.#lanes.size;
  }

  waitingIn(lane: string): number {
    return this.#lanes.get(lane)?.size ?? 0;
  }

  /** The one who has waited longest. */
  get oldest(): Job | undefined {
    let oldest: Job | undefined = first(this.#replays);
    for (const jobs of this.#lanes.values()) {
      const job = first(jobs);
      if (job && (!oldest || job.enqueuedAtMs < oldest.enqueuedAtMs)) oldest = job;
    }
    return oldest;
  }

  push(job: Job): void {
    if (job.replayed) return void this.#replays.add(job);
    const jobs = this.#lanes.get(job.lane) ?? new Set();
    this.#lanes.set(job.lane, jobs);
    if (!jobs.has(job)) this.#size++;
    jobs.add(job);
  }

  remove(job: Job): void {
    this.#replays.delete(job);
    const jobs = this.#lanes.get(job.lane);
    if (!jobs?.delete(job)) return;
    this.#size--;
    if (jobs.size === 0) this.#lanes.delete(job.lane);
  }

  /** The next one, whose lane then waits for the turn of all others. */
  shift(): Job | undefined {
    const replay = first(this.#replays);
    if (replay) {
      this.#replays.delete(replay);
      return replay;
    }
    for (const [lane, jobs] of this.#lanes) {
      const job = first(jobs);
      this.#lanes.delete(lane);
      if (!job) continue;
      jobs.delete(job);
      this.#size--;
      if (jobs.size > 0) this.#lanes.set(lane, jobs);
      return job;
    }
    return undefined;
  }

  /** Empties the queue. */
  takeAll(): Job[] {
    const all = [...this.#replays, ...[...this.#lanes.values()].flatMap((jobs) => [...jobs])];
    this.#replays.clear();
    this.#lanes.clear();
    this.#size = 0;
    return all;
  }
}

const first = <T>(set: ReadonlySet<T>): T | undefined => set.values().next().value;
