import type { ErrorCode } from '../../../container/contract/errors.ts';

/** A fault or bad input, what must hold under it, and the tests that show it. */
export interface Fault {
  /** `S` session, `O` orders, `W` streams, `H` HTTP and input, `A` access, `P` platform. */
  readonly id: string;
  readonly fault: string;
  readonly holds: string;
  /** What a caller may be told. */
  readonly codes?: readonly ErrorCode[];
  /** Files below `test/`, and names of their tests or groups of tests as they stand in the source. */
  readonly shownBy: Readonly<Record<string, readonly string[]>>;
}

export interface FaultGroup {
  readonly title: string;
  readonly faults: readonly Fault[];
}
