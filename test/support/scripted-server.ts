import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { generate } from 'selfsigned';

/** What a script answers with; `undefined` = as the protocol document says. */
export type Script = (request: {
  readonly path: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly connection: number;
  readonly response: ServerResponse;
  /** The answer of the protocol document: its JSON, or `undefined` for a plain 403. */
  readonly documented: Readonly<Record<string, unknown>> | undefined;
}) => void;

export interface ScriptedServer {
  readonly port: number;
  readonly host: string;
  readonly certificateSha256: string;
  readonly certificatePem: string;
  /** `path` of every request so far. */
  readonly requests: readonly string[];
  connections(): number;
  close(): Promise<void>;
}

/** For the name "localhost" alone: reached by its address, it is somebody else. */
async function forLocalhost(): Promise<{ key: string; cert: string }> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  return { key, cert };
}

const md5 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/**
 * Another implementation of an MT5 access server, over Node's own HTTPS server: small, and with none of the simulator's
 * habits. The script may write any answer its own way.
 */
export async function startScriptedServer(
  script: Script,
  password = 'Password1',
  identity?: { readonly key: string; readonly cert: string },
): Promise<ScriptedServer> {
  const { key, cert } = identity ?? (await forLocalhost());
  const secret = md5(md5(Buffer.from(password, 'utf16le')), Buffer.from('WebAPI'));
  const sessions = new WeakMap<Socket, { id: number; challenge?: Buffer; ready?: boolean }>();
  const requests: string[] = [];
  let opened = 0;

  const server = createTlsServer({ key, cert, keepAliveTimeout: 180_000 }, (request, response) => {
    const session = sessions.get(request.socket) ?? { id: ++opened };
    sessions.set(request.socket, session);
    const url = new URL(request.url ?? '', 'https://localhost');
    const path = url.pathname.replace('/api/', '');
    requests.push(path);
    let documented: Record<string, unknown> | undefined;
    if (path === 'auth/start') {
      session.challenge = randomBytes(16);
      documented = { retcode: '0 Done', version_access: '1290', srv_rand: session.challenge.toString('hex') };
    } else if (path === 'auth/answer' && session.challenge) {
      const expected = md5(secret, session.challenge).toString('hex');
      if (url.searchParams.get('srv_rand_answer') === expected) {
        session.ready = true;
        const proof = md5(secret, Buffer.from(url.searchParams.get('cli_rand') ?? '', 'hex')).toString('hex');
        documented = { retcode: '0 Done', version_access: '1290', version_trade: '1290', cli_rand_answer: proof };
      }
    } else if (session.ready) documented = { retcode: '0 Done', answer: { Login: url.searchParams.get('login') } };
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.once('end', () => {
      const { url: target = '', headers } = request;
      script({ path, url: target, headers, body, connection: session.id, response, documented });
      if (!response.writableEnded && !response.headersSent) answerAsDocumented(response, documented);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    // Of the first of the chain.
    certificateSha256: createHash('sha256').update(new X509Certificate(cert).raw).digest('hex'),
    certificatePem: cert,
    requests,
    connections: () => opened,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function answerAsDocumented(response: ServerResponse, documented: object | undefined): void {
  if (documented) response.end(JSON.stringify(documented));
  else response.writeHead(403).end('403 Forbidden');
}

/** An HTTP CONNECT proxy that remembers what it was asked. */
export async function startProxy(credentials?: string): Promise<{
  port: number;
  asked: readonly string[];
  close(): Promise<void>;
}> {
  const { connect } = await import('node:net');
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(request.url ?? '');
    sockets.add(socket);
    const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
    if (expected && request.headers['proxy-authorization'] !== expected) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const target = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\nX-Proxy: test\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
    sockets.add(target);
    for (const [one, other] of [
      [socket, target],
      [target, socket],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
