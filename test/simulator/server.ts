/**
 * An MT5 access server for tests, benchmarks and people without a broker: the Web API over TLS on one port, a control
 * port beside it. It never imports the bridge, and relies on nothing of it: mt5-webapi.md is the measure.
 *
 * server → connection (HTTP) → session (sign-in, rights) → commands → broker. This room may know nothing above.
 */
import net from 'node:net';
import tls from 'node:tls';
import { Broker } from './broker/broker.ts';
import { CLIENTS } from './broker/clients.ts';
import { makeCertificate, type Certificate } from './certificate.ts';
import { Connection } from './connection.ts';
import { Control, type ResetPart, type StatsAnswer } from './control.ts';
import { Faults } from './faults.ts';
import type { Shared } from './session.ts';
import { Stats } from './stats.ts';
import { defaultSwitches, type Switches } from './switches.ts';

export interface SimulatorOptions {
  /** 0 = any free port. */
  readonly port?: number;
  readonly controlPort?: number;
  readonly host?: string;
  readonly seed?: number;
  /** Accounts, 1001 upwards; default 100. */
  readonly clients?: number;
  readonly ticksPerSecond?: number;
  /** `always` (default): forex and metals quote through the weekend; `real`: as brokers do. */
  readonly tradingHours?: 'always' | 'real';
  /** Where the broker's clock starts; default the real time. */
  readonly startUtcMs?: number;
  readonly latencyMs?: number;
  readonly authLatencyMs?: number;
  /** Told of each request and each answer. */
  readonly journal?: (line: string) => void;
}

export interface FaultRequest {
  readonly kind: string;
  readonly count?: number | 'always';
  readonly command?: string;
  readonly ms?: number;
  readonly code?: number;
}

export interface Simulator {
  readonly host: string;
  readonly port: number;
  readonly controlPort: number;
  readonly certificateSha256: string;
  readonly certificatePem: string;
  /** The broker itself, for tests that look deeper than the wire. */
  readonly broker: Broker;
  stats(): StatsAnswer;
  /** Throws what the control port would answer with 400. */
  fault(fault: FaultRequest): void;
  clearFaults(): void;
  switch(changes: Partial<Switches>): void;
  latency(change: { readonly latencyMs?: number; readonly authLatencyMs?: number }): void;
  /** All parts, or only these. Connections and their sessions stay. */
  reset(only?: readonly ResetPart[]): void;
  books(): object;
  /** Destroys every connection of clients, as a network would. */
  dropConnections(): void;
  close(): Promise<void>;
}

/** A raw client opens with `MT5WEBAPI`; a TLS client with a handshake record. */
const TLS_HANDSHAKE = 0x16;
const SILENT_START_MS = 30_000;

/** What is open, and what is still to happen. */
class Open {
  readonly connections = new Map<number, Connection>();
  readonly sockets = new Set<net.Socket>();
  /** The TCP socket under each TLS socket: a reset needs it. */
  readonly tcpByPeer = new Map<string, net.Socket>();
  readonly #lateTimers = new Set<NodeJS.Timeout>();
  #lastId = 0;

  nextId(): number {
    return (this.#lastId += 1);
  }

  later(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#lateTimers.delete(timer);
      act();
    }, delayMs);
    this.#lateTimers.add(timer);
  }

  forgetLate(): void {
    for (const timer of this.#lateTimers) clearTimeout(timer);
    this.#lateTimers.clear();
  }

  drop(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  add(tcp: net.Socket): void {
    const peer = peerOf(tcp);
    this.sockets.add(tcp);
    this.tcpByPeer.set(peer, tcp);
    tcp.on('error', () => tcp.destroy());
    tcp.once('close', () => {
      this.sockets.delete(tcp);
      if (this.tcpByPeer.get(peer) === tcp) this.tcpByPeer.delete(peer);
    });
  }
}

function createShared(options: SimulatorOptions, broker: Broker, open: Open, latency: Shared['latency']): Shared {
  const shared: Shared = {
    broker,
    switches: defaultSwitches(),
    faults: new Faults(),
    stats: new Stats(),
    latency: { ...latency },
    nowMs: () => performance.now(),
    journal: options.journal,
    signedIn: (connectionId, login) => {
      if (!shared.switches.secondSignInEndsFirst) return;
      for (const connection of open.connections.values()) {
        if (connection.id !== connectionId && connection.session.managerLogin === login) connection.session.end();
      }
    },
    later: (delayMs, act) => open.later(delayMs, act),
  };
  return shared;
}

/** TLS, and over it one connection of the Web API each. */
function createTlsServer(certificate: Certificate, shared: Shared, open: Open): tls.Server {
  const { key, cert } = certificate;
  const server = tls.createServer({ key, cert, ALPNProtocols: ['http/1.1'] });
  server.on('secureConnection', (socket) => {
    const tcp = open.tcpByPeer.get(peerOf(socket));
    if (tcp === undefined) {
      socket.destroy();
      return;
    }
    const id = open.nextId();
    const closed = (): void => {
      open.connections.delete(id);
      shared.broker.connectionLost(id);
    };
    open.connections.set(id, new Connection(id, socket, tcp, shared, closed));
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/** The port: TLS by its first byte, everything else is closed. */
function createPort(control: Control, tlsServer: tls.Server, open: Open): net.Server {
  return net.createServer({ noDelay: true }, (tcp) => {
    const { welcome } = control;
    if (welcome === 'maintenance') {
      tcp.resetAndDestroy();
      return;
    }
    open.add(tcp);
    // Accepted, and never answered: to the client it is as if its packets were dropped.
    if (welcome === 'silent') return;
    tcp.setTimeout(SILENT_START_MS, () => tcp.destroy());
    tcp.once('data', (first: Buffer) => {
      tcp.setTimeout(0);
      if (first[0] !== TLS_HANDSHAKE) {
        // The raw flavour (`MT5WEBAPI` …) would start here.
        tcp.destroy();
        return;
      }
      tcp.pause();
      tcp.unshift(first);
      tlsServer.emit('connection', tcp);
    });
  });
}

export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const host = options.host ?? '127.0.0.1';
  const initialLatency = { latencyMs: options.latencyMs ?? 0, authLatencyMs: options.authLatencyMs ?? 0 };
  const broker = new Broker({
    seed: options.seed ?? 1,
    clients: options.clients ?? CLIENTS,
    ticksPerSecond: options.ticksPerSecond ?? 20,
    tradingHours: options.tradingHours ?? 'always',
    ...(options.startUtcMs === undefined ? {} : { startUtcMs: options.startUtcMs }),
  });
  const open = new Open();
  const shared = createShared(options, broker, open, initialLatency);
  const certificate = await makeCertificate();
  const control = new Control({
    shared,
    initialLatency,
    certificatePem: () => certificate.cert,
    switchesChanged: () => open.connections.forEach((connection) => connection.armIdle()),
    dropConnections: () => open.drop(),
    dropHalfOpen: () => open.connections.forEach((connection) => connection.destroyIfDeaf()),
    forgetLate: () => open.forgetLate(),
  });
  const server = createPort(control, createTlsServer(certificate, shared, open), open);
  const port = await listen(server, options.port ?? 0, host);
  let controlPort: number;
  try {
    controlPort = await listen(control.server, options.controlPort ?? 0, host);
  } catch (error) {
    server.close();
    throw error;
  }
  broker.start();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    broker.close();
    open.forgetLate();
    const closed = Promise.all([closeServer(server), closeServer(control.server)]);
    open.drop();
    control.server.closeAllConnections();
    await closed;
  };
  return {
    host,
    port,
    controlPort,
    certificateSha256: certificate.sha256,
    certificatePem: certificate.cert,
    broker,
    stats: () => control.stats(),
    fault: (fault) => must(control.fault(fault)),
    clearFaults: () => control.clearFaults(),
    switch: (changes) => must(control.switch(changes)),
    latency: (change) => must(control.latency(change)),
    reset: (only) => must(control.reset(only === undefined ? undefined : { only })),
    books: () => broker.books(),
    dropConnections: () => open.drop(),
    close: () => (closing ??= close()),
  };
}

/** @throws TypeError saying what is wrong */
function must(problem: string | undefined): void {
  if (problem !== undefined) throw new TypeError(problem);
}

const peerOf = (socket: net.Socket): string => `${socket.remoteAddress}:${socket.remotePort}`;

function listen(server: net.Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

const closeServer = (server: net.Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
