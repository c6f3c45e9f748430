import type { IncomingMessage } from 'node:http';
import type { Call } from '../contract/admission.ts';
import { bodyTooLarge } from '../contract/json-body.ts';
import type { Caller } from '../contract/keys.ts';
import { oneOf, readBytes } from './read-request.ts';
import type { OpenFacts } from './request-facts.ts';

/** A request as the contract's admission looks at it. */
export class HttpCall implements Call {
  readonly #request: IncomingMessage;
  readonly #facts: OpenFacts;

  constructor(request: IncomingMessage, facts: OpenFacts) {
    this.#request = request;
    this.#facts = facts;
  }

  get method(): string {
    return this.#request.method ?? '';
  }

  get hasBody(): boolean {
    const { headers } = this.#request;
    return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  }

  header(name: string): string | undefined {
    return oneOf(this.#request.headers[name]);
  }

  caller(): Caller | null {
    return this.#facts.caller;
  }

  charge(count: number): void {
    this.#facts.charge(count);
  }

  async readBody(maxBytes: number): Promise<Uint8Array> {
    if (Number(this.header('content-length') ?? 0) > maxBytes) throw bodyTooLarge(maxBytes);
    return readBytes(this.#request, maxBytes, () => bodyTooLarge(maxBytes));
  }
}
