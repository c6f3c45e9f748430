import { typedRead } from '../../support/typed-read.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../container/contract/errors.ts';
import { ROUTES } from '../../../container/contract/routes.ts';
import { TypedApi } from '../../../container/http/serve-routes.ts';
import { createReadService } from '../../../container/service/reads/read-service.ts';
import type { Command } from '../../../container/session/upstream.ts';
import { encodeQuery } from '../../../container/webapi/command.ts';
import { fakeUpstream } from '../../support/fake-upstream.ts';

/** Whatever a caller writes, the server gets the parameters that were meant, and those only. */

const sent: Command[] = [];
const upstream = fakeUpstream((command) => {
  sent.push(command);
  return '{"retcode":"13 Not found"}';
});
const { handlers } = createReadService({
  upstream,
  now: Date.now,
  cacheSize: 10,
  atOnce: 3,
  isWriting: () => false,
  serverBuild: async () => null,
});
const api = new TypedApi(ROUTES, handlers);

/** The commands that one request led to, the clock's aside; none where it was refused. */
async function commandsOf(pathname: string, query: Record<string, string>): Promise<readonly Command[]> {
  sent.length = 0;
  const answer = (async () => typedRead(api, pathname, new URLSearchParams(query), Date.now() + 5000))();
  await answer.catch((error: unknown) => {
    expect(error).toBeInstanceOf(BridgeError);
    if (error instanceof BridgeError) expect(error.status, String(error)).toBeLessThan(503);
  });
  return sent.filter(({ path }) => !path.startsWith('time/'));
}

/** As a server reads a query: split at `&`, each at its first `=`, percent-decoded. */
const asServer = (query: string): [string, string][] =>
  query.split('&').map((pair) => {
    const at = pair.indexOf('=');
    return [decodeURIComponent(pair.slice(0, at)), decodeURIComponent(pair.slice(at + 1))];
  });

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.constantFrom(
    'A&login=1',
    'A=B',
    'A|GROUP=B',
    'A\r\nUSER_GET|LOGIN=1',
    'A;B',
    '#A',
    '100%',
    'A%26b',
    '日経',
    '😀',
    '\ud800',
  ),
);

const MEANT = [
  {
    what: 'a symbol',
    pathname: (text: string) => `/v1/symbols/${encodeURIComponent(text.toWellFormed())}`,
    command: 'symbol/get',
    names: ['symbol'],
  },
  {
    what: 'a group',
    pathname: (text: string) => `/v1/groups/${encodeURIComponent(text.toWellFormed())}`,
    command: 'group/get',
    names: ['group'],
  },
] as const;

describe('parameters of the server', () => {
  it.each(MEANT)('hold $what as it was written, or nothing is sent', async ({ pathname, command, names }) => {
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const commands = await commandsOf(pathname(text), {});
        for (const { path, query = [] } of commands) {
          expect(path).toBe(command);
          expect(query.map(([name]) => name)).toEqual(names);
          const wire = encodeQuery(query);
          expect(wire).toMatch(/^[\w.~!*'()%=&-]*$/);
          expect(asServer(wire)).toEqual([[names[0], text.toWellFormed()]]);
          expect(text).not.toMatch(/[\r\n|=]/);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('hold masks, lists and quotes as they were written, or nothing is sent', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, hostile, async (group, symbol) => {
        for (const { path, query = [] } of await commandsOf('/v1/logins', { group })) {
          expect(path).toBe('user/logins');
          expect(asServer(encodeQuery(query))).toEqual([['group', group.toWellFormed()]]);
        }
        for (const { path, query = [] } of await commandsOf('/v1/quotes', { symbols: symbol, group })) {
          // What is refused is followed by the question whether there is such a group.
          const names = path === 'group/get' ? ['group'] : ['symbol', 'group', 'trans_id'];
          expect(['tick/last_group', 'group/get']).toContain(path);
          expect(asServer(encodeQuery(query)).map(([name]) => name)).toEqual(names);
        }
      }),
      { numRuns: 200 },
    );
  });
});
