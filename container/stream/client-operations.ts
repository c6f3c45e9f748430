import { BridgeError } from '../contract/errors.ts';
import { clientOperationSchema, type ClientOperation, type OperationId } from '../contract/frames.ts';

/** @throws BridgeError `malformed_request` */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BridgeError('malformed_request', { detail: 'The message is not JSON.', expected: '{"op":…}' });
  }
}

/** What the answer is to carry, whatever else is wrong. */
export function idOf(value: unknown): OperationId | undefined {
  if (typeof value !== 'object' || value === null || !('id' in value)) return undefined;
  if (typeof value.id === 'number') return value.id;
  return typeof value.id === 'string' && value.id.length <= 64 ? value.id : undefined;
}

/** @throws BridgeError `invalid_field`, naming the field */
export function validate(value: unknown): ClientOperation {
  const result = clientOperationSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = [...(issue?.path ?? []), ...(issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [])];
  const field = path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i ? '.' : ''}${String(part)}`))
    .join('');
  const message = issue?.message ?? 'not valid';
  throw new BridgeError('invalid_field', {
    detail: `${field || 'message'}: ${message}`,
    field: field || 'message',
    expected: message,
  });
}
