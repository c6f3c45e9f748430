import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { isPublicAddress } from '../../../container/contract/address.ts';
import { hostWebhookSender } from '../../../container/host/webhook-sender.ts';

const request = { headers: { 'webhook-id': 'evt_1' }, body: '{"a":1}', timeoutMs: 2_000 };

it.each(['127.0.0.1', '10.1.2.3', '169.254.169.254', '100.64.0.1', '::1', 'fd00::1', '64:ff9b::a00:1', '0.0.0.0'])(
  'a public name that resolves to %s is not connected to',
  async (address) => {
    expect(isPublicAddress(address)).toBe(false);
    const family = address.includes(':') ? 6 : 4;
    const sender = hostWebhookSender({
      allowedOrigins: [],
      resolve: (_host, options, done) =>
        options.all === true ? done(null, [{ address, family }]) : done(null, address, family),
    });
    await expect(sender.send({ ...request, url: 'https://hooks.broker.com/' })).rejects.toThrow('not a public address');
  },
);

it('sends to a private receiver that is allowed by name, follows no redirect, and gives up in time', async () => {
  const got: [IncomingMessage, string][] = [];
  const server = createServer((incoming, response) => {
    let body = '';
    incoming.on('data', (part: Buffer) => (body += part.toString()));
    incoming.on('end', () => {
      got.push([incoming, body]);
      if (incoming.url === '/silent') return;
      response.writeHead(incoming.url === '/away' ? 302 : 204, { location: '/elsewhere' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sender = hostWebhookSender({ allowedOrigins: [origin] });
  expect(await sender.send({ ...request, url: `${origin}/hook` })).toEqual({ status: 204 });
  expect(await sender.send({ ...request, url: `${origin}/away` })).toEqual({ status: 302 });
  expect(got.map(([{ method, url, headers }, body]) => [method, url, headers['webhook-id'], body])).toEqual([
    ['POST', '/hook', 'evt_1', '{"a":1}'],
    ['POST', '/away', 'evt_1', '{"a":1}'],
  ]);
  await expect(sender.send({ ...request, url: `${origin}/silent`, timeoutMs: 50 })).rejects.toThrow('within 50 ms');
  await expect(hostWebhookSender({ allowedOrigins: [] }).send({ ...request, url: `${origin}/hook` })).rejects.toThrow(
    'not https',
  );
  server.closeAllConnections();
  server.close();
});
