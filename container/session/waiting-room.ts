import { FairQueue } from './fair-queue.ts';
import type { Job } from './job-queue.ts';
import { SessionError } from './upstream.ts';

/** All who wait for a session: dealing in one line, the rest in another. */
export class WaitingRoom {
  readonly #jobs = new FairQueue();
  readonly #dealerJobs = new FairQueue();
  #dealerWasLast = false;

  get size(): number {
    return this.#jobs.size + this.#dealerJobs.size;
  }

  /** Somebody waits for the dealer's session. */
  get hasDealing(): boolean {
    return this.#dealerJobs.size > 0;
  }

  /** The one who has waited longest for any session. */
  get oldest(): Job | undefined {
    return this.#jobs.oldest;
  }

  /** How many of the others are served before one more of this lane, at most: its own, and as many of each other. */
  aheadOf(lane: string): number {
    const own = this.#jobs.waitingIn(lane);
    const others = this.#jobs.lanes - (own > 0 ? 1 : 0);
    return Math.min(this.#jobs.size, (own + 1) * (others + 1) - 1);
  }

  #lineOf(job: Job): FairQueue {
    return job.kind === 'dealer_read' || job.kind === 'dealer_write' ? this.#dealerJobs : this.#jobs;
  }

  add(job: Job): void {
    this.#lineOf(job).push(job);
  }

  remove(job: Job): void {
    this.#lineOf(job).remove(job);
  }

  /**
   * Who is served next. On the dealer's session dealing and the rest take turns: neither starves. What belongs to a
   * dealer connection that is gone is told so.
   */
  next(onDealerSession: boolean, generation: number): Job | undefined {
    const dealing = onDealerSession && this.hasDealing && (!this.#dealerWasLast || this.#jobs.size === 0);
    if (onDealerSession) this.#dealerWasLast = dealing;
    const job = dealing ? this.#dealerJobs.shift() : this.#jobs.shift();
    if (job?.generation === undefined || job.generation === generation) return job;
    job.reject(new SessionError('lost', 'The dealer connection that sent the request is gone.'));
    return this.next(onDealerSession, generation);
  }

  /** Those that can travel with the one whose turn it is, taken out of the queue. */
  companions(head: Job, most: number): readonly Job[] {
    return this.#jobs.companions(head, most);
  }

  /** Rejects every waiting job with the same error. */
  rejectAll(error: () => SessionError): void {
    for (const job of [...this.#jobs.takeAll(), ...this.#dealerJobs.takeAll()]) job.reject(error());
  }
}
