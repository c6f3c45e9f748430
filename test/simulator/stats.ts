/** Counters of the whole server and of each connection. */
export interface ConnectionStats {
  readonly id: number;
  readonly openedAtMs: number;
  open: boolean;
  /** Login of the manager that signed in last. */
  manager: number | null;
  handshakes: number;
  requests: number;
  readonly byCommand: Record<string, number>;
}

/** Closed connections are remembered up to this many connections in all, the oldest forgotten first. */
const REMEMBERED_CONNECTIONS = 1000;

export class Stats {
  handshakes = 0;
  /** Completed sign-ins when the first command other than auth/* arrived. */
  handshakesAtFirstCommand: number | null = null;
  handshakeFailures = 0;
  requests = 0;
  byCommand: Record<string, number> = {};
  #connections: ConnectionStats[] = [];

  opened(id: number, openedAtMs: number): ConnectionStats {
    const stats = { id, openedAtMs, open: true, manager: null, handshakes: 0, requests: 0, byCommand: {} };
    this.#connections.push(stats);
    if (this.#connections.length > REMEMBERED_CONNECTIONS) {
      const oldest = this.#connections.findIndex(({ open }) => !open);
      if (oldest !== -1) this.#connections.splice(oldest, 1);
    }
    return stats;
  }

  count(connection: ConnectionStats, command: string): void {
    this.requests += 1;
    connection.requests += 1;
    this.byCommand[command] = (this.byCommand[command] ?? 0) + 1;
    connection.byCommand[command] = (connection.byCommand[command] ?? 0) + 1;
    if (this.handshakesAtFirstCommand === null && !command.startsWith('auth/')) {
      this.handshakesAtFirstCommand = this.handshakes;
    }
  }

  reset(): void {
    this.handshakes = 0;
    this.handshakesAtFirstCommand = null;
    this.handshakeFailures = 0;
    this.requests = 0;
    this.byCommand = {};
    this.#connections = this.#connections.filter(({ open }) => open);
    for (const connection of this.#connections) {
      connection.handshakes = 0;
      connection.requests = 0;
      for (const name of Object.keys(connection.byCommand)) delete connection.byCommand[name];
    }
  }

  get openConnections(): number {
    return this.#connections.filter(({ open }) => open).length;
  }

  get perConnection(): readonly ConnectionStats[] {
    return this.#connections;
  }
}
