/** Floor: bare `node:http` that writes a ready buffer of `BODY_BYTES` bytes. What Node itself costs. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const size = Number(process.env['BODY_BYTES'] ?? 1_000);
const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(Math.max(0, size - 11)) }));
const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length });
  response.end(body);
});
server.listen(0, '127.0.0.1', () => console.log(`listening ${(server.address() as AddressInfo).port}`));
process.once('SIGTERM', () => process.exit(0));
