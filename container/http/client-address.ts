import type { IncomingMessage } from 'node:http';
import { inNetworks } from '../contract/address.ts';
import type { AddressOf } from './authenticate.ts';
import { oneOf } from './read-request.ts';

/**
 * Who is at the other end: the peer of the connection or, where that is one of `TRUSTED_PROXIES`, the last address of
 * `X-Forwarded-For` that no trusted proxy added.
 */
export const clientAddress =
  (trustedProxies: readonly string[]): AddressOf =>
  ({ socket, headers }: IncomingMessage) => {
    const peer = socket.remoteAddress;
    if (peer === undefined || trustedProxies.length === 0 || !inNetworks(peer, trustedProxies)) return peer;
    const forwarded = (oneOf(headers['x-forwarded-for']) ?? '').split(',').map((part) => part.trim());
    return forwarded.findLast((address) => address !== '' && !inNetworks(address, trustedProxies)) ?? peer;
  };
