import type { LoginMask } from '../contract/keys.ts';
import type { SqlRow } from './sql.ts';
import { OPERATION_STATES, type Operation } from './state-api.ts';

/** Numbers (the state's methods check it), so that they may stand in the statement. */
export const maskCondition = (mask: LoginMask | undefined): string =>
  mask ? `(${mask.map(([from, to]) => `login BETWEEN ${from} AND ${to}`).join(' OR ')})` : '1';

export function toOperation(row: SqlRow): Operation {
  const state = OPERATION_STATES.find((known) => known === row['state']);
  return {
    caller: String(row['caller']),
    key: String(row['operation_key']),
    kind: String(row['kind']),
    tag: String(row['tag']),
    state: state ?? 'unknown',
    login: typeof row['login'] === 'number' ? row['login'] : null,
    requestId: typeof row['request_id'] === 'string' ? row['request_id'] : null,
    address: typeof row['address'] === 'string' ? row['address'] : null,
    createdAtMs: Number(row['created_at_ms']),
    updatedAtMs: Number(row['updated_at_ms']),
    settledAtMs: typeof row['settled_at_ms'] === 'number' ? row['settled_at_ms'] : null,
    request: String(row['request']),
    answer:
      typeof row['answer_status'] === 'number' && typeof row['answer_body'] === 'string'
        ? { status: row['answer_status'], body: row['answer_body'] }
        : null,
    emptyLooks: Number(row['empty_looks']),
    lastLookAtMs: typeof row['last_look_at_ms'] === 'number' ? row['last_look_at_ms'] : null,
  };
}
