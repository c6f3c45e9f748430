/**
 * What the server only keeps: clients with their papers, configuration of the platform, archives. Records hold whatever
 * was sent; their fields are not documented well enough to be checked. Bounded.
 */
import { textOf, type WireRecord } from './symbols.ts';

/** Configuration of the platform: each kind is an ordered list, each record has a name in it. */
export const CONFIGURATION_KEYS = {
  manager: 'Login',
  server: 'ID',
  plugin: 'Name',
  gateway: 'Name',
  feeder: 'Name',
  report: 'Name',
  route: 'Name',
  firewall: 'Description',
  holiday: 'Description',
  spread: 'ID',
  leverage: 'Name',
  email: 'Name',
  messenger: 'Name',
  tls_certificate: 'Name',
  history_sync: 'Server',
} as const;
export type ConfigurationKind = keyof typeof CONFIGURATION_KEYS;

/** Kinds whose records belong to a program that is installed on the server, which can be looked at too. */
export const MODULE_KINDS = ['plugin', 'gateway', 'feeder', 'report'] as const;

/** A client's record and what hangs on it. */
export const PAPER_KINDS = ['client', 'document', 'comment', 'attachment'] as const;
export type PaperKind = (typeof PAPER_KINDS)[number];

const KEPT = 10_000;

const MANAGERS = [1000, 999, 998, 997];

/** What a fresh server has. */
const AT_FIRST: Partial<Record<ConfigurationKind, readonly WireRecord[]>> = {
  manager: MANAGERS.map((login) => ({
    Login: String(login),
    Name: `Manager ${login}`,
    Mailbox: `Manager ${login}`,
    Server: '1',
    Groups: [login === 997 ? 'demo\\*,!demo\\closed*' : '*'],
  })),
  server: [{ ID: '1', Name: 'SimulatedMarkets-Server', Type: '1', Address: '127.0.0.1:443' }],
  gateway: [{ Name: 'Simulated exchange', Module: 'SimGateway64.exe', Enable: '1', TradeServers: '1' }],
  feeder: [{ Name: 'Simulated prices', Module: 'SimFeeder64.exe', Enable: '1', Mode: '1' }],
  report: [{ Name: 'Daily', Module: 'Daily.Standard.dll', Enable: '1' }],
};

export class RecordRoom {
  /** By kind, then by name, in the order of the configuration. */
  readonly configuration = new Map<string, Map<string, WireRecord>>();
  readonly papers = new Map<PaperKind, Map<string, WireRecord>>();
  /** Accounts of a client, by the client's number. */
  readonly accountsOf = new Map<string, Set<number>>();
  /** What was changed of a client, oldest first. */
  readonly clientHistory: WireRecord[] = [];
  /** `section|key` → value. */
  readonly settings = new Map<string, WireRecord>();
  readonly certificates = new Map<number, WireRecord>();
  readonly otpSecrets = new Map<number, string>();
  /** Services that logins can pay for, by name; and who did, by `login|name`. */
  readonly offers = new Map<string, WireRecord>();
  readonly subscriptions = new Map<string, WireRecord>();
  #lastId = 0;

  constructor() {
    for (const [kind, key] of Object.entries(CONFIGURATION_KEYS)) {
      const records = AT_FIRST[kind as ConfigurationKind] ?? [];
      this.configuration.set(kind, new Map(records.map((record) => [textOf(record, key), record])));
    }
    for (const kind of PAPER_KINDS) this.papers.set(kind, new Map());
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** False where there is no room for another. */
  keep<K>(map: Map<K, WireRecord>, key: K, record: WireRecord): boolean {
    if (!map.has(key) && map.size >= KEPT) return false;
    map.set(key, record);
    return true;
  }
}
