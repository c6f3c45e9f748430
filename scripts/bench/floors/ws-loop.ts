/**
 * Floor of the streams: a `ws` server that makes its own ticks and sends each to each client, one `send` a client. It asks
 * no broker, so that its latency is that of the way out alone. `GET /rate?ticks=1000` sets the ticks a second.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { preciseNowMs } from '../measure/precise-now.ts';

const PERIOD_MS = 5;
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
let ticksPerSecond = 0;
let owed = 0;
let seq = 0;

const server = createServer((request, response) => {
  ticksPerSecond = Number(new URL(request.url ?? '/', 'http://floor').searchParams.get('ticks') ?? ticksPerSecond);
  response.end('{}');
});
server.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head, () => undefined));

/** Ticks come in bursts of one period. */
setInterval(() => {
  owed += (ticksPerSecond * PERIOD_MS) / 1000;
  for (; owed >= 1; owed--) {
    const quotedAtMs = preciseNowMs();
    const tick = { symbol: 'EURUSD', bid: '1.08500', ask: '1.08512', last: '0', volume: '0', quotedAtMs };
    const frame = JSON.stringify({ type: 'delta', topic: 'ticks', epoch: 1, seq: ++seq, prev: seq - 1, data: [tick] });
    for (const client of sockets.clients) client.send(frame);
  }
}, PERIOD_MS);

server.listen(0, '127.0.0.1', () => console.log(`listening ${(server.address() as AddressInfo).port}`));
process.once('SIGTERM', () => process.exit(0));
