import type { DealerLine } from './dealer-line.ts';
import { FairQueue } from './fair-queue.ts';
import type { Job } from './job-queue.ts';
import { SessionError } from './upstream.ts';

/** All who wait for a session: what is urgent, dealing by line, and the rest. */
export class WaitingRoom {
  readonly #urgent = new FairQueue();
  readonly #jobs = new FairQueue();
  readonly #bulk = new FairQueue();
  #hadBulk = false;
  readonly #dealing = new Map<DealerLine, FairQueue>();
  /** Lines that had the last turn of their session. */
  readonly #hadTurn = new Set<DealerLine>();

  get size(): number {
    let size = this.sizeForAny;
    for (const queue of this.#dealing.values()) size += queue.size;
    return size;
  }

  /** Those whom any session can serve. */
  get sizeForAny(): number {
    return this.#urgent.size + this.#jobs.size + this.#bulk.size;
  }

  /** Somebody waits for the session of this line. */
  hasDealing(line: DealerLine): boolean {
    return (this.#dealing.get(line)?.size ?? 0) > 0;
  }

  get hasSomeDealing(): boolean {
    return this.size > this.sizeForAny;
  }

  /** The one who has waited longest for any session. */
  get oldest(): Job | undefined {
    return this.#urgent.oldest ?? this.#jobs.oldest ?? this.#bulk.oldest;
  }

  /** How many of the others are served before one more of this lane, at most: its own, and as many of each other. */
  aheadOf(lane: string): number {
    const own = this.#jobs.waitingIn(lane);
    const others = this.#jobs.lanes - (own > 0 ? 1 : 0);
    return Math.min(this.#jobs.size, (own + 1) * (others + 1) - 1);
  }

  #queueOf({ line, urgent, bulk }: Job): FairQueue {
    if (!line) return urgent ? this.#urgent : bulk ? this.#bulk : this.#jobs;
    let queue = this.#dealing.get(line);
    if (!queue) this.#dealing.set(line, (queue = new FairQueue()));
    return queue;
  }

  add(job: Job): void {
    this.#queueOf(job).push(job);
  }

  remove(job: Job): void {
    this.#queueOf(job).remove(job);
  }

  /**
   * Who is served next by a session with these lines. What is urgent goes first; but where a session also deals, dealing
   * and urgent reads take turns with the rest: neither starves.
   */
  next(lines: readonly DealerLine[], takesBulk: boolean): Job | undefined {
    const [first] = lines;
    if (!first) return this.#urgent.shift() ?? this.#nextOfAny(takesBulk);
    const dealing = this.#jobs.size + (takesBulk ? this.#bulk.size : 0) === 0 || !this.#hadTurn.has(first);
    const job = dealing ? this.#nextDealing(lines) : undefined;
    if (job) this.#hadTurn.add(first);
    else this.#hadTurn.delete(first);
    return job ?? this.#nextOfAny(takesBulk);
  }

  /** What is short, and what is long where the session takes it, by turns. */
  #nextOfAny(takesBulk: boolean): Job | undefined {
    if (!takesBulk) return this.#jobs.shift();
    const first = this.#hadBulk ? this.#jobs : this.#bulk;
    const job = first.shift() ?? (first === this.#bulk ? this.#jobs : this.#bulk).shift();
    this.#hadBulk = job?.bulk ?? false;
    return job;
  }

  /** What is ready to be dealt goes before what is read for the next deal: what was read for it grows old. */
  #nextDealing(lines: readonly DealerLine[]): Job | undefined {
    const line = oldestFirst(
      lines.filter((each) => this.hasDealing(each)),
      this.#dealing,
    );
    if (!line) return this.#urgent.shift();
    const job = this.#dealing.get(line)?.shift();
    // What belongs to a connection that is gone is told so.
    if (job?.generation === undefined || job.generation === line.generation) return job;
    job.reject(new SessionError('lost', 'The dealer connection that sent the request is gone.'));
    return this.#nextDealing(lines);
  }

  /** Those that can travel with the one whose turn it is, taken out of the queue. */
  companions(head: Job, most: number): readonly Job[] {
    return this.#jobs.companions(head, most);
  }

  /** The one whose turn it is, and all who wait, with the same error. */
  refuse(head: Job, error: () => SessionError): void {
    head.reject(error());
    this.rejectAll(error);
  }

  /** Rejects every waiting job with the same error. */
  rejectAll(error: () => SessionError): void {
    for (const queue of [this.#urgent, this.#jobs, this.#bulk, ...this.#dealing.values()])
      for (const job of queue.takeAll()) job.reject(error());
  }
}

/** Of several lines on one session, the one that has waited longest. */
function oldestFirst(lines: readonly DealerLine[], queues: ReadonlyMap<DealerLine, FairQueue>): DealerLine | undefined {
  const waitsSince = (line: DealerLine): number => queues.get(line)?.oldest?.enqueuedAtMs ?? Infinity;
  return lines.length < 2 ? lines[0] : [...lines].sort((a, b) => waitsSince(a) - waitsSince(b))[0];
}
