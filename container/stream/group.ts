import type { DataTopic } from '../contract/frames.ts';
import { chunkOf, jsonList, makeFrame, type Chunk, type OutFrame } from './chunk.ts';
import type { Member } from './member.ts';

/** What is to be sent to a group at the next flush. A mark uses up no sequence: `seq` = `prev`. */
interface Pending {
  readonly type: 'delta' | 'stale' | 'live';
  readonly prev: number;
  readonly seq: number;
  readonly data: string;
}

/**
 * The subscribers of one topic with the same selection. Those that were sent the same last sequence are in lockstep and
 * get the very same bytes; the others get frames of their own until their `prev` is the group's again.
 */
export class Group {
  readonly id: string;
  readonly topic: DataTopic;
  readonly selectors: readonly string[];
  /** Slices that the selectors stand for now. */
  keys: ReadonlySet<string> = new Set();
  /** Sequence of the last delta made for this group. */
  lastSeq: number;
  /** JSON of the changes of the publish under way. */
  batch: string[] = [];
  readonly lockstep: Member[] = [];
  /** Waiting, lagging, or at another sequence. */
  readonly others = new Set<Member>();
  #pending: Pending[] = [];

  constructor(id: string, topic: DataTopic, selectors: readonly string[], seq: number) {
    this.id = id;
    this.topic = topic;
    this.selectors = selectors;
    this.lastSeq = seq;
  }

  get size(): number {
    return this.lockstep.length + this.others.size;
  }

  closeBatch(seq: number): void {
    this.#pending.push({ type: 'delta', prev: this.lastSeq, seq, data: jsonList(this.batch) });
    this.lastSeq = seq;
    this.batch = [];
  }

  addMark(mark: 'stale' | 'live', symbols: readonly string[]): void {
    const data = JSON.stringify({ symbols });
    this.#pending.push({ type: mark, prev: this.lastSeq, seq: this.lastSeq, data });
  }

  /** Everybody waits again, at the sequence that they were last sent. Call only when nothing is pending. */
  reset(seq: number): void {
    for (const member of this.lockstep) {
      member.lockstepIndex = -1;
      member.seq = this.lastSeq;
      this.others.add(member);
    }
    this.lockstep.length = 0;
    this.lastSeq = seq;
  }

  /** A list of its own: members may be moved while it is walked. */
  members(): Member[] {
    return [...this.lockstep, ...this.others];
  }

  add(member: Member): void {
    this.others.add(member);
  }

  /** Afterwards the member's `seq` is its own again. Call only when nothing is pending. */
  remove(member: Member): void {
    if (member.lockstepIndex >= 0) this.#demote(member, this.lastSeq);
    this.others.delete(member);
  }

  /** The sequence that this member was last sent, nothing being pending. */
  seqOf(member: Member): number {
    return member.lockstepIndex >= 0 ? this.lastSeq : member.seq;
  }

  /** Sends what is pending: one chunk for all in lockstep; for the others, own frames up to the first delta. */
  flush(epoch: number, time: string): void {
    const pending = this.#pending;
    const first = pending[0];
    if (!first) return;
    this.#pending = [];
    const frames = pending.map((entry) => makeFrame({ ...entry, topic: this.topic, epoch, time }));

    // Only those that were here before this flush; members promoted below have been served.
    if (this.lockstep.length > 0) {
      const chunk = chunkOf(frames);
      for (let i = this.lockstep.length - 1; i >= 0; i--) {
        const member = this.lockstep[i];
        if (member && !member.connection.offer(chunk)) {
          this.#demote(member, first.prev);
          this.others.add(member);
        }
      }
    }
    if (this.others.size === 0) return;
    const tails = new Map<number, Chunk>();
    for (const member of this.others) {
      if (member.state !== 'live' || member.connection.isLagging) continue;
      let chunk = tails.get(member.seq);
      if (!chunk) {
        chunk = chunkOf(this.#rebase(pending, frames, member.seq, epoch, time));
        tails.set(member.seq, chunk);
      }
      if (!member.connection.offer(chunk)) continue;
      member.seq = Math.max(member.seq, this.lastSeq);
      if (member.seq === this.lastSeq) this.#promote(member);
    }
  }

  /** The same frames for somebody whose last sequence is `seq`. */
  #rebase(
    pending: readonly Pending[],
    frames: readonly OutFrame[],
    seq: number,
    epoch: number,
    time: string,
  ): OutFrame[] {
    const rebased: OutFrame[] = [];
    let own = seq;
    for (const [i, entry] of pending.entries()) {
      const shared = frames[i];
      if (!shared) continue;
      const next = Math.max(own, entry.seq);
      if (entry.prev === own) rebased.push(shared);
      else rebased.push(makeFrame({ ...entry, topic: this.topic, epoch, time, prev: own, seq: next }));
      own = next;
    }
    return rebased;
  }

  #promote(member: Member): void {
    this.others.delete(member);
    member.lockstepIndex = this.lockstep.push(member) - 1;
  }

  #demote(member: Member, seq: number): void {
    const last = this.lockstep.pop();
    if (last && last !== member) {
      this.lockstep[member.lockstepIndex] = last;
      last.lockstepIndex = member.lockstepIndex;
    }
    member.lockstepIndex = -1;
    member.seq = seq;
  }
}
