/** Floor: the program of an empty container: listens and writes a ready buffer. */
import { createServer } from 'node:http';

const body = Buffer.from(
  JSON.stringify({ text: 'x'.repeat(Math.max(0, Number(process.env['BODY_BYTES'] ?? 1_000) - 11)) }),
);
const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length });
  response.end(body);
});
server.listen(Number(process.env['PORT'] ?? 8080), () => console.log('listening'));
process.once('SIGTERM', () => process.exit(0));
