/**
 * Floor: `node:http` in front of signed-in undici connections, one request at a time on each: the least a bridge whose
 * sessions are connections can do. No keys, no checks, no decoding, no loss handling.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from 'undici';
import { passwordHash, proof } from '../../../test/simulator/sign-in.ts';

const [server = '', connections = '1'] = [process.env['MT5_SERVER'], process.env['CONNECTIONS']];

async function signIn(client: Client): Promise<Client> {
  const ask = async (path: string): Promise<Record<string, string>> => {
    const { body } = await client.request({ method: 'GET', path });
    return (await body.json()) as Record<string, string>;
  };
  const { srv_rand: challenge = '' } = await ask('/api/auth/start?version=484&agent=floor&login=1000&type=manager');
  const answer = proof(passwordHash('Password1'), Buffer.from(challenge, 'hex')).toString('hex');
  await ask(`/api/auth/answer?srv_rand_answer=${answer}&cli_rand=${randomBytes(16).toString('hex')}`);
  return client;
}

const free = await Promise.all(
  Array.from({ length: Number(connections) }, () =>
    signIn(
      new Client(`https://${server}`, {
        pipelining: 1,
        allowH2: false,
        keepAliveTimeout: 3_600_000,
        keepAliveMaxTimeout: 3_600_000,
        connect: { rejectUnauthorized: false },
      }),
    ),
  ),
);
const waiting: ((client: Client) => void)[] = [];
const lend = (): Promise<Client> => {
  const client = free.pop();
  return client ? Promise.resolve(client) : new Promise((resolve) => waiting.push(resolve));
};
const giveBack = (client: Client): void => {
  const next = waiting.shift();
  if (next) next(client);
  else free.push(client);
};

/** As MT5 recommends: a session that is silent for some minutes ends (mt5-webapi §1.5). */
const PING_EVERY_MS = 20_000;
setInterval(() => {
  for (const client of free.splice(0))
    void client
      .request({ method: 'GET', path: '/api/test/access' })
      .then(({ body }) => body.dump())
      .finally(() => giveBack(client));
}, PING_EVERY_MS).unref();

const front = createServer((request, response) => {
  void (async () => {
    const client = await lend();
    const answer = await client.request({ method: 'GET', path: request.url ?? '/' });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    giveBack(client);
    response.writeHead(answer.statusCode, { 'content-type': 'application/json', 'content-length': bytes.length });
    response.end(bytes);
  })();
});
front.listen(0, '127.0.0.1', () => console.log(`listening ${(front.address() as AddressInfo).port}`));
process.once('SIGTERM', () => process.exit(0));
