import type { TypedCall } from '../../container/contract/admission.ts';
import type { Caller } from '../../container/contract/keys.ts';
import { CallTimings } from '../../container/service/handler.ts';
import type { TypedAnswer, TypedApi } from '../../container/http/serve-routes.ts';

/** A GET by a caller with the scope `read`, past HTTP. */
export function typedRead(
  api: TypedApi,
  pathname: string,
  query: URLSearchParams,
  deadlineAtMs: number,
): Promise<TypedAnswer> {
  const caller: Caller = { id: 'test', scopes: ['read'] };
  const call: TypedCall = {
    method: 'GET',
    hasBody: false,
    header: () => undefined,
    readBody: async () => new Uint8Array(),
    charge: () => undefined,
    caller: () => caller,
    query,
  };
  const facts = {
    caller,
    requestId: 'r1',
    address: () => undefined,
    deadlineAtMs,
    signal: new AbortController().signal,
    timings: new CallTimings(),
  };
  return api.answer(api.match('GET', pathname), call, facts);
}
