import type { Call } from '../../container/contract/admission.ts';
import { BridgeError } from '../../container/contract/errors.ts';
import { bodyTooLarge } from '../../container/contract/json-body.ts';
import type { Caller } from '../../container/contract/keys.ts';
import type { Door } from './door.ts';

/** A request as the contract's admission looks at it. */
export class DoorCall implements Call {
  readonly #request: Request;
  readonly #door: Door;

  constructor(request: Request, door: Door) {
    this.#request = request;
    this.#door = door;
  }

  get method(): string {
    return this.#request.method;
  }

  get hasBody(): boolean {
    return this.#request.body !== null;
  }

  get pathname(): string {
    return this.#door.url.pathname;
  }

  header(name: string): string | null {
    return this.#request.headers.get(name);
  }

  caller(): Promise<Caller> {
    return this.#door.admit(this.#request.headers);
  }

  charge(count: number): void {
    this.#door.charge(count);
  }

  readBody(maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    return readBody(this.#request, maxBytes);
  }
}

/** Buffered at the door, so that what is refused wakes nothing and what was not handed over can be sent again. */
async function readBody(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw bodyTooLarge(maxBytes);
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
    if (bytes > maxBytes) {
      await reader.cancel();
      throw bodyTooLarge(maxBytes);
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
