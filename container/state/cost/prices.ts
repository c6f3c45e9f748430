/**
 * Cloudflare's public prices on the Workers Paid plan, US dollars, as read on the date below from:
 * developers.cloudflare.com/containers/pricing, /workers/platform/pricing, /durable-objects/platform/pricing,
 * /r2/pricing, /workers/observability/logs/workers-logs#pricing. Whoever changes a number changes the date.
 */
export const PRICES_READ = '2026-11-27';

/** The plan itself, a month. */
export const PLAN_USD = 5;

interface Price {
  readonly part: string;
  readonly unit: string;
  /** Of every month, within the plan. */
  readonly included: number;
  /** Of one unit beyond. */
  readonly usd: number;
}

const MILLION = 1_000_000;
const HOUR = 3600;

export const PRICES = {
  memoryGibSeconds: { part: 'container memory', unit: 'GiB-s', included: 25 * HOUR, usd: 0.0000025 },
  cpuSeconds: { part: 'container CPU, active', unit: 'vCPU-s', included: 375 * 60, usd: 0.00002 },
  diskGbSeconds: { part: 'container disk', unit: 'GB-s', included: 200 * HOUR, usd: 0.00000007 },
  workerRequests: { part: 'Worker requests', unit: 'requests', included: 10 * MILLION, usd: 0.3 / MILLION },
  workerCpuMs: { part: 'Worker CPU', unit: 'ms', included: 30 * MILLION, usd: 0.02 / MILLION },
  // HTTP requests, RPC calls, alarms, and every twentieth WebSocket message that comes in.
  objectRequests: { part: 'Durable Object requests', unit: 'requests', included: MILLION, usd: 0.15 / MILLION },
  objectGbSeconds: { part: 'Durable Object duration', unit: 'GB-s', included: 400_000, usd: 12.5 / MILLION },
  rowsRead: { part: 'SQLite rows read', unit: 'rows', included: 25_000 * MILLION, usd: 0.001 / MILLION },
  rowsWritten: { part: 'SQLite rows written', unit: 'rows', included: 50 * MILLION, usd: 1 / MILLION },
  storedGb: { part: 'SQLite storage', unit: 'GB-month', included: 5, usd: 0.2 },
  logEvents: { part: 'log events', unit: 'events', included: 20 * MILLION, usd: 0.6 / MILLION },
  r2StoredGb: { part: 'R2 storage', unit: 'GB-month', included: 10, usd: 0.015 },
  r2Writes: { part: 'R2 class A operations', unit: 'operations', included: MILLION, usd: 4.5 / MILLION },
  r2Reads: { part: 'R2 class B operations', unit: 'operations', included: 10 * MILLION, usd: 0.36 / MILLION },
} as const satisfies Readonly<Record<string, Price>>;

/** What leaves the container, by where it is. */
export const EGRESS = {
  'na-eu': { part: 'container egress, North America and Europe', unit: 'GB', included: 1000, usd: 0.025 },
  'oc-kr-tw': { part: 'container egress, Oceania, Korea, Taiwan', unit: 'GB', included: 500, usd: 0.05 },
  elsewhere: { part: 'container egress, elsewhere', unit: 'GB', included: 500, usd: 0.04 },
} as const satisfies Readonly<Record<string, Price>>;
export type EgressRegion = keyof typeof EGRESS;

/** developers.cloudflare.com/containers/platform-details/limits: memory and disk are billed as provisioned. */
export const INSTANCE_TYPES = {
  lite: { vcpu: 1 / 16, memoryGib: 0.25, diskGb: 2 },
  basic: { vcpu: 1 / 4, memoryGib: 1, diskGb: 4 },
  'standard-1': { vcpu: 1 / 2, memoryGib: 4, diskGb: 8 },
  'standard-2': { vcpu: 1, memoryGib: 6, diskGb: 12 },
  'standard-3': { vcpu: 2, memoryGib: 8, diskGb: 16 },
  'standard-4': { vcpu: 4, memoryGib: 12, diskGb: 20 },
} as const;
export type InstanceType = keyof typeof INSTANCE_TYPES;

/** A Durable Object is billed for 128 MB whatever it uses; 1 GB = 1,000 MB in Cloudflare's own examples. */
export const OBJECT_GB = 0.128;
/** WebSocket messages that come in, for one request. */
export const MESSAGES_PER_REQUEST = 20;
