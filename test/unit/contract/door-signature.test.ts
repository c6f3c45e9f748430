import { describe, expect, it } from 'vitest';
import { isSigned, signRequest } from '../../../container/contract/door-signature.ts';
import { trustSigner } from '../../../container/http/authenticate.ts';

const KEY = 'a-key-that-both-know-of-32-or-more';
const NOW_MS = 1_700_000_000_000;
const HEADERS = {
  'x-bridge-caller': '{"id":"desk","scopes":["trade"]}',
  'x-bridge-caller-address': '192.0.2.7',
  'idempotency-key': 'order-1',
  'x-bridge-deadline': String(NOW_MS + 10_000),
  'x-bridge-contract': '7',
};
type Headers = Readonly<Record<string, string>>;

const requestWith = (headers: Headers, method = 'POST', target = '/v1/orders?x=1') => ({
  method,
  target,
  header: (name: string) => headers[name],
});
const signed = async (key = KEY): Promise<Headers> => ({
  ...HEADERS,
  'x-bridge-signature': await signRequest(key, requestWith(HEADERS), NOW_MS),
});

describe('what a Worker signs for its VPS', () => {
  it('is taken with its key, until a moment after its deadline', async () => {
    const request = requestWith(await signed());
    expect(await isSigned(KEY, request, NOW_MS)).toBe(true);
    expect(await isSigned(KEY, request, NOW_MS + 40_000)).toBe(true);
    expect(await isSigned(KEY, request, NOW_MS + 40_001)).toBe(false);
    expect(await isSigned(KEY.replace('a', 'b'), request, NOW_MS)).toBe(false);
  });

  it.each(Object.keys(HEADERS))('is not taken with another %s, nor without it', async (name) => {
    const headers = await signed();
    const { [name]: _, ...without } = headers;
    expect(await isSigned(KEY, requestWith({ ...headers, [name]: '9' }), NOW_MS)).toBe(false);
    expect(await isSigned(KEY, requestWith(without), NOW_MS)).toBe(false);
  });

  it('is not taken for another method or target, nor with a longer life than it was signed for', async () => {
    const headers = await signed();
    expect(await isSigned(KEY, requestWith(headers, 'PUT'), NOW_MS)).toBe(false);
    expect(await isSigned(KEY, requestWith(headers, 'POST', '/v1/orders'), NOW_MS)).toBe(false);
    const longer = headers['x-bridge-signature']?.replace(/^\d+/, String(NOW_MS + 60_000)) ?? '';
    expect(await isSigned(KEY, requestWith({ ...headers, 'x-bridge-signature': longer }), NOW_MS)).toBe(false);
  });

  it.each(['', 'x', `${NOW_MS + 1}.`, `${NOW_MS + 1}.${'0'.repeat(64)}`, `.${'0'.repeat(64)}`])(
    'a signature that is none (%s) is not taken',
    async (signature) => {
      expect(await isSigned(KEY, requestWith({ ...HEADERS, 'x-bridge-signature': signature }), NOW_MS)).toBe(false);
    },
  );

  it('the program takes the caller from it, and nobody’s word without it', async () => {
    const authenticate = trustSigner(KEY, () => NOW_MS);
    const from = { address: () => undefined, method: 'POST', target: '/v1/orders?x=1' };
    const headers = await signed();
    expect(await authenticate((name) => headers[name], from)).toEqual({ id: 'desk', scopes: ['trade'] });
    const others = await signed('the-key-of-some-other-worker-elsewhere');
    for (const given of [HEADERS, others] as Headers[])
      await expect(authenticate((name) => given[name], from)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});
