import type { Request, RequestHandler } from 'express';
import { BridgeError } from '../contract/errors.ts';
import { HEADER } from '../contract/headers.ts';
import type { Passthrough, PassthroughRequest } from '../service/passthrough.ts';
import { factsOf, noteRoute } from './request-facts.ts';

/** MT5 itself takes bodies of at most a few thousand characters but for batches of objects. */
const MAX_BODY_BYTES = 1024 * 1024;

const ONE_WRITE_BYTES = 16 * 1024;
const latin1 = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('latin1');

/** `/api/*`. Reads the raw request target: Express has not decoded or normalised it. */
export function servePassthrough(passthrough: Passthrough): RequestHandler {
  return async (request, response) => {
    const facts = factsOf(request);
    if (!facts.caller)
      throw new BridgeError('unauthenticated', 'Send a key as "Authorization: Bearer …" or "X-API-Key: …".');
    const [pathname, query] = splitTarget(request.originalUrl);
    const passed: PassthroughRequest = {
      method: request.method,
      pathname,
      query,
      contentType: contentType(request),
      idempotencyKey: request.get(HEADER.idempotencyKey),
    };
    const command = passthrough.admit(passed, facts.caller);
    noteRoute(response, `/api/${command.path}`);
    const body = request.method === 'POST' ? await readBody(request) : undefined;
    if (body === undefined && Number(request.get('content-length') ?? 0) > 0)
      throw new BridgeError('malformed_request', 'A GET takes no body; use POST.');
    const answer = await passthrough.answer(command, passed, body, { ...facts, caller: facts.caller });
    for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
    response.setHeader('content-type', answer.contentType);
    response.setHeader('cache-control', 'no-store');
    response.status(answer.status);
    // One character for each byte: a text leaves together with its head in one write, a buffer beside it.
    if (answer.bytes.length <= ONE_WRITE_BYTES) response.end(latin1(answer.bytes), 'latin1');
    else response.end(answer.bytes);
  };
}

/** At the first `?`, which alone ends a path. */
function splitTarget(target: string): [path: string, query: string] {
  const mark = target.indexOf('?');
  return mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
}

function contentType(request: Request): string | undefined {
  const type = request.get('content-type');
  if (type === undefined) return undefined;
  if (/^(application\/json|application\/x-www-form-urlencoded|text\/plain)\s*(;.*)?$/i.test(type)) return type;
  throw new BridgeError('unsupported_media_type', {
    detail: 'The Web API takes JSON text.',
    field: 'content-type',
    expected: 'application/json or application/x-www-form-urlencoded',
  });
}

/** @throws BridgeError `payload_too_large` · `unsupported_media_type` */
async function readBody(request: Request): Promise<Uint8Array> {
  const encoding = request.get('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new BridgeError('unsupported_media_type', {
      detail: 'Compressed bodies are not taken.',
      field: 'content-encoding',
      expected: 'identity',
    });
  const tooLarge = (): BridgeError =>
    new BridgeError('payload_too_large', { detail: `The body is larger than ${MAX_BODY_BYTES} bytes.`, field: 'body' });
  if (Number(request.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}
