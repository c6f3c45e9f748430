import type { IncomingMessage } from 'node:http';
import { BridgeError } from '../contract/errors.ts';
import { HEADER } from '../contract/headers.ts';
import type { Passthrough, PassthroughRequest } from '../service/broker/passthrough.ts';
import type { Serve } from './api.ts';
import { headerOf, readBytes, splitTarget } from './read-request.ts';

/** MT5 itself takes bodies of at most a few thousand characters but for batches of objects. */
const MAX_BODY_BYTES = 1024 * 1024;

/** `/api/*`, by the raw request target: nothing has decoded or normalised it. */
export function servePassthrough(passthrough: Passthrough): Serve {
  return async (request, facts) => {
    const { caller } = facts;
    if (!caller) throw new BridgeError('unauthenticated', 'Send a key as "Authorization: Bearer …" or "X-API-Key: …".');
    const header = headerOf(request);
    const [pathname, query] = splitTarget(request.url ?? '');
    const passed: PassthroughRequest = {
      method: request.method ?? '',
      pathname,
      query,
      contentType: contentType(header('content-type')),
      idempotencyKey: header(HEADER.idempotencyKey),
    };
    const command = passthrough.admit(passed, caller);
    facts.route = `/api/${command.path}`;
    const body = request.method === 'POST' ? await readBody(request) : undefined;
    if (body === undefined && Number(header('content-length') ?? 0) > 0)
      throw new BridgeError('malformed_request', 'A GET takes no body; use POST.');
    const { requestId, deadlineAtMs, signal } = facts;
    const answer = await passthrough.answer(command, passed, body, { caller, requestId, deadlineAtMs, signal });
    const headers = Object.entries(answer.headers ?? {}).flat();
    headers.push('content-type', answer.contentType, 'cache-control', 'no-store');
    return { status: answer.status, headers, body: answer.bytes };
  };
}

function contentType(type: string | undefined): string | undefined {
  if (type === undefined) return undefined;
  if (/^(application\/json|application\/x-www-form-urlencoded|text\/plain)\s*(;.*)?$/i.test(type)) return type;
  throw new BridgeError('unsupported_media_type', {
    detail: 'The Web API takes JSON text.',
    field: 'content-type',
    expected: 'application/json or application/x-www-form-urlencoded',
  });
}

/** @throws BridgeError `payload_too_large` · `unsupported_media_type` */
async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const header = headerOf(request);
  const encoding = header('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new BridgeError('unsupported_media_type', {
      detail: 'Compressed bodies are not taken.',
      field: 'content-encoding',
      expected: 'identity',
    });
  const tooLarge = (): BridgeError =>
    new BridgeError('payload_too_large', { detail: `The body is larger than ${MAX_BODY_BYTES} bytes.`, field: 'body' });
  if (Number(header('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  return readBytes(request, MAX_BODY_BYTES, tooLarge);
}
