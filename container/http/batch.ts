import { asBridgeError, BridgeError, toProblem } from '../contract/errors.ts';
import type { AnswerOf } from '../contract/route.ts';
import { postBatch } from '../contract/routes/batch.ts';
import { handle } from '../service/handler.ts';
import type { HandlersOf, RouteContext } from '../service/handler.ts';
import type { TypedApi } from './serve-routes.ts';

/** The batch, over the very function that serves single requests: nothing is allowed here that is not there. */
export function serveBatch(api: TypedApi): HandlersOf<typeof postBatch> {
  return handle(postBatch, async ({ body, decimals }, context) => {
    // All at once: those that can travel together do, and the others wait in the lane of their key, not before other callers.
    const items = await Promise.all(
      body.requests.map(async ({ id = null, path }) => ({ id, ...(await answerOne(api, path, decimals, context)) })),
    );
    return { body: { items } };
  });
}

/** A read that came as a line of a batch: no headers, no body. */
const BATCHED_READ = {
  method: 'GET',
  hasBody: false,
  header: (): undefined => undefined,
  readBody: async () => new Uint8Array(),
  charge: (): undefined => undefined,
};

async function answerOne(
  api: TypedApi,
  target: string,
  decimals: string,
  context: RouteContext,
): Promise<Omit<AnswerOf<typeof postBatch>['items'][number], 'id'>> {
  try {
    const url = new URL(target, 'http://bridge.invalid');
    if (!url.pathname.startsWith('/v1/') || url.host !== 'bridge.invalid')
      throw new BridgeError('route_not_found', 'A batch takes paths under /v1/.');
    if (!url.searchParams.has('decimals')) url.searchParams.set('decimals', decimals);
    const call = { ...BATCHED_READ, query: url.searchParams, caller: () => context.caller };
    const { status, body } = await api.answer(api.match('GET', url.pathname), call, context);
    return { status, body, problem: null };
  } catch (thrown) {
    const error = asBridgeError(thrown);
    return { status: error.status, body: null, problem: toProblem(error, context.requestId) };
  }
}
