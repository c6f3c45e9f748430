import { BridgeError } from '../../container/contract/errors.ts';
import { bodyTooLarge, MAX_BODY_BYTES } from '../../container/contract/json-body.ts';

/**
 * The whole body, bounded: nothing beyond the limit is read. Buffered at the door so that what is refused wakes nothing
 * and what was not handed over can be sent again.
 * @throws BridgeError `payload_too_large` · `malformed_request`
 */
export async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw bodyTooLarge();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new BridgeError('malformed_request', { detail: 'The body broke off.', field: 'body', cause });
    });
    if (done) break;
    bytes += value.byteLength;
    if (bytes > MAX_BODY_BYTES) {
      await reader.cancel();
      throw bodyTooLarge();
    }
    chunks.push(value);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
