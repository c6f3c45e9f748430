import { expect, test } from 'vitest';
import {
  answerQuery,
  challengeAnswer,
  equalBytes,
  fromHex,
  passwordHash,
  startQuery,
  toHex,
} from '../../../container/webapi/handshake.ts';

/** Vectors of the protocol document (mt5-webapi §1.3). */
const PASSWORD = 'Password1';
const HASH = '904ba8ecb16273d2f0ae9c3b8a023752';
const bytes = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array();

test('the password hash is binary all the way', () => {
  expect(toHex(passwordHash(PASSWORD))).toBe(HASH);
  // What hex strings as intermediate values would give: the classic mistake.
  expect(toHex(passwordHash(PASSWORD))).not.toBe('13f9726e7f3777bd3caf641bd44dd377');
});

test('both challenges are answered as documented', () => {
  const hash = passwordHash(PASSWORD);
  expect(toHex(challengeAnswer(hash, bytes('73007dc7184747ce0f7c98516ef1c851')))).toBe(
    '77fe51827f7fa69dd80fbec9aa33f1bb',
  );
  expect(toHex(challengeAnswer(hash, bytes('4db98fec17aab4dc5a240bdc659e8395')))).toBe(
    '1732021b1b332f51660b2b315eed3a35',
  );
});

test('hex of either case is read, anything else is not', () => {
  expect(equalBytes(bytes(HASH.toUpperCase()), bytes(HASH))).toBe(true);
  for (const wrong of [undefined, 1, '', HASH.slice(1), `${HASH}0`, `${HASH.slice(1)}g`, ` ${HASH}`])
    expect(fromHex(wrong)).toBeUndefined();
});

test('the queries of both steps, byte by byte', () => {
  expect(startQuery('1000', 'MT5EdgeBridge')).toBe('version=3470&agent=MT5EdgeBridge&login=1000&type=manager');
  expect(answerQuery(bytes(HASH), bytes('4db98fec17aab4dc5a240bdc659e8395'))).toBe(
    `srv_rand_answer=${HASH}&cli_rand=4db98fec17aab4dc5a240bdc659e8395`,
  );
});
