import { asBridgeError, toProblem } from '../../contract/errors.ts';
import type { AnswerOf } from '../../contract/route.ts';
import type { closePositions } from '../../contract/routes/bulk.ts';
import { operationView } from '../../state/operation-view.ts';
import type { Operation } from '../../state/state-api.ts';
import type { RouteAnswer } from '../handler.ts';
import type { Settlement } from './settlement.ts';

/** Many positions or orders in one request: what became of each, and of the whole. */

type BulkBody = Omit<AnswerOf<typeof closePositions>, 'operation'>;
export type BulkItem = NonNullable<BulkBody['items']>[number];

/** In place of a ticket: the last step of a liquidation. */
export const DISABLE = 'disable';

/** What the single request was answered. */
export const answeredItem = (ticket: string, { status = 200, body }: RouteAnswer): BulkItem => ({
  ticket,
  status,
  outcome: status === 202 ? 'unknown' : 'done',
  answer: body,
});

/** What the single request was refused with. */
export function refusedItem(ticket: string, thrown: unknown, requestId: string): BulkItem {
  const error = asBridgeError(thrown);
  // Another request with the same key is sending it.
  const isUnknown = error.outcome === 'unknown' || error.code === 'operation_in_flight';
  return {
    ticket,
    status: error.status,
    outcome: isUnknown ? 'unknown' : 'refused',
    answer: toProblem(error, requestId),
  };
}

/** From the row of the single operation; no row = nothing was sent. */
export function storedItem(ticket: string, row: Operation | null): BulkItem {
  if (!row) return { ticket, status: 503, outcome: 'refused', answer: { detail: 'It was not sent.' } };
  const isKnown = row.state === 'done' || row.state === 'refused';
  if (isKnown && row.answer)
    return {
      ticket,
      status: row.answer.status,
      outcome: row.state,
      answer: JSON.parse(row.answer.body),
    };
  const operation = operationView(row);
  if (row.state === 'not_executed') return { ticket, status: 200, outcome: 'refused', answer: { operation } };
  return { ticket, status: 202, outcome: 'unknown', answer: { operation } };
}

function bulkBody(items: readonly BulkItem[]): BulkBody {
  const count = (outcome: BulkItem['outcome']): number => items.filter((item) => item.outcome === outcome).length;
  return {
    counts: { matched: items.length, done: count('done'), refused: count('refused'), unknown: count('unknown') },
    items: [...items],
  };
}

/** All executed: `done`; some: `partial`; none: `refused`. Nothing matched: `done`. With any unknown: `unknown`. */
export function settleBulk(items: readonly BulkItem[]): Settlement<BulkBody> {
  const body = bulkBody(items);
  const { matched = 0, done = 0, unknown = 0 } = body.counts ?? {};
  if (unknown > 0) return { state: 'unknown', reason: `Of ${matched} parts ${unknown} are not settled.`, body };
  if (done === matched) return { state: 'done', status: 200, body };
  return { state: 'done', as: done > 0 ? 'partial' : 'refused', status: 200, body };
}
