import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { ownTargets, prefixOf } from '../../../container/http/broker-target.ts';

it('a process serves its own /brokers/{id}/… like bare paths, and none of another broker', async () => {
  const server = createServer(
    ownTargets('main').requests((request, response) => response.end(`${prefixOf(request)}|${request.url}`)),
  );
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const get = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  expect(await get('/v1/server?a=%2F')).toBe('|/v1/server?a=%2F');
  expect(await get('/brokers/main/v1/server?a=%2F')).toBe('/brokers/main|/v1/server?a=%2F');
  expect(await get('/brokers/main')).toBe('/brokers/main|/');
  expect(JSON.parse(await get('/brokers/mainly/v1/server'))).toMatchObject({ status: 404, code: 'broker_not_found' });
});
