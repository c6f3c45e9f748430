import { describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES, MAX_BODY_DEPTH, parseJsonBody } from '../../../container/contract/json-body.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** How many characters of names were read for a body, whether it was taken or refused. */
function charactersRead(body: string): number {
  let characters = 0;
  try {
    parseJsonBody(bytes(body), (quoted) => {
      characters += quoted.length;
      return JSON.parse(quoted) as string;
    });
  } catch {
    // Refused: what counts is the work that came before.
  }
  return characters;
}

const half = 'a'.repeat(MAX_BODY_BYTES / 2 - 100);

describe('the work that one body can cause', () => {
  it.each([
    ['a bad name before thousands of colons', `{"${half}\\x"${':'.repeat(half.length)}`],
    ['a good name before thousands of colons', `{"${half}"${':'.repeat(half.length)}`],
    ['a name of escapes before thousands of colons', `{"${'\\u0061'.repeat(20_000)}"${':'.repeat(half.length)}`],
    ['many short names', `{${Array.from({ length: 20_000 }, (_, i) => `"${i}":0`).join(',')}}`],
    ['one long name', `{"${half}":1}`],
    ['a string that never ends', `{"${half}`],
    ['a string that ends in a backslash', `{"${half}\\`],
    ['one long name in many objects', `[${Array.from({ length: 1_000 }, () => `{"${'a'.repeat(200)}":1}`).join(',')}]`],
  ])('grows no faster than the body: %s', (_, body) => {
    expect(charactersRead(body)).toBeLessThanOrEqual(body.length);
  });
});

describe('what JSON.parse would let through', () => {
  it.each([
    ['a name twice', '{"a":1,"a":2}', 'comes twice'],
    ['a name twice, once escaped', '{"a":1,"\\u0061":2}', 'comes twice'],
    ['a name twice, deeper', '{"b":[{"a":1,"a":2}]}', 'comes twice'],
    ['__proto__', '{"__proto__":1}', 'is not a field'],
    ['depth', `${'['.repeat(MAX_BODY_DEPTH + 1)}${']'.repeat(MAX_BODY_DEPTH + 1)}`, 'nested deeper'],
  ])('is refused: %s', (_, body, message) => {
    expect(() => parseJsonBody(bytes(body))).toThrow(message);
  });

  it('takes the same name in two objects, colons in strings, and the deepest body allowed', () => {
    expect(parseJsonBody(bytes('{"a":{"a":"x:\\":"},"b":":"}')).value).toEqual({ a: { a: 'x:":' }, b: ':' });
    expect(() => parseJsonBody(bytes('['.repeat(MAX_BODY_DEPTH) + ']'.repeat(MAX_BODY_DEPTH)))).not.toThrow();
  });
});
