import type { EventDraft, EventType } from '../contract/events.ts';
import type { SqlRow } from './sql.ts';
import type { OperationState } from './state-api.ts';

/** Longest request or answer that an event repeats; `GET /v1/operations/{key}` has the whole answer. */
const MOST_CHARACTERS = 16_000;

/** What a done operation of this kind did to an account. */
const ACCOUNT_EVENTS: Readonly<Record<string, EventType>> = {
  'account.create': 'account.created',
  'account.update': 'account.updated',
  'account.enable': 'account.enabled',
  'account.disable': 'account.disabled',
  'account.group': 'account.group_changed',
  'account.password': 'account.password_changed',
  'account.delete': 'account.deleted',
  'account.liquidate': 'account.liquidated',
  balance: 'account.balance_changed',
};

/**
 * What is told of an operation in the state that its row has now (`dropped`: it was called off before anything was sent):
 * its own event, and where it changed an account, that of the account.
 */
export function operationEvents(row: SqlRow, state: OperationState | 'dropped', asked?: string): readonly EventDraft[] {
  const kind = String(row['kind']);
  const result = state === 'sending' || state === 'dropped' ? undefined : parsed(row['answer_body']);
  const { before, wanted } = (parsed(row['request']) ?? {}) as { before?: unknown; wanted?: unknown };
  const common = {
    by: { caller: String(row['caller']), requestId: textOf(row['request_id']), address: textOf(row['address']) },
    login: typeof row['login'] === 'number' ? row['login'] : loginOf(result),
  };
  const data = {
    key: row['operation_key'],
    kind,
    state,
    tag: row['tag'],
    ...optional('group', row['account_group']),
    ...optional('asked', asked === undefined ? undefined : parsed(asked)),
    ...optional('before', before),
    ...optional('after', wanted),
    ...optional('status', result === undefined ? undefined : row['answer_status']),
    ...optional('result', withoutOperation(result)),
  };
  const own: EventDraft = { ...common, type: `operation.${state}`, data };
  const account = state === 'done' ? ACCOUNT_EVENTS[kind] : undefined;
  return account === undefined ? [own] : [own, { ...common, type: account, data }];
}

/** JSON; what is too long, or something else, is told by its length. */
function parsed(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  if (text.length > MOST_CHARACTERS) return { omittedCharacters: text.length };
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return { omittedCharacters: text.length };
  }
}

/** The account that was opened. */
function loginOf(result: unknown): number | undefined {
  const login = (result as { login?: unknown } | undefined)?.login;
  return typeof login === 'number' ? login : undefined;
}

function withoutOperation(result: unknown): unknown {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return result;
  return Object.fromEntries(Object.entries(result).filter(([name]) => name !== 'operation'));
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const optional = (name: string, value: unknown): Record<string, unknown> =>
  value === undefined || value === null ? {} : { [name]: value };
