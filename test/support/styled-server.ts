import { createHash } from 'node:crypto';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import type { Simulator } from '../simulator/server.ts';

/** How another access server might speak: the books are the simulator's, every byte on the wire is written here. */
export interface Style {
  /** Names of members in lower case, nested ones too. */
  readonly lowerCase?: boolean;
  /** Objects of an answer beside the retcode, which stands last; numbers bare. */
  readonly flat?: boolean;
  /** Commands that this build does not have: a plain 404. */
  readonly missing?: readonly string[];
  /** The connection ends after so many answers. */
  readonly closeAfter?: number;
  /** Small chunks with extensions and a trailer. */
  readonly chunks?: boolean;
  readonly cookies?: boolean;
  /** `100 Continue` before every answer, though nobody asked. */
  readonly unaskedContinue?: boolean;
  /** No length: the end of the connection ends the body. */
  readonly closeDelimited?: readonly string[];
  /** Retcodes other than 0 come with this HTTP status. */
  readonly errorStatus?: number;
}

export interface StyledServer {
  readonly host: string;
  readonly port: number;
  readonly certificateSha256: string;
  readonly connections: () => number;
  close(): Promise<void>;
}

interface Question {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export async function startStyledServer(simulator: Simulator, style: Style): Promise<StyledServer> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }]);
  const sockets = new Set<TLSSocket>();
  let opened = 0;
  const server = createServer({ key, cert }, (socket) => {
    opened += 1;
    sockets.add(socket);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    socket
      .on('error', () => undefined)
      .on('close', () => {
        sockets.delete(socket);
        agent.destroy();
      });
    void serve(socket, agent);
  });

  async function serve(socket: TLSSocket, agent: https.Agent): Promise<void> {
    let answered = 0;
    for await (const question of questionsOf(socket)) {
      const path = (question.target.split('?')[0] ?? '').replace('/api/', '');
      const answer = style.missing?.includes(path)
        ? { status: 404, text: 'Not Found' }
        : restyled(await ask(agent, question), style);
      answered += 1;
      const isLast = answered === style.closeAfter || style.closeDelimited?.includes(path) === true;
      if (style.unaskedContinue) socket.write('HTTP/1.1 100 Continue\r\nX-Why: none\r\n\r\n');
      write(socket, answer, { ...style, closeDelimited: style.closeDelimited?.includes(path) ? [path] : [] }, isLast);
      if (isLast) return void socket.end();
    }
  }

  function ask(
    agent: https.Agent,
    { method, target, headers, body }: Question,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const { host, port, certificatePem: ca } = simulator;
      const type = headers['content-type'];
      const request = https.request(
        {
          host,
          port,
          ca,
          agent,
          method,
          path: target,
          headers: { ...(type ? { 'content-type': type } : {}), 'content-length': body.length },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => (text += part));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      request.on('error', reject).end(body);
    });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    certificateSha256: createHash('sha256')
      .update(Buffer.from(cert.replaceAll(/-----.*-----|\s/g, ''), 'base64'))
      .digest('hex'),
    connections: () => opened,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function* questionsOf(socket: TLSSocket): AsyncGenerator<Question> {
  let bytes = Buffer.alloc(0);
  const part = async (): Promise<boolean> => {
    for (;;) {
      const chunk = socket.read() as Buffer | null;
      if (chunk !== null) {
        bytes = Buffer.concat([bytes, chunk]);
        return true;
      }
      if (socket.destroyed || socket.readableEnded) return false;
      await new Promise<void>((resolve) => {
        const go = (): void => {
          for (const event of ['readable', 'end', 'close']) socket.off(event, go);
          resolve();
        };
        for (const event of ['readable', 'end', 'close']) socket.once(event, go);
      });
    }
  };
  for (;;) {
    while (!bytes.includes('\r\n\r\n')) if (!(await part())) return;
    const end = bytes.indexOf('\r\n\r\n');
    const [line = '', ...fields] = bytes.subarray(0, end).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(
      fields.map((field) => [
        field.slice(0, field.indexOf(':')).toLowerCase(),
        field.slice(field.indexOf(':') + 1).trim(),
      ]),
    );
    const length = Number(headers['content-length'] ?? 0);
    bytes = bytes.subarray(end + 4);
    while (bytes.length < length) if (!(await part())) return;
    const [method = '', target = ''] = line.split(' ');
    yield { method, target, headers, body: bytes.subarray(0, length) };
    bytes = bytes.subarray(length);
  }
}

/** Bare numbers are written again with the digits that they had. */
function keepNumbers(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };
  return typeof value === 'number' && context?.source !== undefined ? rawJSON(context.source) : value;
}

function restyled(answer: { status: number; text: string }, style: Style): { status: number; text: string } {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(answer.text, keepNumbers) as Record<string, unknown>;
  } catch {
    return answer;
  }
  const isRefusal = typeof json['retcode'] === 'string' && !json['retcode'].startsWith('0');
  const status = isRefusal ? (style.errorStatus ?? answer.status) : answer.status;
  let text = answer.text;
  if (style.flat) {
    const { retcode, answer: inner, ...top } = json;
    const isObject = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    const members = isObject ? { ...top, ...inner } : inner === undefined ? top : { ...top, answer: inner };
    text = JSON.stringify({ ...members, retcode });
  }
  if (style.lowerCase) text = text.replaceAll(/"([A-Za-z_]\w*)"(?=\s*:)/gu, (name) => name.toLowerCase());
  return { status, text };
}

function write(
  socket: TLSSocket,
  { status, text }: { status: number; text: string },
  style: Style,
  isLast: boolean,
): void {
  const head = [
    `HTTP/1.1 ${status} Whatever`,
    'server: Another/1.0',
    'Content-Type: text/html',
    ...(style.cookies ? ['Set-Cookie: sid=abc; Path=/; HttpOnly', 'set-cookie: lang=en'] : []),
    ...(isLast ? ['Connection: close'] : []),
  ];
  if (style.closeDelimited?.length) return void socket.write(`${head.join('\r\n')}\r\n\r\n${text}`);
  const body = Buffer.from(text);
  if (!style.chunks)
    return void socket.write(
      Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n`), body]),
    );
  const size = Math.max(1, Math.ceil(body.length / 3));
  const parts: Buffer[] = [Buffer.from(`${head.join('\r\n')}\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n`)];
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size);
    parts.push(
      Buffer.from(`${part.length.toString(16).toUpperCase()};name="a;b";other=1\r\n`),
      part,
      Buffer.from('\r\n'),
    );
  }
  parts.push(Buffer.from('0;last\r\nX-Sum: 1\r\n\r\n'));
  socket.write(Buffer.concat(parts));
}
