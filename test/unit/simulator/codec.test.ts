import { describe, expect, test } from 'vitest';
import { encodeReply } from '../../simulator/codec.ts';
import { type CommandReply, done, Json, refused } from '../../simulator/command.ts';
import { Parameters } from '../../simulator/parameters.ts';
import { parseForm, parseTarget } from '../../simulator/request-target.ts';
import { passwordHash, proof, proves, random16 } from '../../simulator/sign-in.ts';
import { defaultSwitches } from '../../simulator/switches.ts';

const encode = (reply: CommandReply, changes: object = {}): string =>
  encodeReply(reply, { ...defaultSwitches(), ...changes });

describe('sign-in: the documented vectors', () => {
  const hash = passwordHash('Password1');

  test('password hash and both answers', () => {
    expect(hash.toString('hex')).toBe('904ba8ecb16273d2f0ae9c3b8a023752');
    const serverRandom = Buffer.from('73007dc7184747ce0f7c98516ef1c851', 'hex');
    expect(proof(hash, serverRandom).toString('hex')).toBe('77fe51827f7fa69dd80fbec9aa33f1bb');
    const clientRandom = Buffer.from('4db98fec17aab4dc5a240bdc659e8395', 'hex');
    expect(proof(hash, clientRandom).toString('hex')).toBe('1732021b1b332f51660b2b315eed3a35');
  });

  test('hex text instead of bytes proves nothing', () => {
    const random = Buffer.from('73007dc7184747ce0f7c98516ef1c851', 'hex');
    const classicMistake = proof(Buffer.from('904ba8ecb16273d2f0ae9c3b8a023752'), random);
    expect(proves(hash, random, classicMistake)).toBe(false);
    expect(proves(hash, random, proof(hash, random))).toBe(true);
  });

  test('32 hex digits of either case, nothing else', () => {
    expect(random16('4DB98FEC17AAB4DC5A240BDC659E8395')?.length).toBe(16);
    for (const bad of [
      undefined,
      '',
      '4db9',
      '4db98fec17aab4dc5a240bdc659e839g',
      '4db98fec17aab4dc5a240bdc659e839500',
    ]) {
      expect(random16(bad)).toBeUndefined();
    }
  });
});

describe('answers', () => {
  test('numbers in objects are strings, numbers in arrays are bare, prepared JSON stays', () => {
    const answer = [
      { Login: 1001, Big: 9007199254740993n, On: true, Off: false, Name: 'Ж"\n', Nothing: undefined, Days: [[1, 2]] },
    ];
    expect(encode(done(answer))).toBe(
      '{"retcode":"0 Done","answer":[{"Login":"1001","Big":"9007199254740993","On":"1","Off":"0","Name":"Ж\\"\\n","Days":[[1,2]]}]}',
    );
    expect(encode(done([[1574351040, 1.10779]]))).toBe('{"retcode":"0 Done","answer":[[1574351040,1.10779]]}');
    expect(encode(done(new Json('[[1,1.10780]]')))).toBe('{"retcode":"0 Done","answer":[[1,1.10780]]}');
    expect(encode(done())).toBe('{"retcode":"0 Done"}');
    expect(encode(done([]))).toBe('{"retcode":"0 Done","answer":[]}');
  });

  test('members beside retcode, and scalars in the casing asked for', () => {
    expect(encode({ retcode: 0, top: { trans_id: '12' }, answer: [] })).toBe(
      '{"retcode":"0 Done","trans_id":"12","answer":[]}',
    );
    expect(encode({ retcode: 0, scalars: { Total: 10 } })).toBe('{"retcode":"0 Done","answer":{"total":"10"}}');
    expect(encode({ retcode: 0, scalars: { ID: 7n } }, { scalarCasing: 'documented' })).toBe(
      '{"retcode":"0 Done","answer":{"ID":"7"}}',
    );
  });

  test.each([
    [3, '3 Invalid parameters'],
    [8, '8 Not enough permissions'],
    [13, '13 Not found'],
    [14, '14 Operation has not been completed'],
    [3006, '3006 Invalid account password'],
    [10009, '10009 Request executed'],
    [10025, '10025 Unknown error'],
    [1034, '1034 Unknown error'],
  ])('retcode %i', (retcode, text) => {
    expect(encode(refused(retcode))).toBe(`{"retcode":"${text}"}`);
  });
});

describe('parameters', () => {
  test('escapes of the protocol, percent-encoding, UTF-8, blanks', () => {
    const query = parseForm(
      String.raw`group=manager\administrators&Mask=a%5C%5Cb%5C%3Dc%5C%7Cd&name=%D0%96%20x+y&lone=a%5Cb&empty=&flag`,
      true,
    );
    expect(Object.fromEntries(query ?? [])).toEqual({
      group: String.raw`manager\administrators`,
      mask: String.raw`a\b=c|d`,
      name: 'Ж x y',
      lone: String.raw`a\b`,
      empty: '',
      flag: '',
    });
    expect(parseForm('a=b+c', false)?.get('a')).toBe('b+c');
    expect(parseForm('a=%zz', true)).toBeUndefined();
    expect(parseForm('a=%ff', true)).toBeUndefined();
  });

  test('the target may be absolute', () => {
    expect(parseTarget('https://host:443/api/quit?a=1', true)?.path).toBe('/api/quit');
    expect(parseTarget('/api/quit', true)?.path).toBe('/api/quit');
  });

  test('the body wins, spelled as documented or as in the query, never in another case', () => {
    const query = new Map([
      ['login', '1'],
      ['pass_main', 'query'],
    ]);
    const of = (body: Record<string, unknown>): Parameters => new Parameters(query, body);
    expect(of({ Login: 2 }).integer('login')).toBe(2);
    expect(of({ login: '3' }).integer('login')).toBe(3);
    expect(of({ LOGIN: '4' }).integer('login')).toBe(1);
    expect(of({ PassMain: 'body' }).text('pass_main')).toBe('body');
    expect(of({ passmain: 'body' }).text('pass_main')).toBe('query');
    expect(of({ login: [1001, '1002'] }).text('login')).toBe('1001,1002');
    expect(of({ login: { nested: 1 } }).text('login')).toBe('1');
    expect(of({ login: '12x' }).integer('login')).toBeNaN();
    expect(of({ login: '99999999999999999999' }).integer('login')).toBeNaN();
    expect(of({}).integer('ticket')).toBeUndefined();
    expect(new Parameters(query, JSON.parse('{"__proto__":{"Login":9}}')).integer('login')).toBe(1);
  });
});
