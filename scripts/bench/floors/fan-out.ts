/**
 * The container's stream service and its WebSocket server over a source that makes its own ticks: what lies between a tick
 * and its clients, without the broker's polling. The opposite of `ws-loop.ts`, and made to publish exactly as it does.
 * `GET /rate?ticks=1000` sets the ticks a second.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { clientStreams } from '../../../container/http/ws.ts';
import { StreamService } from '../../../container/service/feeds/stream-service.ts';
import { SyntheticSource } from './synthetic-source.ts';
import { preciseNowMs } from '../measure/precise-now.ts';

const PERIOD_MS = 5;
const source = new SyntheticSource();
const service = new StreamService({
  source,
  authenticate: () => Promise.resolve(undefined),
  stillValid: (proofs) => Promise.resolve(new Set(proofs)),
  now: Date.now,
  maxConnections: 10_000,
  onStreams: () => undefined,
  onError: (error) => console.error(error),
});
const clients = clientStreams(service, () => undefined);
let ticksPerSecond = 0;
let owed = 0;

const server = createServer((request, response) => {
  ticksPerSecond = Number(new URL(request.url ?? '/', 'http://bench').searchParams.get('ticks') ?? ticksPerSecond);
  owed = 0;
  response.end('{}');
});
server.on('upgrade', (request, socket, head) => clients(request, socket, head, { id: 'bench', scopes: ['read'] }));

setInterval(() => {
  owed += (ticksPerSecond * PERIOD_MS) / 1000;
  for (; owed >= 1; owed--) {
    const tick = {
      symbol: 'EURUSD',
      bid: '1.08500',
      ask: '1.08512',
      last: '0',
      volume: '0',
      quotedAtMs: preciseNowMs(),
    };
    source.publish('ticks', [{ key: 'EURUSD', id: 'EURUSD', json: JSON.stringify(tick) }]);
  }
}, PERIOD_MS);

server.listen(0, '127.0.0.1', () => console.log(`listening ${(server.address() as AddressInfo).port}`));
process.once('SIGTERM', () => process.exit(0));
