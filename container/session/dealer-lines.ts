import { DealerLine, type LinePool } from './dealer-line.ts';
import type { Members } from './members.ts';
import type { Session } from './session.ts';

/** The lines of a pool, and which session each of them is on. */
export class DealerLines {
  readonly all: readonly [DealerLine, ...DealerLine[]];

  constructor(pool: LinePool, count: number) {
    const others = Array.from({ length: count - 1 }, (_, at) => new DealerLine(pool, at + 1));
    this.all = [new DealerLine(pool, 0), ...others];
  }

  /** Sessions that deal. */
  get placed(): number {
    return new Set(this.all.flatMap(({ session }) => session ?? [])).size;
  }

  isOn(session: Session): boolean {
    return this.all.some((line) => line.isOn(session));
  }

  /** Those of a session: mostly none or one; more where there are fewer sessions than lines. */
  on(session: Session): readonly DealerLine[] {
    return this.all.filter((line) => line.isOn(session));
  }

  /** A line that somebody waits for takes the oldest session that no other has; where all have one, the oldest. */
  place(members: Members, isWaitedFor: (line: DealerLine) => boolean): void {
    for (const line of this.all) {
      if (line.session || !isWaitedFor(line)) continue;
      const { sessions } = members;
      const session = sessions.find((candidate) => !this.isOn(candidate)) ?? sessions[0];
      if (session) line.take(session);
    }
  }

  left(session: Session): void {
    for (const line of this.all) line.left(session);
  }

  /** The first one is where callers of the raw API poll for their own results: its session stays. */
  keeps(session: Session): boolean {
    return this.all[0].isOn(session);
  }
}
