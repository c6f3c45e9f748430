/**
 * An incremental, bounded parser of HTTP/1.1 requests: bytes in by `push`, whole requests out by `next`. The server needs
 * its own because the faults act below HTTP, and because node:https is too slow to be measured against (README.md).
 */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query as sent. */
  readonly target: string;
  /** Lower case, without parameters; empty where absent. */
  readonly contentType: string;
  readonly body: Buffer;
  readonly keepAlive: boolean;
}

/** The bytes are not a request this server takes: answer the status, then close. */
export class HttpFailure {
  readonly status: number;
  constructor(status: number) {
    this.status = status;
  }
}

/** Past these a client is broken or hostile. Real servers document none; the largest documented body is a mail of 8 kB. */
export const LIMITS = { headBytes: 64 * 1024, headers: 100, bodyBytes: 4 * 1024 * 1024 } as const;

interface Headers {
  readonly contentLength: number;
  readonly chunked: boolean;
  readonly contentType: string;
  /** Undefined where the client does not say: then HTTP/1.1 keeps it and HTTP/1.0 does not. */
  readonly keepAlive: boolean | undefined;
  readonly expectContinue: boolean;
}

type Position =
  | { readonly at: 'head' }
  | { readonly at: 'body' }
  | { readonly at: 'chunk-size' }
  | { readonly at: 'chunk'; readonly bytes: number }
  | { readonly at: 'trailers' }
  | { readonly at: 'failed' };

const HEAD: Position = { at: 'head' };
const NOTHING: Buffer = Buffer.alloc(0);

export class HttpParser {
  #buffer: Buffer = NOTHING;
  #position: Position = HEAD;
  #line: { method: 'GET' | 'POST'; target: string; keepAliveByDefault: boolean } | undefined;
  #headers: Headers | undefined;
  /** A client repeats its headers: parsed once per spelling. */
  #headersText = '';
  #parts: Buffer[] = [];
  #partBytes = 0;
  /** A request's head asked for `100 Continue`; whoever writes resets it. */
  continueWanted = false;

  get bufferedBytes(): number {
    return this.#buffer.length;
  }

  push(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
  }

  /** The next whole request; undefined until more bytes come; a failure ends the connection. */
  next(): HttpRequest | HttpFailure | undefined {
    for (;;) {
      const { at } = this.#position;
      if (at === 'failed') return undefined;
      const step = at === 'head' ? this.#head() : at === 'body' ? this.#plainBody() : this.#chunkedBody();
      if (step === 'more') return undefined;
      if (step !== 'on') return step;
    }
  }

  #fail(status: number): HttpFailure {
    this.#position = { at: 'failed' };
    this.#buffer = NOTHING;
    return new HttpFailure(status);
  }

  #head(): HttpRequest | HttpFailure | 'more' | 'on' {
    // An empty line before a request is skipped (RFC 9112 §2.2).
    while (this.#buffer.length >= 2 && this.#buffer[0] === 13 && this.#buffer[1] === 10) {
      this.#buffer = this.#buffer.subarray(2);
    }
    const end = this.#buffer.indexOf('\r\n\r\n', 0, 'latin1');
    if (end === -1) {
      if (this.#buffer.length > LIMITS.headBytes) return this.#fail(431);
      // What cannot become a request line is refused at once: a raw frame never sends an empty line.
      return this.#buffer.length > 16 && !this.#buffer.subarray(0, 16).includes(32) ? this.#fail(400) : 'more';
    }
    if (end > LIMITS.headBytes) return this.#fail(431);
    const text = this.#buffer.toString('latin1', 0, end + 2);
    this.#buffer = end + 4 === this.#buffer.length ? NOTHING : this.#buffer.subarray(end + 4);
    const lineEnd = text.indexOf('\r\n');
    const match = /^([A-Z]+) (\S+) HTTP\/1\.([01])$/.exec(text.slice(0, lineEnd));
    if (match === null) return this.#fail(400);
    const [, method, target = '', minor] = match;
    if (method !== 'GET' && method !== 'POST') return this.#fail(405);
    const headersText = text.slice(lineEnd + 2);
    if (headersText !== this.#headersText || this.#headers === undefined) {
      const headers = parseHeaders(headersText);
      if (headers === undefined) return this.#fail(400);
      this.#headers = headers;
      this.#headersText = headersText;
    }
    this.#line = { method, target, keepAliveByDefault: minor === '1' };
    if (this.#headers.contentLength > LIMITS.bodyBytes) return this.#fail(413);
    this.continueWanted = this.#headers.expectContinue;
    if (this.#headers.chunked) {
      this.#position = { at: 'chunk-size' };
      return 'on';
    }
    if (this.#headers.contentLength === 0) return this.#whole(NOTHING);
    this.#position = { at: 'body' };
    return 'on';
  }

  #plainBody(): HttpRequest | 'more' {
    const length = this.#headers?.contentLength ?? 0;
    if (this.#buffer.length < length) return 'more';
    const body = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.length === length ? NOTHING : this.#buffer.subarray(length);
    return this.#whole(body);
  }

  #chunkedBody(): HttpRequest | HttpFailure | 'more' | 'on' {
    if (this.#position.at === 'chunk') {
      const { bytes } = this.#position;
      if (this.#buffer.length < bytes + 2) return 'more';
      if (this.#buffer[bytes] !== 13 || this.#buffer[bytes + 1] !== 10) return this.#fail(400);
      this.#parts.push(this.#buffer.subarray(0, bytes));
      this.#buffer = this.#buffer.subarray(bytes + 2);
      this.#position = { at: 'chunk-size' };
      return 'on';
    }
    const end = this.#buffer.indexOf('\r\n', 0, 'latin1');
    if (end === -1) return this.#buffer.length > 1024 ? this.#fail(400) : 'more';
    const line = this.#buffer.toString('latin1', 0, end);
    this.#buffer = this.#buffer.subarray(end + 2);
    if (this.#position.at === 'trailers') {
      if (line !== '') return 'on';
      const body = Buffer.concat(this.#parts);
      this.#parts = [];
      this.#partBytes = 0;
      return this.#whole(body);
    }
    const match = /^([0-9a-fA-F]{1,7})[ \t]*(?:;.*)?$/.exec(line);
    if (match === null) return this.#fail(400);
    const bytes = Number.parseInt(match[1] ?? '', 16);
    this.#partBytes += bytes;
    if (this.#partBytes > LIMITS.bodyBytes) return this.#fail(413);
    this.#position = bytes === 0 ? { at: 'trailers' } : { at: 'chunk', bytes };
    return 'on';
  }

  #whole(body: Buffer): HttpRequest {
    const { method, target, keepAliveByDefault } = this.#line ?? {
      method: 'GET',
      target: '',
      keepAliveByDefault: false,
    };
    const { contentType = '', keepAlive } = this.#headers ?? {};
    this.#position = HEAD;
    this.#line = undefined;
    return {
      method,
      target,
      contentType,
      body,
      keepAlive: keepAlive ?? keepAliveByDefault,
    };
  }
}

/** The headers that matter here; undefined where they cannot be trusted to say where the body ends. */
function parseHeaders(text: string): Headers | undefined {
  const values = new Map<string, string>();
  const lines = text.split('\r\n');
  if (lines.length > LIMITS.headers) return undefined;
  for (const line of lines) {
    if (line === '') continue;
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (match === null) return undefined;
    const [, name = '', value = ''] = match;
    const lowerName = name.toLowerCase();
    if (lowerName === 'content-length' && values.has(lowerName) && values.get(lowerName) !== value) return undefined;
    values.set(lowerName, value);
  }
  const length = values.get('content-length');
  const encoding = values.get('transfer-encoding')?.toLowerCase();
  if (length !== undefined && (encoding !== undefined || !/^\d{1,15}$/.test(length))) return undefined;
  if (encoding !== undefined && encoding !== 'chunked') return undefined;
  const connection = (values.get('connection') ?? '').toLowerCase().split(/[ \t]*,[ \t]*/);
  return {
    contentLength: Number(length ?? 0),
    chunked: encoding === 'chunked',
    contentType: (values.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '',
    keepAlive: connection.includes('close') ? false : connection.includes('keep-alive') ? true : undefined,
    expectContinue: values.get('expect')?.toLowerCase() === '100-continue',
  };
}
