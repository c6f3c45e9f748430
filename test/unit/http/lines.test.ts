import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { BridgeError } from '../../../container/contract/errors.ts';
import { LINES_TYPE } from '../../../container/contract/headers.ts';
import { linesOf } from '../../../container/contract/lines.ts';
import { writeLines } from '../../../container/http/lines.ts';

/** A list as lines: whole, broken off, or left by its reader. */

const told = {
  convert: (rows: readonly object[]) => rows,
  readAt: '2026-01-01T00:00:00Z',
  readAtMs: 1,
  requestId: 'r',
};
let server: Server | undefined;
afterEach(() => server?.close());

/** A server that answers with these parts. */
async function serve(parts: AsyncIterable<readonly object[]>, onEnd = (): void => undefined): Promise<IncomingMessage> {
  const listening = createServer((_request, response) => {
    linesOf({ rows: parts, ...told })
      .then((lines) => writeLines(response, [], { type: LINES_TYPE, text: lines }))
      .then(onEnd, onEnd);
  });
  server = listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const request = get({ port: (listening.address() as AddressInfo).port, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

it('what fails after the first part is told in the last line', async () => {
  const response = await serve(
    (async function* parts() {
      yield [{ login: 1 }, { login: 2 }];
      throw new BridgeError('session_lost', 'It went away.');
    })(),
  );
  const lines = (await response.toArray()).join('').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { login: 1 },
    { login: 2 },
    expect.objectContaining({
      end: false,
      items: 2,
      problem: expect.objectContaining({ code: 'session_lost' }) as unknown,
    }),
  ]);
});

it('nothing more is read than the reader takes, and nothing once it is gone', async () => {
  let read = 0;
  const left = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  async function* endless(): AsyncGenerator<readonly object[]> {
    try {
      for (;;) {
        read++;
        yield [{ text: 'x'.repeat(100_000) }];
      }
    } finally {
      left.resolve();
    }
  }
  const response = await serve(endless(), () => ended.resolve());
  // It takes nothing: what the sockets hold is all that is read.
  for (let before = -1; before !== read;) {
    before = read;
    for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(read).toBeLessThan(500);
  response.destroy();
  await left.promise;
  await ended.promise;
});
