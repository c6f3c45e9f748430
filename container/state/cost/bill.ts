import {
  EGRESS,
  type EgressRegion,
  INSTANCE_TYPES,
  type InstanceType,
  MESSAGES_PER_REQUEST,
  OBJECT_GB,
  PLAN_USD,
  PRICES,
} from './prices.ts';

/** What a month of the bridge does. Counts are of the whole month. */
export interface Scenario {
  readonly instanceType: InstanceType;
  readonly awakeSeconds: number;
  /** Part of the instance's vCPU that is busy while it is awake, 0…1. */
  readonly cpuBusy: number;
  /** Requests at the door, opened streams included. */
  readonly requests: number;
  /** Of them, writes that go through the ledger. */
  readonly writes: number;
  /** Messages that clients send over streams. */
  readonly clientMessages: number;
  /** Time in which the hub is in memory with clients' streams. */
  readonly hubSeconds: number;
  /** Durable Object storage. */
  readonly storedGb: number;
  readonly egressGb: number;
  readonly egressRegion: EgressRegion;
  readonly r2StoredGb: number;
  readonly r2Writes: number;
  readonly r2Reads: number;
}

type Egress = Pick<Scenario, 'egressRegion' | 'egressGb'>;

export const NOTHING: Scenario = {
  instanceType: 'basic',
  awakeSeconds: 0,
  cpuBusy: 0.1,
  requests: 0,
  writes: 0,
  clientMessages: 0,
  hubSeconds: 0,
  storedGb: 0,
  egressGb: 0,
  egressRegion: 'na-eu',
  r2StoredGb: 0,
  r2Writes: 0,
  r2Reads: 0,
};

/** Assumed for what Cloudflare alone can count; each lies far within the included amounts in an ordinary month. */
const WORKER_CPU_MS_PER_REQUEST = 1;
/** A key's use, an operation, a session are looked up by their indices. */
const ROWS_READ_PER_REQUEST = 10;
/** begun, sending, ended, each with its index rows. */
const ROWS_WRITTEN_PER_WRITE = 10;
/** One line at the door and one in the container. */
const LOG_EVENTS_PER_REQUEST = 2;

export interface BillLine {
  readonly part: string;
  readonly unit: string;
  readonly used: number;
  readonly included: number;
  readonly usd: number;
}

export interface Bill {
  readonly lines: readonly BillLine[];
  readonly totalUsd: number;
}

/** What a month uses of everything that has a price, but egress. */
export type Used = Readonly<Record<keyof typeof PRICES, number>>;

/** A month's bill, the plan included. Amounts are not rounded. */
export const bill = (scenario: Scenario): Bill => billOf(usedIn(scenario), scenario);

export function usedIn(scenario: Scenario): Used {
  const { vcpu, memoryGib, diskGb } = INSTANCE_TYPES[scenario.instanceType];
  const { awakeSeconds, requests } = scenario;
  // The container answers the object's ping once a second over their WebSocket.
  const messages = scenario.clientMessages + awakeSeconds;
  return {
    memoryGibSeconds: memoryGib * awakeSeconds,
    cpuSeconds: vcpu * scenario.cpuBusy * awakeSeconds,
    diskGbSeconds: diskGb * awakeSeconds,
    workerRequests: requests,
    workerCpuMs: requests * WORKER_CPU_MS_PER_REQUEST,
    objectRequests: requests + messages / MESSAGES_PER_REQUEST,
    // The object that owns the container is in memory as long as it runs.
    objectGbSeconds: (awakeSeconds + scenario.hubSeconds) * OBJECT_GB,
    rowsRead: requests * ROWS_READ_PER_REQUEST,
    rowsWritten: scenario.writes * ROWS_WRITTEN_PER_WRITE,
    storedGb: scenario.storedGb,
    logEvents: requests * LOG_EVENTS_PER_REQUEST,
    r2StoredGb: scenario.r2StoredGb,
    r2Writes: scenario.r2Writes,
    r2Reads: scenario.r2Reads,
  };
}

export function billOf(used: Used, { egressRegion, egressGb }: Egress = NOTHING): Bill {
  const lines: BillLine[] = [{ part: 'Workers Paid plan', unit: 'month', used: 1, included: 0, usd: PLAN_USD }];
  for (const [name, amount] of Object.entries(used)) lines.push(priced(PRICES[name as keyof typeof PRICES], amount));
  lines.push(priced(EGRESS[egressRegion], egressGb));
  return { lines, totalUsd: lines.reduce((sum, { usd }) => sum + usd, 0) };
}

function priced(price: { part: string; unit: string; included: number; usd: number }, used: number): BillLine {
  const { part, unit, included } = price;
  return { part, unit, used, included, usd: Math.max(0, used - included) * price.usd };
}

/** `13.0958` → `"13.10"`. */
export const cents = (usd: number): string => (Math.round(usd * 100 + 1e-7) / 100).toFixed(2);
