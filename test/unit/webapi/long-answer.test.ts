import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExactJson } from '../../../container/webapi/fields.ts';
import { parseLongAnswer } from '../../../container/webapi/long-answer.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const row = fc.dictionary(fc.string({ unit: 'binary', maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 6 });

/** Longer than what is read whole. */
const long = (rows: readonly object[]): readonly object[] =>
  Array.from({ length: 3_000 }, (_, n) => ({
    Number: String(n),
    Name: 'so long that',
    ...rows[n % rows.length],
  }));

describe('a long answer is read in pieces', () => {
  it('into what it says, whatever stands in it', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 12 }), fc.jsonValue({ maxDepth: 1 }), (rows, beside) => {
        // Bare numbers of more digits than a float holds: their text counts.
        const text = JSON.stringify({
          retcode: '0 Done',
          beside,
          answer: long([...rows, { Deal: 'NUMBER-HERE', ']},{["\\': '}]' }]),
        }).replaceAll('"NUMBER-HERE"', '12345678901234567890');
        expect(parseLongAnswer(bytesOf(text))).toEqual(parseExactJson(text));
      }),
      { numRuns: 20 },
    );
  });

  it('under any name, with what stands behind it', () => {
    const text = JSON.stringify({ 'Ans"wer': long([{ Login: '1', Name: '王小明' }]), trans_id: 7, more: [{ a: [] }] });
    expect(parseLongAnswer(bytesOf(text))).toEqual(parseExactJson(text));
  });

  it.each([
    ['short', JSON.stringify({ answer: [{ Login: '1' }] })],
    ['nested', JSON.stringify({ answer: { rows: long([{ Login: '1' }]) } })],
    ['laid out', JSON.stringify({ answer: long([{ Login: '1', Name: 'x'.repeat(40) }]) }, undefined, 1)],
    [
      'of numbers',
      JSON.stringify({ answer: Array.from({ length: 3_000 }, () => [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]) }),
    ],
    ['cut off', JSON.stringify({ answer: long([{ Login: '1', Name: 'x'.repeat(40) }]) }).slice(0, -2)],
  ])('is left to be read whole where it is %s', (_what, text) => {
    expect(parseLongAnswer(bytesOf(text))).toBeUndefined();
  });

  it('throws where a piece is no JSON, or no UTF-8', () => {
    const text = JSON.stringify({ answer: long([{ Login: '1', Name: 'x'.repeat(40) }]) });
    expect(() => parseLongAnswer(bytesOf(text.replace('"Login":"1"', '"Login" "1"')))).toThrow(SyntaxError);
    const bytes = bytesOf(text);
    bytes[text.length - 20] = 0xff;
    expect(() => parseLongAnswer(bytes)).toThrow(TypeError);
  });
});
