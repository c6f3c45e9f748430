import type { CustomCommands } from '../container/contract/custom-commands.ts';
import { BridgeError } from '../container/contract/errors.ts';
import type { LogLevel } from '../container/contract/logger.ts';
import { type BrokerEntry, brokerVariables, type Region } from './brokers.ts';
import { faultsOf, parseVariables } from './variables.ts';

/** One broker, and where its Durable Objects are made; undefined = where the first request came from. */
export interface Broker {
  readonly id: string;
  readonly region: Region | undefined;
}

/** What the door needs of the Worker's variables and secrets, checked. */
export interface DoorConfig {
  readonly requestDeadlineMs: number;
  readonly rate: { readonly perSecond: number; readonly burst: number };
  /** Exact origins whose browsers may read answers; empty = none. */
  readonly corsOrigins: readonly string[];
  /** The first is that of bare paths. */
  readonly brokers: readonly [Broker, ...Broker[]];
  /** Whose Durable Object keeps the API keys of all. */
  readonly keeper: Broker;
  readonly customCommands: CustomCommands;
  readonly logLevel: LogLevel;
  /** In the names of the Durable Objects. */
  readonly instanceVersion: number;
  /** What the container of a broker has of variables and secrets. @throws BridgeError `misconfigured` */
  readonly variablesOf: (broker: Broker) => Readonly<Record<string, unknown>>;
}

interface Buckets {
  readonly AUDIT?: R2Bucket;
  readonly ARCHIVE?: R2Bucket;
}

/** The buckets are optional: a deployment without one does not name it in `wrangler.jsonc`. */
export const auditBucketOf = (env: Env): R2Bucket | undefined => (env as Env & Buckets).AUDIT;
export const archiveBucketOf = (env: Env): R2Bucket | undefined => (env as Env & Buckets).ARCHIVE;

/** Variables do not change in the life of an isolate. */
const checked = new WeakMap<object, DoorConfig | BridgeError>();

/** @throws BridgeError `misconfigured` naming every variable at fault: without a valid configuration nobody is let in */
export function doorConfig(env: Env): DoorConfig {
  let config = checked.get(env);
  if (config === undefined) checked.set(env, (config = readConfig({ ...env })));
  if (config instanceof BridgeError) throw config;
  return config;
}

function readConfig(env: Readonly<Record<string, unknown>>): DoorConfig | BridgeError {
  const result = parseVariables(env);
  if (!result.success) {
    const faults = faultsOf(result.error);
    return new BridgeError('misconfigured', `Variables or secrets of the Worker are not valid. ${faults.join('; ')}.`);
  }
  const { data } = result;
  const region = data.BROKER_REGION === '' ? undefined : data.BROKER_REGION;
  const lacking = data.BROKERS.filter(({ passwordSecret }) => !env[passwordSecret]);
  if (lacking.length > 0) {
    const faults = lacking.map(({ id, passwordSecret }) => `${passwordSecret}: is missing (the password of ${id})`);
    return new BridgeError('misconfigured', `Secrets of the Worker are missing. ${faults.join('; ')}.`);
  }
  const named = data.BROKERS.map((entry): Broker => ({ id: entry.id, region: entry.region ?? region }));
  const [first = { id: data.BROKER, region }, ...others] = named;
  return {
    requestDeadlineMs: data.REQUEST_DEADLINE_SECONDS * 1000,
    rate: { perSecond: data.RATE_LIMIT_PER_SECOND, burst: data.RATE_LIMIT_BURST },
    corsOrigins: data.CORS_ORIGINS.split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
    brokers: [first, ...others],
    keeper: named.find(({ id }) => id === data.BROKER) ?? { id: data.BROKER, region },
    variablesOf: ({ id }) => variablesOf(id, data.BROKERS, env),
    customCommands: data.MT5_CUSTOM_COMMANDS,
    logLevel: data.LOG_LEVEL,
    instanceVersion: data.INSTANCE_VERSION,
  };
}

function variablesOf(
  id: string,
  entries: readonly BrokerEntry[],
  env: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (entries.length === 0) return { ...env, BROKER: id };
  const entry = entries.find((one) => one.id === id);
  if (!entry) throw new BridgeError('misconfigured', `BROKERS: has no broker ${id}.`);
  return { ...env, ...brokerVariables(entry, env), BROKER: id };
}
