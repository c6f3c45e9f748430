import { BridgeError } from '../../contract/errors.ts';

/**
 * Cursors: the place of the last item of a page in the order of its list, so that what is inserted or removed meanwhile
 * moves nothing. Opaque to callers, and refused where they do not belong to the list.
 */
export type CursorValue = string | number;

export function encodeCursor(list: string, place: readonly CursorValue[]): string {
  return Buffer.from(JSON.stringify([list, ...place])).toString('base64url');
}

/** A cursor of another list, or not a cursor. */
export const refuseCursor = (): BridgeError =>
  new BridgeError('invalid_field', {
    detail: 'query.cursor: not a cursor of this list.',
    field: 'query.cursor',
    expected: 'nextCursor of the page before, with the same filters',
  });

/** The place, `undefined` without a cursor. @throws BridgeError `invalid_field` */
export function decodeCursor(
  list: string,
  kinds: readonly ('string' | 'number')[],
  cursor: string | undefined,
): readonly CursorValue[] | undefined {
  if (cursor === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw refuseCursor();
  }
  if (!Array.isArray(value) || value.length !== kinds.length + 1 || value[0] !== list) throw refuseCursor();
  const place: unknown[] = value.slice(1);
  const fits = place.every((part, i) =>
    kinds[i] === 'number' ? Number.isSafeInteger(part) : typeof part === 'string' && part.length <= 64,
  );
  if (!fits) throw refuseCursor();
  return place as readonly CursorValue[];
}
