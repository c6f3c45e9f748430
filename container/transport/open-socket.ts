import { createHash } from 'node:crypto';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { TransportError, addressText, type Address } from './transport.ts';

/** How the server proves who it is. `pin`: SHA-256 of the DER certificate, lower-case hex. */
export type TlsPolicy =
  | { readonly mode: 'verify' }
  | { readonly mode: 'pin'; readonly sha256: string }
  | { readonly mode: 'insecure' };

/** An HTTP CONNECT proxy. */
export interface ProxyAddress extends Address {
  readonly username?: string;
  readonly password?: string;
}

export interface SocketOptions {
  readonly tls: TlsPolicy;
  readonly proxy?: ProxyAddress;
}

/** A proxy's answer to CONNECT is a status line and a few headers. */
const MAX_PROXY_HEAD_BYTES = 16 * 1024;
/** Linux probes an idle connection after this long, so that a vanished peer is noticed below HTTP too. */
const TCP_KEEP_ALIVE_MS = 20_000;

/**
 * TCP, through the proxy where there is one, then TLS with the identity check of the policy. No TLS session is ever
 * resumed: on a resumed one Node sees no certificate and skips the check.
 * @throws TransportError
 */
export async function openSocket(address: Address, options: SocketOptions, timeoutMs: number): Promise<TLSSocket> {
  const abort = new AbortController();
  const timer = setTimeout(() => {
    const through = options.proxy ? ` through the proxy ${addressText(options.proxy)}` : '';
    const detail = `${addressText(address)}${through} did not answer within ${timeoutMs} ms`;
    abort.abort(new TransportError('unreachable', detail));
  }, timeoutMs);
  try {
    const tcp = await openTcp(options.proxy ?? address, abort.signal);
    if (options.proxy) await tunnel(tcp, address, options.proxy, abort.signal);
    return await openTls(tcp, address, options.tls, abort.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves on `event`; on error, close or abort destroys the socket and rejects. */
function settle<S extends Socket>(
  socket: S,
  event: string,
  signal: AbortSignal,
  describe: (error: Error) => TransportError,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const finish = (error?: Error): void => {
      socket.off(event, onEvent).off('error', onError).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      if (!error) return resolve(socket);
      socket.on('error', () => undefined).destroy();
      reject(error instanceof TransportError ? error : describe(error));
    };
    const onEvent = (): void => finish();
    const onError = (error: Error): void => finish(error);
    const onClose = (): void => finish(new Error('the connection was closed'));
    const onAbort = (): void => finish(signal.reason as Error);
    socket.once(event, onEvent).once('error', onError).once('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}

function openTcp(to: Address, signal: AbortSignal): Promise<Socket> {
  const socket = connectTcp({ host: to.host, port: to.port, noDelay: true });
  socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
  return settle(
    socket,
    'connect',
    signal,
    (error) => new TransportError('unreachable', `cannot connect to ${addressText(to)}: ${plain(error)}`, error),
  );
}

async function tunnel(tcp: Socket, address: Address, proxy: ProxyAddress, signal: AbortSignal): Promise<void> {
  const target = addressText(address);
  const credentials =
    proxy.username === undefined
      ? ''
      : `Proxy-Authorization: Basic ${Buffer.from(`${proxy.username}:${proxy.password ?? ''}`).toString('base64')}\r\n`;
  tcp.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${credentials}\r\n`);
  let head = '';
  const onData = (bytes: Buffer): void => {
    head += bytes.toString('latin1');
    if (head.includes('\r\n\r\n') || head.length > MAX_PROXY_HEAD_BYTES) tcp.pause().emit('tunnelled');
  };
  tcp.on('data', onData);
  try {
    const failed = (error: Error): TransportError =>
      new TransportError('unreachable', `the proxy ${addressText(proxy)} failed: ${plain(error)}`, error);
    await settle(tcp, 'tunnelled', signal, failed);
  } finally {
    tcp.off('data', onData);
  }
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1];
  if (status?.startsWith('2')) return;
  tcp.destroy();
  throw new TransportError(
    'unreachable',
    status === '407'
      ? `the proxy ${addressText(proxy)} refused the credentials of MT5_PROXY (407)`
      : `the proxy ${addressText(proxy)} refused to connect to ${target}${status ? ` (${status})` : ''}`,
  );
}

async function openTls(tcp: Socket, address: Address, policy: TlsPolicy, signal: AbortSignal): Promise<TLSSocket> {
  const socket = connectTls({
    socket: tcp,
    ...(isIP(address.host) ? { host: address.host } : { host: address.host, servername: address.host }),
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: policy.mode === 'verify',
  });
  await settle(socket, 'secureConnect', signal, (error) => tlsFailure(address, error));
  if (policy.mode !== 'pin') return socket;
  const der = socket.getPeerX509Certificate()?.raw;
  const sha256 = der ? createHash('sha256').update(der).digest('hex') : 'no certificate';
  if (sha256 === policy.sha256) return socket;
  socket.destroy();
  throw new TransportError(
    'untrusted',
    `${addressText(address)} shows the certificate ${sha256}, not the one pinned in MT5_TLS`,
  );
}

function tlsFailure(address: Address, error: Error): TransportError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const identity = /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO/.test(code);
  return new TransportError(
    identity ? 'untrusted' : 'unreachable',
    identity
      ? `${addressText(address)} shows a certificate that cannot be verified (${code}); brokers often serve one for ` +
          `another name: pin it with MT5_TLS=pin:<sha256>`
      : `TLS with ${addressText(address)} failed: ${plain(error)}`,
    error,
  );
}

/** What a person can act on; an AggregateError of several addresses speaks through its first cause. */
function plain(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  const code = (first as NodeJS.ErrnoException).code;
  const words: Record<string, string> = {
    ECONNREFUSED: 'connection refused',
    ENOTFOUND: 'no such host name',
    EAI_AGAIN: 'the host name cannot be looked up now',
    ETIMEDOUT: 'no answer (an IP allow-list of the broker drops packets so)',
    ECONNRESET: 'connection reset',
    EHOSTUNREACH: 'no route to the host',
    ENETUNREACH: 'no route to the network',
  };
  return (code && words[code]) || first.message;
}
