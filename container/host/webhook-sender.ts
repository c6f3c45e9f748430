import { type LookupAddress, type LookupOptions, Resolver } from 'node:dns';
import http, { type RequestOptions } from 'node:http';
import https from 'node:https';
import { isPublicAddress } from '../contract/address.ts';
import type { WebhookSender } from '../outbox/webhooks/deliveries.ts';

/** Connections to one receiver. */
const MOST_SOCKETS = 8;
/** Of one question to one name server. */
const DNS_TIMEOUT_MS = 3_000;

type LookupDone = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;
type Resolve = (host: string, options: LookupOptions, done: LookupDone) => void;

export interface HostWebhookSenderOptions {
  /** Origins that may be called wherever they are. */
  readonly allowedOrigins: readonly string[];
  /** Resolves names; DNS itself if absent. */
  readonly resolve?: Resolve;
}

/**
 * Sends webhooks from a program of its own: the address that a name resolves to is looked at when the connection is made, so
 * that a name that changes its mind in between reaches nothing private either. Follows no redirects.
 */
export function hostWebhookSender(options: HostWebhookSenderOptions): WebhookSender {
  const checked = checkedLookup(options.resolve ?? dnsResolve());
  const agents = {
    publicly: new https.Agent({ keepAlive: true, maxSockets: MOST_SOCKETS, lookup: checked }),
    anywhere: new https.Agent({ keepAlive: true, maxSockets: MOST_SOCKETS }),
    plainly: new http.Agent({ keepAlive: true, maxSockets: MOST_SOCKETS }),
  };
  return {
    send: ({ url, headers, body, timeoutMs }) =>
      new Promise((answered, failed) => {
        const { origin, protocol } = new URL(url);
        const isAllowed = options.allowedOrigins.includes(origin);
        const agent = protocol === 'http:' ? agents.plainly : isAllowed ? agents.anywhere : agents.publicly;
        if (protocol === 'http:' && !isAllowed) return failed(new Error('it is not https'));
        const request: RequestOptions = {
          method: 'POST',
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
          agent,
          signal: AbortSignal.timeout(timeoutMs),
        };
        const sent = (protocol === 'http:' ? http : https).request(url, request, (response) => {
          // Its words are nobody's: read to the end, so that the connection can be used again.
          response.resume();
          response.once('end', () => answered({ status: response.statusCode ?? 0 }));
          response.once('error', failed);
        });
        sent.once('error', (error) =>
          failed(error.name === 'AbortError' ? new Error(`it did not answer within ${timeoutMs} ms`) : error),
        );
        sent.end(body);
        return undefined;
      }),
  };
}

/**
 * Asks DNS itself. The system's own look-up (`getaddrinfo`) takes one of four threads of the program for as long as it lasts,
 * and those sign what orders are known by: a receiver whose name servers are silent would hold up trading.
 */
function dnsResolve(): Resolve {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 2 });
  return (host, { all }, done) =>
    resolver.resolve4(host, (error, found: readonly string[] | undefined) => {
      const v4 = found ?? [];
      const answer = (v6: readonly string[]): void => {
        const found = [
          ...v4.map((address) => ({ address, family: 4 })),
          ...v6.map((address) => ({ address, family: 6 })),
        ];
        const [first] = found;
        if (!first) done(error ?? new Error(`${host} has no address`), []);
        else if (all === true) done(null, found);
        else done(null, first.address, first.family);
      };
      resolver.resolve6(host, (_, v6: readonly string[] | undefined) => answer(v6 ?? []));
    });
}

/** Finds public addresses only. */
const checkedLookup =
  (find: Resolve): Resolve =>
  (host, options, done) =>
    find(host, options, (error, found, family) => {
      if (error) return done(error, found, family);
      const addresses = Array.isArray(found) ? found.map(({ address }) => address) : [found];
      const hidden = addresses.find((address) => !isPublicAddress(address));
      if (hidden !== undefined || addresses.length === 0)
        return done(new Error(`${host} resolves to what is not a public address`), []);
      return done(null, found, family);
    });
