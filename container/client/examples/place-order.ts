import { BridgeRequestError, type BridgeClient, type Schemas } from '../index.ts';

/**
 * Places an order that is executed at most once, whatever happens on the way: the same key may be sent again as often as
 * needed, and where the outcome is not known, it is looked up instead of sent again.
 */
export async function placeOrder(
  client: BridgeClient,
  order: { login: number; symbol: string; side: 'buy' | 'sell'; volume: string },
  idempotencyKey: string,
): Promise<Schemas['Operation'] | { refused: string }> {
  try {
    const { data } = await client.POST('/v1/orders', { body: order, headers: { 'Idempotency-Key': idempotencyKey } });
    if (data && 'operation' in data) return data.operation;
    return { refused: 'no operation in the answer' };
  } catch (error) {
    if (!(error instanceof BridgeRequestError)) throw error;
    if (error.outcome !== 'unknown') return { refused: error.message };
    const { data } = await client.GET('/v1/operations/{key}', { params: { path: { key: idempotencyKey } } });
    return data ?? { refused: error.message };
  }
}
