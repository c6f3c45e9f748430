import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { COMMANDS, findCommand } from '../../../container/contract/commands.ts';
import { BridgeError } from '../../../container/contract/errors.ts';
import { parseLoginMask } from '../../../container/contract/keys.ts';
import { requireMaskedCommand } from '../../../container/contract/passthrough-logins.ts';

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof BridgeError) return error.code;
    throw error;
  }
  return 'passed';
};

test.each([
  '/api/auth/start',
  '/api/auth/answer',
  '/api/quit',
  '/api/',
  '/api',
  '/api/user',
  '/api/user/get/',
  '/api//user/get',
  '/api/user//get',
  '/api/./user/get',
  '/api/user/../auth/start',
  '/api/user/%2e%2e/auth/start',
  '/api/user%2fget',
  '/api/user%2Fget',
  '/api/user\\get',
  '/api/user/get;x=1',
  '/api/user/get%00',
  '/api/user/get#',
  '/api/user/get%20',
  '/api/USER/GET',
  '/API/user/get',
  '/api/user/get\u0000',
  '/api/__proto__',
  '/api/constructor',
  '/api/toString',
  '//evil.example/api/user/get',
  'https://evil.example/api/user/get',
  'api/user/get',
  '/user/get',
])('%j is no command', (path) => {
  expect(codeOf(() => findCommand(path))).toBe('command_not_passed');
});

test('only an exact path is a command', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 30 }), (text) => {
      const known = COMMANDS.has(text);
      expect(codeOf(() => findCommand(`/api/${text}`))).toBe(known ? 'passed' : 'command_not_passed');
    }),
  );
  for (const path of COMMANDS.keys()) {
    expect(path).toMatch(/^[a-z_]+(\/[a-z_]+)+$/);
    expect(findCommand(`/api/${path}`).path).toBe(path);
  }
});

test('every command that changes the books needs more than the scope read', () => {
  for (const command of COMMANDS.values()) if (command.mutation) expect(command.scope).not.toBe('read');
});

const MASK = parseLoginMask('1001,1005-1010');
const masked = (path: string, query: string, body?: string): string =>
  codeOf(() => requireMaskedCommand(findCommand(`/api/${path}`), MASK, query, body));

test.each([
  ['user/get', 'login=1001', undefined],
  ['user/get_batch', 'login=1001,1005,1010', undefined],
  ['deal/get_page', 'login=1006&offset=0&total=100&from=1&to=2', undefined],
  ['user/check_password', '', '{"Login":"1001","Type":"main","Password":"a:b,\\"Login\\":9"}'],
  ['user/get_batch', '', '{"login":[1001, "1005"]}'],
  ['user/get', 'login=1001', '{"login":1005}'],
] as const)('inside the mask: %s ?%s %s', (path, query, body) => {
  expect(masked(path, query, body)).toBe('passed');
});

test.each([
  ['user/get', 'login=1002', undefined],
  ['user/get', '', undefined],
  ['user/get', 'login=', undefined],
  ['user/get', 'login=1001&login=1002', undefined],
  ['user/get', 'login=1001&login=1001', undefined],
  ['user/get', 'Login=1001', undefined],
  ['user/get', '%6cogin=1002&login=1001', undefined],
  ['user/get', 'login=1001;login=1002', undefined],
  ['user/get', 'login=%31001', undefined],
  ['user/get', 'login=1001%2C1002', undefined],
  ['user/get', 'login=01001', undefined],
  ['user/get', 'login=1001.0', undefined],
  ['user/get', 'login=1e3', undefined],
  ['user/get', 'login=-1001', undefined],
  ['user/get', 'login=1001+', undefined],
  ['user/get_batch', 'login=1001,1002', undefined],
  ['user/get_batch', 'login=1001,', undefined],
  ['user/get_batch', 'login=1001&group=*', undefined],
  ['user/get_batch', 'group=*', undefined],
  ['deal/get_batch', 'login=1001&ticket=5', undefined],
  ['deal/get', 'ticket=5', undefined],
  ['user/logins', 'group=*', undefined],
  ['tick/last', 'symbol=EURUSD', undefined],
  ['dealer/send_request', '', '{"Login":"1001"}'],
  ['user/get', 'login=1001', '{"login":1002}'],
  ['user/get', 'login=1001', '{"Login":1002}'],
  ['user/get', 'login=1001', '{"\\u006cogin":1002}'],
  ['user/get', '', '{"login":1001,"login":1002}'],
  ['user/get', '', '{"login":1002,"LOGIN":1001}'],
  ['user/get', '', '{"login":1.001e3}'],
  ['user/get', '', '{"login":1001.0}'],
  ['user/get', '', '{"login":{"login":1001}}'],
  ['user/get', '', '{"login":"1001\\u002c1002"}'],
  ['user/get', '', '[{"login":1001}]'],
  ['user/get', '', '"login"'],
  ['user/get', 'login=1001', 'login=1002'],
  ['user/get', 'login=1001', '{"login":1001'],
  ['user/get', 'login=1001', '{"group":"*"}'],
] as const)('fails closed: %s ?%s %s', (path, query, body) => {
  expect(masked(path, query, body)).toBe('login_not_allowed');
});

test('no body that names another login, in whatever spelling, passes', () => {
  const spelled = fc.constantFrom('login', 'Login', 'LOGIN', 'l\\u006fgin', 'lo\\u0067in');
  const value = fc.constantFrom(
    '1002',
    '"1002"',
    '[1002]',
    '["1001","1002"]',
    '1.002e3',
    '"1002,1001"',
    '{"login":1002}',
  );
  const pad = fc.constantFrom('', ' ', '\n\t');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(spelled, value, pad), { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      (members, first) => {
        const parts = members.map(([name, text, blank]) => `${blank}"${name}"${blank}:${blank}${text}`);
        const body = `{${(first ? ['"login":1001', ...parts] : [...parts, '"login":1001']).join(',')}}`;
        expect(masked('user/get_batch', '', body)).toBe('login_not_allowed');
      },
    ),
  );
});
