import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asBridgeError } from '../../../container/contract/errors.ts';
import type { StreamLimits } from '../../../container/contract/frames.ts';
import type { Caller } from '../../../container/contract/keys.ts';
import { clientStreams } from '../../../container/http/ws.ts';
import { StreamService, type AttachableSource } from '../../../container/service/feeds/stream-service.ts';

export interface RunningStreamServer {
  readonly port: number;
  readonly service: StreamService;
  close(): void;
}

/** `/v1/stream` alone, over any source, without sessions and keys: the way out of the container, to be measured. */
export async function startStreamServer(
  source: AttachableSource,
  limits: Partial<StreamLimits> = {},
): Promise<RunningStreamServer> {
  const caller: Caller = { id: 'anyone', scopes: ['read'] };
  const service = new StreamService({
    source,
    authenticate: async () => ({ caller, proof: '' }),
    stillValid: async (proofs) => new Set(proofs),
    now: Date.now,
    maxConnections: 100_000,
    limits,
    onStreams: () => undefined,
    onError: (error) => {
      throw asBridgeError(error);
    },
  });
  const streams = clientStreams(service, () => undefined);
  const server = createServer();
  server.on('upgrade', (request, socket, head) => streams(request, socket, head, caller));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    service,
    close: () => {
      service.close();
      streams.close();
      server.close();
      server.closeAllConnections();
    },
  };
}
