import ipaddr from 'ipaddr.js';

/** Client addresses and the networks that they may belong to (`203.0.113.7`, `203.0.113.0/24`, `2001:db8::/32`). */

/** IPv4 behind IPv6 (`::ffff:203.0.113.7`) is read as IPv4. */
const parsed = (address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined =>
  ipaddr.isValid(address) ? ipaddr.process(address) : undefined;

export const isNetwork = (text: string): boolean =>
  text.includes('/') ? ipaddr.isValidCIDR(text) : ipaddr.isValid(text);

/** `false` for what is not an address. */
export function inNetworks(address: string, networks: readonly string[]): boolean {
  const given = parsed(address);
  if (!given) return false;
  return networks.some((network) => {
    if (!network.includes('/')) return parsed(network)?.toString() === given.toString();
    const [base, bits] = ipaddr.parseCIDR(network);
    return base.kind() === given.kind() && given.match(base, bits);
  });
}

/** Whether an address is one of the internet's: not private, local, shared, reserved, or another kind in disguise. */
export const isPublicAddress = (address: string): boolean => parsed(address)?.range() === 'unicast';
