import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HttpFailure, HttpParser, type HttpRequest, LIMITS } from '../../simulator/http-parser.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

/** Everything the parser makes of these pieces. */
function parse(pieces: readonly Buffer[]): (HttpRequest | HttpFailure)[] {
  const parser = new HttpParser();
  const results: (HttpRequest | HttpFailure)[] = [];
  for (const piece of pieces) {
    parser.push(piece);
    for (let next = parser.next(); next !== undefined; next = parser.next()) results.push(next);
  }
  return results;
}

const summary = (results: readonly (HttpRequest | HttpFailure)[]): unknown[] =>
  results.map((result) =>
    result instanceof HttpFailure
      ? result.status
      : [result.method, result.target, result.contentType, result.body.toString('utf8'), result.keepAlive],
  );

const STREAM =
  'GET /api/test/access HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n' +
  'POST /api/user/add?group=demo HTTP/1.1\r\nContent-Type: application/JSON; charset=utf-8\r\nContent-Length: 14\r\n\r\n{"Name":"Жук"}'.replace(
    '14',
    String(bytes('{"Name":"Жук"}').length),
  ) +
  'POST /api/auth/start HTTP/1.1\r\ncontent-length: 0\r\n\r\n' +
  'POST /api/mail/send HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: t\r\n\r\n' +
  'GET /api/quit HTTP/1.0\r\n\r\n';
const EXPECTED = [
  ['GET', '/api/test/access', '', '', true],
  ['POST', '/api/user/add?group=demo', 'application/json', '{"Name":"Жук"}', true],
  ['POST', '/api/auth/start', '', '', true],
  ['POST', '/api/mail/send', '', 'hello world', true],
  ['GET', '/api/quit', '', '', false],
];

describe('whole requests, however the bytes arrive', () => {
  const all = bytes(STREAM);

  test('at once', () => {
    expect(summary(parse([all]))).toEqual(EXPECTED);
  });

  test('byte by byte', () => {
    expect(summary(parse(Array.from(all, (byte) => Buffer.from([byte]))))).toEqual(EXPECTED);
  });

  test('cut in two anywhere', () => {
    for (let cut = 1; cut < all.length; cut += 1) {
      expect(summary(parse([all.subarray(0, cut), all.subarray(cut)])), `cut at ${cut}`).toEqual(EXPECTED);
    }
  });
});

describe('refused', () => {
  test.each([
    ['a raw frame', 'MT5WEBAPI006400010AUTH_START|VERSION=3661|', 400],
    ['no request line', 'hello\r\n\r\n', 400],
    ['another version', 'GET / HTTP/2.0\r\n\r\n', 400],
    ['another method', 'DELETE /api/user/get HTTP/1.1\r\n\r\n', 405],
    ['a blank in the target', 'GET /api/user get HTTP/1.1\r\n\r\n', 400],
    ['a header without a colon', 'GET / HTTP/1.1\r\nnonsense\r\n\r\n', 400],
    ['a blank before the colon', 'GET / HTTP/1.1\r\nContent-Length : 3\r\n\r\nabc', 400],
    ['a folded header', 'GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n', 400],
    ['length and chunks together', 'POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['two different lengths', 'POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc', 400],
    ['a length that is no number', 'POST / HTTP/1.1\r\nContent-Length: 3x\r\n\r\n', 400],
    ['a negative length', 'POST / HTTP/1.1\r\nContent-Length: -3\r\n\r\n', 400],
    ['another encoding', 'POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 400],
    ['a chunk size that is no number', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400],
    ['a chunk without its end', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabcd', 400],
    ['a body over the limit', `POST / HTTP/1.1\r\nContent-Length: ${LIMITS.bodyBytes + 1}\r\n\r\n`, 413],
    ['chunks over the limit', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n', 413],
    ['too many headers', `GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(LIMITS.headers + 1)}\r\n`, 400],
    ['a head without end', `GET / HTTP/1.1\r\nA: ${'x'.repeat(LIMITS.headBytes)}`, 431],
  ])('%s', (_name, text, status) => {
    expect(summary(parse([bytes(text)]))).toEqual([status]);
  });

  test('nothing is read after a failure', () => {
    const results = parse([bytes('hello\r\n\r\n'), bytes('GET / HTTP/1.1\r\n\r\n')]);
    expect(summary(results)).toEqual([400]);
  });
});

test('an empty line before a request is skipped', () => {
  expect(summary(parse([bytes('\r\n\r\nGET /api/quit HTTP/1.1\r\n\r\n')]))).toEqual([
    ['GET', '/api/quit', '', '', true],
  ]);
});

test('a client that waits for 100 Continue is noticed before its body', () => {
  const parser = new HttpParser();
  parser.push(bytes('POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n'));
  expect(parser.next()).toBeUndefined();
  expect(parser.continueWanted).toBe(true);
  parser.push(bytes('{}'));
  expect(summary([parser.next() ?? new HttpFailure(0)])).toEqual([['POST', '/', '', '{}', true]]);
});

test('whatever bytes come, in whatever pieces: nothing throws, and at most one failure is the last word', () => {
  const words = [
    'GET ',
    '/api/x',
    ' HTTP/1.1',
    '\r\n',
    '\r\n\r\n',
    'Content-Length: 3',
    ': ',
    'Transfer-Encoding: chunked',
    '0',
    '\0',
    'é',
  ];
  const piece = fc.oneof(
    fc.constantFrom(...words).map(bytes),
    fc.uint8Array({ maxLength: 20 }).map((part) => Buffer.from(part)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const results = parse(pieces);
      const failures = results.filter((result) => result instanceof HttpFailure);
      expect(failures.length).toBeLessThanOrEqual(1);
      expect(failures.every((failure) => failure === results.at(-1))).toBe(true);
    }),
    { numRuns: 300 },
  );
});
