import { once } from 'node:events';
import { createServer } from 'node:net';

/** For a program that must be told its port, since it is to be found there again: what is free now. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
