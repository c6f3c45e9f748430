import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { asBridgeError, BridgeError } from '../contract/errors.ts';
import { HEADER } from '../contract/headers.ts';
import type { Caller } from '../contract/keys.ts';
import type { Logger } from '../contract/logger.ts';
import { problemAnswer } from '../contract/problem.ts';
import { requestIdOf } from '../contract/trace.ts';
import { BRIDGE_VERSION } from '../contract/version.ts';
import type { AddressOf, Authenticate } from './authenticate.ts';
import { oneOf } from './read-request.ts';

/** Takes over an upgraded connection; `caller` is null where nobody said who they are. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer, caller: Caller | null) => void;

export interface UpgradesOptions {
  readonly authenticate: Authenticate;
  readonly addressOf: AddressOf;
  /** By exact path. */
  readonly handlers: Readonly<Record<string, UpgradeHandler>>;
  readonly log: Logger;
  readonly draining: () => boolean;
}

/** WebSocket upgrades: same authentication as requests, then by path. */
export function createUpgrades({ authenticate, addressOf, handlers, log, draining }: UpgradesOptions) {
  const accept = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    socket.on('error', () => socket.destroy());
    try {
      const path = (request.url ?? '').split('?', 1)[0] ?? '';
      const handler = Object.hasOwn(handlers, path) ? handlers[path] : undefined;
      if (!handler) throw new BridgeError('route_not_found', 'No WebSocket is served on this path.');
      if (draining()) throw new BridgeError('draining', 'The bridge shuts down; another instance takes over.');
      const caller = await authenticate((name) => [request.headers[name]].flat()[0], {
        address: () => addressOf(request),
        method: request.method,
        target: request.url,
      });
      handler(request, socket, head, caller);
    } catch (thrown) {
      const error = asBridgeError(thrown);
      if (error.code === 'internal_error') log.error('internal_error', { error: error.cause ?? error });
      refuse(request, socket, error);
    }
  };
  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => void accept(request, socket, head);
}

function refuse(request: IncomingMessage, socket: Duplex, error: BridgeError): void {
  const requestId = requestIdOf(oneOf(request.headers[HEADER.requestId])) ?? randomUUID();
  const { status, headers, body } = problemAnswer(error, requestId);
  const all = {
    ...headers,
    [HEADER.requestId]: requestId,
    [HEADER.bridgeVersion]: BRIDGE_VERSION,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`, ...lines, '', body].join('\r\n'));
}
