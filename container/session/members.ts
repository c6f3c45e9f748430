import type { Session } from './session.ts';

/** A signed-in session of the pool. */
export interface Member {
  readonly session: Session;
  readonly signedInAtMs: number;
  usedAtMs: number;
  hasAnswered: boolean;
  /** It is asked for much at once. */
  carriesBulk: boolean;
}

/** The signed-in sessions, in the order in which they signed in. */
export class Members {
  #all: readonly Member[] = [];

  get count(): number {
    return this.#all.length;
  }

  get all(): readonly Member[] {
    return this.#all;
  }

  get stats(): { readonly connections: number; readonly busy: number } {
    return { connections: this.count, busy: this.#all.filter(({ session }) => !session.free).length };
  }

  get sessions(): readonly Session[] {
    return this.#all.map(({ session }) => session);
  }

  add(session: Session, nowMs: number): void {
    this.#all = [
      ...this.#all,
      { session, signedInAtMs: nowMs, usedAtMs: nowMs, hasAnswered: false, carriesBulk: false },
    ];
  }

  /** `undefined` = it was none. */
  remove(session: Session): Member | undefined {
    const member = this.#all.find((candidate) => candidate.session === session);
    this.#all = this.#all.filter((candidate) => candidate !== member);
    return member;
  }

  /**
   * Whether one more session may be asked for much at once: all but `reserved` may, and at least one, even where that leaves
   * none for anything else.
   */
  hasRoomForBulk(reserved: number): boolean {
    const carrying = this.#all.filter(({ carriesBulk }) => carriesBulk).length;
    return carrying < Math.max(1, this.count - reserved);
  }

  /** One that signed in after that one. */
  newerThan({ signedInAtMs }: Member): Member | undefined {
    return this.#all.find((other) => other.signedInAtMs > signedInAtMs);
  }

  /** The youngest that is free, was not used since then, and is not kept. */
  idleSince(ms: number, keeps: (session: Session) => boolean): Session | undefined {
    return this.#all.findLast(({ session, usedAtMs }) => session.free && usedAtMs <= ms && !keeps(session))?.session;
  }
}
