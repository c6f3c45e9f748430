/** A container program with no bridge in it: shows what the engine and the `Container` class do by themselves. */
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer((request, response) => {
  if (request.url === '/crash') process.exit(42);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ url: request.url, greeting: process.env['GREETING'] }));
});
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.listen(Number(process.env['PORT']), process.env['HOST'], () => process.stdout.write('listening\n'));
process.on('SIGTERM', () => process.exit(0));
