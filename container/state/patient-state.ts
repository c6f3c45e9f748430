import type { BridgeState } from './bridge-state.ts';
import { StateBusyError } from './sql.ts';
import type { StateApi } from './state-api.ts';

/** A lock is asked for again after 2 ms, then twice as long each time, up to 50 ms; longest wait in all. */
const FIRST_WAIT_MS = 2;
const LONGEST_WAIT_MS = 50;
const PATIENCE_MS = 3_000;

/**
 * The state as its callers in this process see it: where another program holds the file's lock, a call waits for it and
 * nothing else does. SQLite's own waiting would stop the event loop, and with it every session and stream. For the same
 * reason the disk is waited for here: what a call has written, or read of what others wrote, is durable when it resolves.
 *
 * A call that finds the lock taken has changed nothing: each writes in one statement or one transaction.
 */
export function patientState(state: BridgeState, durable: () => Promise<void>): StateApi {
  const patient = <Group extends object>(group: Group): Group => patientGroup(group, durable);
  return {
    signIn: patient(state.signIn),
    sessions: patient(state.sessions),
    operations: patient(state.operations),
    journal: patient(state.journal),
    figures: patient(state.figures),
    keys: patient(state.keys),
    symbols: patient(state.symbols),
    cost: patient(state.cost),
    margin: patient(state.margin),
  };
}

function patientGroup<Group extends object>(group: Group, durable: () => Promise<void>): Group {
  return new Proxy(group, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        const answer: unknown = await whileBusy(() => Promise.resolve(Reflect.apply(member, target, args)));
        await durable();
        return answer;
      };
    },
  });
}

/** @throws BridgeError `state_unavailable` when the lock is held for longer */
async function whileBusy<T>(call: () => Promise<T>): Promise<T> {
  let waitedMs = 0;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof StateBusyError) || waitedMs >= PATIENCE_MS) throw error;
    }
    await new Promise<void>((resolve) => void setTimeout(resolve, waitMs));
    waitedMs += waitMs;
  }
}
