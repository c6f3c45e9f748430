import type { CustomCommands } from '../container/contract/custom-commands.ts';
import { BridgeError } from '../container/contract/errors.ts';
import { faultsOf, type REGIONS, variables } from './variables.ts';

/** What the door needs of the Worker's variables and secrets, checked. */
export interface DoorConfig {
  readonly requestDeadlineMs: number;
  readonly rate: { readonly perSecond: number; readonly burst: number };
  /** Exact origins whose browsers may read answers; empty = none. */
  readonly corsOrigins: readonly string[];
  /** Name of the broker in the Durable Object's name, and the version that rotates it. */
  readonly broker: string;
  readonly customCommands: CustomCommands;
  readonly instanceVersion: number;
  /** Where the Durable Objects are made; undefined = where the first request came from. */
  readonly region: (typeof REGIONS)[number] | undefined;
}

/** Variables do not change in the life of an isolate. */
const checked = new WeakMap<object, DoorConfig | BridgeError>();

/** @throws BridgeError `misconfigured` naming every variable at fault: without a valid configuration nobody is let in */
export function doorConfig(env: Env): DoorConfig {
  let config = checked.get(env);
  if (config === undefined) checked.set(env, (config = readConfig(env)));
  if (config instanceof BridgeError) throw config;
  return config;
}

function readConfig(env: object): DoorConfig | BridgeError {
  const result = variables.safeParse(env);
  if (!result.success) {
    const faults = faultsOf(result.error);
    return new BridgeError('misconfigured', `Variables or secrets of the Worker are not valid. ${faults.join('; ')}.`);
  }
  const { data } = result;
  return {
    requestDeadlineMs: data.REQUEST_DEADLINE_SECONDS * 1000,
    rate: { perSecond: data.RATE_LIMIT_PER_SECOND, burst: data.RATE_LIMIT_BURST },
    corsOrigins: data.CORS_ORIGINS.split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
    broker: data.BROKER,
    customCommands: data.MT5_CUSTOM_COMMANDS,
    instanceVersion: data.INSTANCE_VERSION,
    region: data.BROKER_REGION === '' ? undefined : data.BROKER_REGION,
  };
}
