import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeCommand, encodeQuery } from '../../../container/webapi/command.ts';
import { parseReply, readRetcode, scanRetcode } from '../../../container/webapi/reply.ts';
import { RETCODES, retcodeOf } from '../../../container/webapi/retcodes.ts';
import { BARE_FORBIDDEN_REASON, signInReason, isServerSide } from '../../../container/webapi/sign-in-reasons.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

test('a command without a body is a GET, with one a POST of the documented type', () => {
  expect(encodeCommand('user/get', 'login=1001')).toEqual({
    method: 'GET',
    path: '/api/user/get?login=1001',
    headers: {},
  });
  expect(encodeCommand('user/add', '', '{"Login":"0"}')).toEqual({
    method: 'POST',
    path: '/api/user/add',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: '{"Login":"0"}',
  });
});

test('no value can end its parameter: every text comes back as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.stringMatching(/^[a-z_]{1,10}$/), fc.string({ unit: 'grapheme' }))), (pairs) => {
      const query = encodeQuery(pairs);
      expect(query).toMatch(/^[\x21-\x7e]*$/);
      const back = query === '' ? [] : query.split('&').map((part) => part.split('=').map(decodeURIComponent));
      expect(back).toEqual(pairs);
    }),
  );
  expect(encodeQuery([['comment', 'a\r\nb&c=d|e;f#g%h 📈']])).toBe(
    'comment=a%0D%0Ab%26c%3Dd%7Ce%3Bf%23g%25h%20%F0%9F%93%88',
  );
});

test('of a retcode only the number counts', () => {
  expect(readRetcode('0 Done')).toEqual({ code: 0, text: 'Done' });
  expect(readRetcode('10009')).toEqual({ code: 10_009, text: '' });
  expect(readRetcode(13)).toEqual({ code: 13, text: '' });
  for (const wrong of ['', 'Done', '-1', '1.5', null, {}, 1.5]) expect(readRetcode(wrong)).toBeUndefined();
});

test('the retcode is found at the head of an answer without parsing the rest', () => {
  const rows = `[${'[1574351040,1.10779],'.repeat(9000)}[0,0]]`;
  expect(scanRetcode(utf8(`{"retcode":"14 Partial","answer":${rows}}`))).toEqual({ code: 14, text: 'Partial' });
  expect(scanRetcode(utf8(`\uFEFF {"answer":{},"RetCode":"0 Done"}\n`))).toEqual({ code: 0, text: 'Done' });
});

test('an incomplete object has no retcode', () => {
  for (const text of ['', '403 Forbidden', '<html>', '[]', 'null', '{"retcode":"0 Done","answer":[1,', '{"a":1}'])
    expect(scanRetcode(utf8(text))).toBeUndefined();
});

test('broken UTF-8 is not taken for text', () => {
  expect(() => parseReply(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d))).toThrow();
});

test('every code of the SDK table is there, under its own name', () => {
  expect(RETCODES.size).toBe(174);
  expect(new Set([...RETCODES.values()].map(({ name }) => name)).size).toBe(174);
  expect(retcodeOf(13)).toEqual({ code: 13, name: 'MT_RET_ERR_NOTFOUND', text: 'Not found', class: 'not_found' });
  expect(retcodeOf(424_242)).toMatchObject({ name: '', class: 'internal' });
});

test('refusals of the sign-in are told in plain words, without line breaks', () => {
  for (let code = 1000; code <= 1034; code++) {
    const reason = signInReason(code, '');
    const verdict = isServerSide(code) ? 'could not sign the manager in now' : 'refused the sign-in';
    expect(reason).toMatch(new RegExp(`^The broker ${verdict} \\(${code} .+\\): .+\\.$`));
  }
  // The access server has lost the trade server: nobody was refused.
  expect([isServerSide(10), signInReason(10, 'No connection')]).toEqual([
    true,
    'The broker could not sign the manager in now (10 No connection): the server has trouble of its own: it will be tried again.',
  ]);
  expect(BARE_FORBIDDEN_REASON).toContain('API password');
  expect(BARE_FORBIDDEN_REASON).toContain('MT5_PROXY');
});
