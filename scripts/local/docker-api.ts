import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { ContainerSpec, EngineContainer } from './engine-container.ts';

export interface DockerApiOptions {
  /** By name; the API adds and removes. */
  readonly containers: Map<string, EngineContainer>;
  readonly create: (name: string, spec: ContainerSpec) => EngineContainer;
  readonly onUnhandled: (call: string) => void;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

const ok = (body?: unknown): Answer => ({ status: 200, body });
const failure = (status: number, message: string): Answer => ({ status, body: { message } });
const NO_CONTENT: Answer = { status: 204 };
const NOT_MODIFIED: Answer = { status: 304 };

/** The calls of cloudflare.md §2, over an HTTP server that the caller lets listen on a unix socket. */
export function dockerApi(options: DockerApiOptions): Server {
  return createServer((request, response) => {
    handle(options, request).then(
      (answer) => send(response, answer),
      (error: unknown) => send(response, failure(500, error instanceof Error ? error.message : String(error))),
    );
  });
}

async function handle(options: DockerApiOptions, request: IncomingMessage): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://engine');
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
  // Clients other than workerd put an API version in front.
  const path = url.pathname.replace(/^\/v\d+\.\d+/, '');
  const call: Call = { method: request.method ?? 'GET', path, query: url.searchParams, body };
  const answer = system(call) ?? collection(options, call) ?? (await single(options, call));
  if (answer) return answer;
  options.onUnhandled(`${call.method} ${path}${url.search}`);
  return failure(404, 'page not found');
}

function system({ method, path }: Call): Answer | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  switch (path) {
    case '/_ping':
      return ok('OK');
    case '/version':
      return ok({ Version: 'process-engine', ApiVersion: '1.47', MinAPIVersion: '1.24', Os: 'linux', Arch: 'amd64' });
    case '/info':
      return ok({ ID: 'process-engine', Name: 'process-engine', OSType: 'linux', SecurityOptions: [] });
    case '/networks/bridge':
      // workerd binds its egress listener to the gateway, so it must be an address of this machine.
      return ok({
        Name: 'bridge',
        IPAM: { Driver: 'default', Config: [{ Subnet: '127.0.0.0/8', Gateway: '127.0.0.1' }] },
      });
    case '/volumes':
      return ok({ Volumes: [], Warnings: [] });
    default:
      return undefined;
  }
}

function collection({ containers, create }: DockerApiOptions, call: Call): Answer | undefined {
  if (call.method === 'GET' && call.path === '/containers/json') {
    const listed = [...containers.values()].filter((container) => labelsMatch(call.query.get('filters'), container));
    return ok(listed.map((c) => ({ Id: c.id, Names: [`/${c.name}`], Image: c.spec.Image, State: c.status })));
  }
  if (call.method === 'POST' && call.path === '/containers/create') {
    const name = call.query.get('name') ?? `container-${containers.size}`;
    if (containers.has(name)) return failure(409, `Conflict. The container name "/${name}" is already in use`);
    const container = create(name, JSON.parse(call.body) as ContainerSpec);
    containers.set(name, container);
    return { status: 201, body: { Id: container.id, Warnings: [] } };
  }
  return undefined;
}

async function single({ containers }: DockerApiOptions, call: Call): Promise<Answer | undefined> {
  const match = /^\/containers\/([^/]+)(?:\/(\w+))?$/.exec(call.path);
  if (!match) return undefined;
  const reference = decodeURIComponent(match[1] ?? '');
  const container = containers.get(reference) ?? [...containers.values()].find((one) => one.id.startsWith(reference));
  if (!container) return failure(404, `No such container: ${reference}`);
  const isRunning = container.status === 'running';
  switch (`${call.method} ${match[2] ?? ''}`.trim()) {
    case 'GET json':
      return ok(inspect(container));
    case 'POST start':
      if (isRunning) return NOT_MODIFIED;
      await container.start();
      return NO_CONTENT;
    case 'POST stop':
      if (!isRunning) return NOT_MODIFIED;
      container.signal('SIGTERM');
      return NO_CONTENT;
    case 'POST kill':
      if (!isRunning) return failure(409, `Container ${container.name} is not running`);
      container.signal((call.query.get('signal') ?? 'SIGKILL') as NodeJS.Signals);
      return NO_CONTENT;
    case 'POST wait':
      return ok({ StatusCode: await container.stopped() });
    case 'DELETE':
      await container.remove();
      containers.delete(container.name);
      return NO_CONTENT;
    case 'PUT archive':
      return ok();
    default:
      return undefined;
  }
}

function inspect(container: EngineContainer): unknown {
  const { id, name, spec, status, pid, exitCode, publishedPorts, createdAt } = container;
  return {
    Id: id,
    Name: `/${name}`,
    Created: createdAt.toISOString(),
    State: { Status: status, Running: status === 'running', Pid: pid ?? 0, ExitCode: exitCode },
    Config: { Image: spec.Image, Env: spec.Env ?? [], Labels: spec.Labels ?? {} },
    NetworkSettings: {
      Ports: Object.fromEntries(
        Object.entries(publishedPorts).map(([port, hostPort]) => [
          port,
          [{ HostIp: '127.0.0.1', HostPort: String(hostPort) }],
        ]),
      ),
      Networks: {},
    },
  };
}

/** Docker takes `{"label":["k=v"]}` and `{"label":{"k=v":true}}`. */
function labelsMatch(filters: string | null, container: EngineContainer): boolean {
  const { label } = (filters === null ? {} : JSON.parse(filters)) as { label?: string[] | Record<string, boolean> };
  const wanted = label === undefined ? [] : Array.isArray(label) ? label : Object.keys(label);
  const labels = container.spec.Labels ?? {};
  return wanted.every((text) => {
    const [name = '', ...value] = text.split('=');
    return value.length === 0 ? name in labels : labels[name] === value.join('=');
  });
}

function send(response: ServerResponse, { status, body }: Answer): void {
  if (response.destroyed) return;
  const text = body === undefined ? '' : JSON.stringify(body);
  const bodiless = status === 204 || status === 304;
  response.writeHead(
    status,
    bodiless ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
  );
  response.end(bodiless ? undefined : text);
}
