import { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { CLOSE, keyFromSubprotocol, STREAM_LIMITS, STREAM_SUBPROTOCOL } from '../contract/frames.ts';
import { HEADER } from '../contract/headers.ts';
import { LINK_PROTOCOL_ERROR, parseLinkRequest } from '../contract/hub-link.ts';
import { hashKey, presentedKey, type Caller } from '../contract/keys.ts';
import type { Logger } from '../contract/logger.ts';
import { Receipts, type Chunk, type OutFrame, type Peer, type StreamService } from '../service/feeds/stream-service.ts';
import type { AddressOf } from './authenticate.ts';
import type { UpgradeHandler } from './upgrades.ts';

/** How long a client may take to answer a close frame before its socket is destroyed. */
const CLOSE_TIMEOUT_MS = 2_000;
/** Bytes that may wait for a hub: some seconds of the busiest feed. Beyond that it has to reconnect. */
const MAX_LINK_BYTES = 16 * 1024 * 1024;

const serverOptions = {
  noServer: true,
  clientTracking: true,
  // Deflate costs more than it saves on frames of some hundred bytes, and a context per client.
  perMessageDeflate: false,
  autoPong: false,
  maxFragments: 1_024,
  closeTimeout: CLOSE_TIMEOUT_MS,
} as const;

/** `/v1/stream`: clients' WebSockets. */
export function clientStreams(service: StreamService, addressOf: AddressOf): UpgradeHandler & { close(): void } {
  const server = new WebSocketServer({
    ...serverOptions,
    maxPayload: STREAM_LIMITS.maxMessageBytes,
    handleProtocols: (offered) => (offered.has(STREAM_SUBPROTOCOL) ? STREAM_SUBPROTOCOL : false),
  });
  const accept = async (request: IncomingMessage, socket: Duplex, head: Buffer, caller: Caller | null) => {
    const header = (name: string): string | undefined => [request.headers[name]].flat()[0];
    const key = presentedKey(header(HEADER.authorization), header(HEADER.apiKey));
    const proof = key === undefined ? '' : await hashKey(key);
    server.handleUpgrade(request, socket, head, (client) => {
      const { limits, options } = service.core;
      const receipts = new Receipts(limits, options.now);
      const peer = new SocketPeer(client, socket, addressOf(request), receipts, limits.pingWithinBytes / 2);
      const connection = service.connect(peer, caller ? { caller, proof } : undefined);
      client.on('message', (data: Buffer, isBinary) => {
        if (isBinary) connection.close('unsupported');
        else connection.receive(data.toString());
      });
      client.on('ping', (data) => {
        if (connection.ping() && client.readyState === WebSocket.OPEN) client.pong(data);
      });
      client.on('pong', (data) => {
        peer.answered(data);
        service.core.drained(connection);
      });
      // `ws` closes with the right code for what broke the protocol; `close` follows.
      client.on('error', () => undefined);
      client.on('close', () => connection.closed());
      socket.on('drain', () => service.core.drained(connection));
      const offered = caller ? undefined : keyFromSubprotocol(request.headers['sec-websocket-protocol']);
      if (offered !== undefined) connection.receive(JSON.stringify({ op: 'auth', key: offered }));
    });
  };
  return Object.assign(
    (request: IncomingMessage, socket: Duplex, head: Buffer, caller: Caller | null): void => {
      service.admit(caller !== null);
      void accept(request, socket, head, caller).catch(() => socket.destroy());
    },
    { close: () => server.close() },
  );
}

/** `/internal/stream`: hubs. The start secret has been checked. */
export function hubStreams(service: StreamService, log: Logger): UpgradeHandler & { close(): void } {
  const server = new WebSocketServer({ ...serverOptions, maxPayload: 4 * 1024 * 1024 });
  return Object.assign(
    (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      server.handleUpgrade(request, socket, head, (hub) => {
        const link = service.link((event) => {
          if (hub.bufferedAmount > MAX_LINK_BYTES) hub.terminate();
          else if (hub.readyState === WebSocket.OPEN) hub.send(JSON.stringify(event));
        });
        hub.on('message', (data: Buffer, isBinary) => {
          const message = isBinary ? undefined : parseLinkRequest(data.toString());
          if (!message) {
            log.warn('hub_link_error', { reason: LINK_PROTOCOL_ERROR.reason });
            return hub.close(LINK_PROTOCOL_ERROR.code, LINK_PROTOCOL_ERROR.reason);
          }
          if (message.op === 'want') link.want(message.topic, message.selectors);
          else if (message.op === 'drop') link.drop(message.topic, message.selectors);
          else link.missed(message.topic, message.selectors, message);
        });
        hub.on('error', () => undefined);
        hub.on('close', () => link.detach());
      });
    },
    {
      close: () => {
        for (const hub of server.clients) hub.close(CLOSE.restart.code, 'restart');
        server.close();
      },
    },
  );
}

/**
 * The kernel takes some megabytes for a client that reads nothing before any of it shows as `writableLength`. So the
 * client is asked on the way: a ping tells how much was sent before it, and its pong that all of that was read.
 */
class SocketPeer implements Peer {
  readonly address: string | undefined;
  readonly #client: WebSocket;
  readonly #socket: Duplex;
  readonly #receipts: Receipts;
  readonly #askEveryBytes: number;
  #sentBytes = 0;
  #askedAtBytes = 0;

  constructor(
    client: WebSocket,
    socket: Duplex,
    address: string | undefined,
    receipts: Receipts,
    askEveryBytes: number,
  ) {
    this.address = address;
    this.#client = client;
    this.#socket = socket;
    this.#receipts = receipts;
    this.#askEveryBytes = askEveryBytes;
  }

  get bufferedBytes(): number {
    return Math.max(this.#socket.writableLength, this.#receipts.waitingBytes);
  }

  get silentSinceMs(): number | undefined {
    return this.#receipts.silentSinceMs;
  }

  /** A pong; anybody may send one that answers nothing. */
  answered(data: Buffer): void {
    const readBytes = Number(data.toString('latin1'));
    const aheadBytes = this.#sentBytes - readBytes;
    if (aheadBytes >= 0 && aheadBytes < this.#receipts.aheadBytes) this.#receipts.shown(aheadBytes);
  }

  /**
   * The frames as they go over the wire, made once for all who get this chunk, in one write. Frames from a server are
   * not masked (RFC 6455 §5.1), so the bytes are the same for everybody; `ws` writes whole frames too and never waits
   * with half of one while deflate is off, so the two do not mix.
   */
  write(chunk: Chunk): void {
    if (this.#client.readyState !== WebSocket.OPEN) return;
    chunk.wire ??= wireFrames(chunk.frames);
    this.#socket.write(chunk.wire);
    this.#sentBytes += chunk.wire.length;
    this.#receipts.sent(chunk.wire.length);
    if (this.#sentBytes - this.#askedAtBytes < this.#askEveryBytes) return;
    this.#askedAtBytes = this.#sentBytes;
    this.#client.ping(String(this.#sentBytes));
  }

  close(code: number, reason: string): void {
    this.#client.close(code, reason);
  }
}

const FIN_TEXT = 0x81;

/** Text frames, unmasked (RFC 6455 §5.2). */
function wireFrames(frames: readonly OutFrame[]): Uint8Array {
  let size = 0;
  const lengths = frames.map(({ text }) => {
    const length = Buffer.byteLength(text);
    size += length + (length < 126 ? 2 : length < 65_536 ? 4 : 10);
    return length;
  });
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const [i, { text }] of frames.entries()) {
    const length = lengths[i] ?? 0;
    bytes[at++] = FIN_TEXT;
    if (length < 126) bytes[at++] = length;
    else if (length < 65_536) {
      bytes[at++] = 126;
      at = bytes.writeUInt16BE(length, at);
    } else {
      bytes[at++] = 127;
      at = bytes.writeBigUInt64BE(BigInt(length), at);
    }
    at += bytes.write(text, at);
  }
  return bytes;
}
