import type { Job } from './job-queue.ts';
import type { Command, Reply } from './upstream.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** As many as live servers answer in one call without effort (mt5-webapi §3.3); URLs stay short. */
const MOST_ITEMS = 100;
/** Where trains begin again after they did not pay. */
const FEW_ITEMS = 8;
/** A train that takes longer, or weighs more, keeps the session from everybody else: the next is half as long. */
const LONG_MS = 500;
const LARGE_BYTES = 4 * 1024 * 1024;
/** Trains that find nothing cost one call each: they are left alone for so long. */
const REST_MS = 30_000;

/** The one whose turn it was, and those that came along. */
export type Aboard = readonly [Job, ...Job[]];

/** How many items travel together in one form. */
interface Pace {
  most: number;
  restsUntilMs: number;
}

/**
 * Reads that wait for a session and have a form for many travel together. Nobody waits for a train: the one whose turn
 * it is takes along those who wait anyway. What a train does not bring is asked for in halves of it, and then singly, in the
 * lanes of those who asked: nobody else waits for it.
 */
export class Trains {
  readonly #paces = new Map<string, Pace>();

  /** The job whose turn it is, and those that come along; they no longer wait. */
  board(head: Job, waiting: WaitingRoom, nowMs: number): Aboard {
    if (head.trainKey === undefined || !head.many?.train.isUsable()) return [head];
    const { most, restsUntilMs } = this.#pace(head);
    return nowMs < restsUntilMs ? [head] : [head, ...waiting.companions(head, most)];
  }

  /** What is sent: the form for many only where there are several. */
  command(jobs: Aboard): Command {
    const [head] = jobs;
    const items = itemsOf(jobs);
    return head.many && items.length > 1 ? head.many.train.command(items) : head.command;
  }

  /** Gives each job its part of the answer. Returns those that have to be asked for again. */
  arrived(jobs: Aboard, reply: Reply, tookMs: number, nowMs: number): readonly Job[] {
    const [head] = jobs;
    const items = itemsOf(jobs);
    if (!head.many || items.length === 1) {
      head.resolve(reply);
      return [];
    }
    const outcome = head.many.train.arrived(reply, items);
    const pace = this.#pace(head);
    if (outcome === 'singles') return jobs.map((job) => askedAlone(job));
    if (outcome === 'halves') {
      if (head.many.train.isTooMany(reply)) pace.most = Math.max(2, Math.floor(items.length / 2));
      return inHalves(jobs, items);
    }
    const left = jobs.filter((job) => {
      const part = job.many && outcome.get(job.many.item);
      const answer = part === undefined ? undefined : job.many?.answer(part);
      if (answer) job.resolve(answer);
      return !answer;
    });
    adapt(pace, { items: items.length, found: items.length - itemsOf(left).length, tookMs, reply, nowMs });
    return left.map((job) => askedAlone(job));
  }

  #pace({ many }: Job): Pace {
    const name = many?.train.name ?? '';
    let pace = this.#paces.get(name);
    if (!pace) this.#paces.set(name, (pace = { most: MOST_ITEMS, restsUntilMs: 0 }));
    return pace;
  }
}

/** Half as many where a train was slow, heavy or brought little; a few more where it was full and quick. */
function adapt(pace: Pace, train: { items: number; found: number; tookMs: number; reply: Reply; nowMs: number }): void {
  const { items, found, tookMs, reply, nowMs } = train;
  if (tookMs > LONG_MS || reply.bytes.length > LARGE_BYTES || found * 2 < items) pace.most = Math.floor(items / 2);
  else if (items >= pace.most) pace.most = Math.min(MOST_ITEMS, pace.most + FEW_ITEMS);
  if (pace.most >= 2) return;
  pace.most = FEW_ITEMS;
  pace.restsUntilMs = nowMs + REST_MS;
}

const itemsOf = (jobs: readonly Job[]): readonly string[] => [...new Set(jobs.map(({ many }) => many?.item ?? ''))];

function askedAlone(job: Job): Job {
  job.half = null;
  return job;
}

function inHalves(jobs: readonly Job[], items: readonly string[]): readonly Job[] {
  const first = new Set(items.slice(0, Math.ceil(items.length / 2)));
  const halves = [Symbol('first half'), Symbol('second half')] as const;
  for (const job of jobs) job.half = halves[first.has(job.many?.item ?? '') ? 0 : 1];
  return jobs;
}
