/**
 * An MT5 Web API client written from the protocol document alone, as small as the official ones: one kept-alive
 * connection, sign-in, requests one after the other. For tests of the simulator; it shares no code with the bridge.
 */
import { createHash } from 'node:crypto';
import https from 'node:https';

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly certificatePem: string;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Undefined where the body is not JSON. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
  /** Number in front of the retcode's text; undefined without one. */
  readonly retcode: number | undefined;
}

export interface Request {
  readonly method?: 'GET' | 'POST';
  readonly body?: string;
  readonly contentType?: string;
}

const md5 = (...parts: readonly Buffer[]): Buffer => createHash('md5').update(Buffer.concat(parts)).digest();

export const proofOf = (password: string, randomHex: string): string =>
  md5(md5(md5(Buffer.from(password, 'utf16le')), Buffer.from('WebAPI')), Buffer.from(randomHex, 'hex')).toString('hex');

export class Mt5Client {
  readonly #agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  send(path: string, request: Request = {}): Promise<WireAnswer> {
    const { method = 'GET', body, contentType } = request;
    return new Promise((resolve, reject) => {
      const outgoing = https.request(
        {
          host: this.#target.host,
          port: this.#target.port,
          ca: this.#target.certificatePem,
          agent: this.#agent,
          path,
          method,
          headers: {
            ...(contentType === undefined ? {} : { 'content-type': contentType }),
            ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.once('error', reject);
          incoming.once('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const json = parse(text);
            const retcode = typeof json?.['retcode'] === 'string' ? Number.parseInt(json['retcode'], 10) : undefined;
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json, retcode });
          });
        },
      );
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }

  async signIn(login = 1000, password = 'Password1', request: Request = {}): Promise<WireAnswer> {
    const start = await this.send(`/api/auth/start?version=484&agent=test&login=${login}&type=manager`, request);
    const random = start.json?.['srv_rand'];
    if (typeof random !== 'string') return start;
    const answer = proofOf(password, random);
    return this.send(`/api/auth/answer?srv_rand_answer=${answer}&cli_rand=4db98fec17aab4dc5a240bdc659e8395`, request);
  }

  close(): void {
    this.#agent.destroy();
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
