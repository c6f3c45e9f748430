import { once } from 'node:events';
import { type IncomingMessage, type Server, createServer } from 'node:http';
import { type Socket, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { CONTAINER_HOST } from './process-container.ts';
import type { ContainerSpec, ContainerStatus, EngineContainer } from './engine-container.ts';

/** The port of `cloudflare/proxy-everything` that workerd asks for. */
const SIDECAR_PORT = '39001/tcp';
/** workerd wants a PEM file to hand to containers that intercept HTTPS; ours do not. */
const UNUSED_CA = '-----BEGIN CERTIFICATE-----\nbm90IHVzZWQ=\n-----END CERTIFICATE-----\n';

/**
 * Stands in for `cloudflare/proxy-everything`, the sidecar through which workerd reaches a container: a control API
 * (`PUT /egress`, `GET /ca`) and one HTTP CONNECT per connection, with the container's port in `X-Dst-Addr`.
 */
export class IngressSidecar implements EngineContainer {
  readonly id: string;
  readonly name: string;
  readonly spec: ContainerSpec;
  readonly createdAt = new Date();
  readonly pid = undefined;
  readonly exitCode = 0;
  readonly #server: Server;
  readonly #tunnels = new Set<Duplex>();
  readonly #ended = Promise.withResolvers<number>();
  #status: ContainerStatus = 'created';

  /** `resolvePort`: container port → loopback port of the process, undefined while nothing can listen there. */
  constructor(
    id: string,
    name: string,
    spec: ContainerSpec,
    resolvePort: (containerPort: number) => number | undefined,
    refusal: Refusal,
  ) {
    this.id = id;
    this.name = name;
    this.spec = spec;
    this.#server = createServer((request, response) => {
      request.resume();
      if (request.method === 'PUT' && request.url === '/egress') response.writeHead(200).end();
      else if (request.method === 'GET' && request.url === '/ca') response.writeHead(200).end(UNUSED_CA);
      else response.writeHead(404).end();
    });
    this.#server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) =>
      this.#tunnel(client, head, resolvePort(destinationPort(request)), refusal),
    );
  }

  get status(): ContainerStatus {
    return this.#status;
  }

  get publishedPorts(): Record<string, number> {
    const address = this.#server.address();
    return address !== null && typeof address !== 'string' ? { [SIDECAR_PORT]: address.port } : {};
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#status = 'running';
  }

  signal(): void {
    this.#close();
  }

  stopped(): Promise<number> {
    return this.#status === 'running' ? this.#ended.promise : Promise.resolve(0);
  }

  remove(): Promise<void> {
    this.#close();
    return Promise.resolve();
  }

  #close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    for (const tunnel of this.#tunnels) tunnel.destroy();
    this.#status = 'exited';
    this.#ended.resolve(0);
  }

  #tunnel(client: Duplex, head: Buffer, port: number | undefined, refusal: Refusal): void {
    client.on('error', () => client.destroy());
    if (port === undefined) return refuse(client, refusal);
    this.#tunnels.add(client);
    client.once('close', () => this.#tunnels.delete(client));
    const upstream: Socket = connect(port, CONTAINER_HOST);
    upstream.setNoDelay(true);
    const refused = (): void => refuse(client, refusal);
    upstream.once('error', refused);
    upstream.once('connect', () => {
      // From here on the tunnel carries the program's own bytes only.
      upstream.off('error', refused).on('error', () => client.destroy());
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      if (head.length > 0) upstream.write(head);
      client.pipe(upstream);
      upstream.pipe(client);
    });
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => (client.writableEnded ? undefined : client.destroy()));
  }
}

const destinationPort = (request: IncomingMessage): number => {
  const header = request.headers['x-dst-addr'];
  return Number((typeof header === 'string' ? header : (request.url ?? '')).split(':').pop());
};

/**
 * workerd puts the reason phrase into the error it throws. `production` is the wording of Cloudflare's own network, which
 * `@cloudflare/containers` 0.3.7 waits on; `docker` is the 400 of the real sidecar, on which it waits for the port alone.
 */
export type Refusal = 'production' | 'docker';

const REFUSALS: Readonly<Record<Refusal, string>> = {
  production: '502 the container is not listening in the TCP address',
  docker: '400 Bad Request',
};

const refuse = (client: Duplex, refusal: Refusal): void => {
  client.end(`HTTP/1.1 ${REFUSALS[refusal]}\r\nContent-Length: 0\r\n\r\n`);
};
