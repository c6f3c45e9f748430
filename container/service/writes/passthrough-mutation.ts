import type { Reply, Upstream } from '../../session/upstream.ts';
import { wireOf, type PassthroughAnswer, type PassthroughMutation } from '../broker/passthrough.ts';
import type { OperationRunner } from './operation-runner.ts';
import { done, settledReply, type RawAnswer, type Settlement } from './settlement.ts';

const DEFAULT_CONTENT_TYPE = 'application/json; charset=utf-8';
const text = new TextDecoder('utf-8');

/**
 * Mutating commands of `/api/*`: the same ledger, the same at-most-once; the caller gets the broker's own bytes. Nothing
 * of the body is kept, since it may hold passwords: what was lost on the way ends `unresolved`.
 */
export function passthroughMutation(runner: OperationRunner, upstream: Upstream): PassthroughMutation {
  return async (admitted, context): Promise<PassthroughAnswer> => {
    const { command, caller, query, body, idempotencyKey } = admitted;
    const bodyText = body === undefined ? '' : Buffer.from(body).toString('base64');
    const identity = { routeId: `passthrough:${command.path}`, params: {}, query, bodyText, raw: true };
    const answer = await runner.run({ ...context, caller, idempotencyKey, bodyText }, identity, async () => ({
      kind: `passthrough:${command.path}`,
      login: null,
      trading: command.dealer,
      request: { effect: 'untraceable', status: 200, sentBeforeMs: context.deadlineAtMs },
      send: async (hooks) => {
        const reply = await (command.dealer ? upstream.dealer : upstream).mutate(wireOf(admitted), hooks);
        return { ...settled(reply, command.path), raw: rawOf(reply) };
      },
    }));
    const { 'content-type': contentType = DEFAULT_CONTENT_TYPE, ...headers } = answer.headers ?? {};
    return { status: answer.status ?? 200, contentType, bytes: Buffer.from(String(answer.body as unknown)), headers };
  };
}

const settled = (reply: Reply, path: string): Settlement => settledReply(reply, path, () => done(reply.status, {}));

const rawOf = (reply: Reply): RawAnswer => ({
  status: reply.status,
  contentType: reply.contentType ?? DEFAULT_CONTENT_TYPE,
  text: text.decode(reply.bytes),
});
