import type { Reply, Upstream } from '../../session/upstream.ts';
import { wireOf, type PassthroughAnswer, type PassthroughMutation } from '../broker/passthrough.ts';
import type { OperationRunner } from './operation-runner.ts';
import { Fields, isWireObject, parseExactJson } from '../../webapi/fields.ts';
import type { ReadContext } from '../broker/broker.ts';
import type { TradeBooks } from './books.ts';
import { done, settledReply, type RawAnswer, type Settlement } from './settlement.ts';

export interface PassthroughMutationParts {
  readonly runner: OperationRunner;
  readonly upstream: Upstream;
  readonly books: TradeBooks;
  /** An account was changed, which one is not always known. */
  readonly onAccountChanged: (login: number | undefined) => void;
}

/** What halts a dealer's request may fall under, as far as its body tells. */
async function haltsOf(
  body: Uint8Array | undefined,
  books: TradeBooks,
  context: ReadContext,
): Promise<{ login?: number; symbol?: string; group?: string }> {
  let fields: Fields;
  try {
    const request = parseExactJson(text.decode(body));
    if (!isWireObject(request)) return {};
    fields = new Fields(request);
  } catch {
    return {};
  }
  const symbol = fields.text('Symbol');
  const login = fields.integer('Login');
  const group = login === undefined ? undefined : await books.group(login, context).catch(() => undefined);
  return {
    ...(symbol === undefined ? {} : { symbol }),
    ...(login === undefined ? {} : { login }),
    ...(group === undefined ? {} : { group }),
  };
}

const loginOf = (query: string): number | undefined => {
  const login = Number(new URLSearchParams(query).get('login') ?? Number.NaN);
  return Number.isSafeInteger(login) ? login : undefined;
};

const DEFAULT_CONTENT_TYPE = 'application/json; charset=utf-8';
const text = new TextDecoder('utf-8');

/**
 * Mutating commands of `/api/*`: the same ledger, the same at-most-once; the caller gets the broker's own bytes. Nothing
 * of the body is kept, since it may hold passwords: what was lost on the way ends `unresolved`.
 */
export function passthroughMutation({
  runner,
  upstream,
  books,
  onAccountChanged,
}: PassthroughMutationParts): PassthroughMutation {
  return async (admitted, context): Promise<PassthroughAnswer> => {
    const { command, caller, query, body, idempotencyKey } = admitted;
    const bodyText = body === undefined ? '' : Buffer.from(body).toString('base64');
    const identity = { routeId: `passthrough:${command.path}`, params: {}, query, bodyText, raw: true };
    const answer = await runner.run(
      { ...context, caller, idempotencyKey, prefersMinimal: false, takesWhole: false, bodyText },
      identity,
      async () => {
        const { login = null, ...reserve } = command.dealer ? await haltsOf(body, books, context) : {};
        return {
          kind: `passthrough:${command.path}`,
          login,
          trading: command.dealer,
          reserve,
          request: { effect: 'untraceable', status: 200, sentBeforeMs: context.deadlineAtMs },
          send: async (hooks) => {
            const reply = await (command.dealer ? upstream.dealers[0] : upstream).mutate(wireOf(admitted), hooks);
            const settlement = settled(reply, command.path);
            if (settlement.state !== 'refused' && command.path.startsWith('user/')) onAccountChanged(loginOf(query));
            return { ...settlement, raw: rawOf(reply) };
          },
        };
      },
    );
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
