import type { Command, Upstream } from '../../session/upstream.ts';
import type { WireObject } from '../../webapi/fields.ts';
import type { ReadContext } from '../broker/broker.ts';
import type { SendHooks } from './operation-runner.ts';
import { bodyOf, done, settledReply, type Settlement } from './settlement.ts';

/** One command of an operation, handed to a connection once. @param what the intent, for words */
export async function sendCommand<Body extends object>(
  upstream: Upstream,
  command: Command,
  hooks: SendHooks,
  what: string,
  whenDone: (body: WireObject) => Promise<Settlement<Body>>,
): Promise<Settlement<Body>> {
  const reply = await upstream.mutate(command, hooks);
  const settlement = settledReply<Body>(reply, what, () => done(200, {} as Body));
  return settlement.state === 'done' ? whenDone(bodyOf(reply)) : settlement;
}

/** For what is read beside a write that is known already: nobody waits for it long. */
export const quietly = (): ReadContext => ({ deadlineAtMs: Date.now() + 3000, signal: new AbortController().signal });
