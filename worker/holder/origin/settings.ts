import type { OriginName } from '../../../container/contract/schemas/status.ts';
import type { Broker } from '../../config.ts';

/** A program on a VPS. */
export interface VpsSettings {
  /** Of `VPS_ORIGIN` or `FALLBACK_ORIGIN`; '' = over the Workers VPC binding `VPS`. */
  readonly origin: string;
  readonly key: string;
}

export interface OriginSettings {
  readonly primary: 'container' | VpsSettings;
  /** Absent: what the primary cannot answer is not answered. */
  readonly fallback: 'container' | VpsSettings | undefined;
  /** The primary has so long to be ready. */
  readonly afterMs: number;
  /** Whether writes go to the fallback as well. */
  readonly writes: boolean;
}

/** Of the Worker's variables, which the door has checked; what is not valid is as if it were not there. */
export function originSettings(env: Readonly<Record<string, unknown>>): OriginSettings {
  const text = (name: string): string => {
    const value = env[name];
    return typeof value === 'string' ? value : '';
  };
  const afterMs = Number(text('FALLBACK_AFTER_MS'));
  return {
    primary: text('ORIGIN') === 'vps' ? { origin: text('VPS_ORIGIN'), key: text('VPS_KEY') } : 'container',
    fallback: fallbackOf(text('FALLBACK_ORIGIN'), text('FALLBACK_KEY')),
    afterMs: afterMs > 0 ? afterMs : 8_000,
    writes: text('FALLBACK_WRITES') === 'on',
  };
}

const fallbackOf = (origin: string, key: string): OriginSettings['fallback'] =>
  origin === '' ? undefined : origin === 'container' ? origin : { origin, key };

export const primaryName = ({ primary }: OriginSettings): OriginName => (primary === 'container' ? 'container' : 'vps');

/** Where a broker's program is found: of several behind one proxy, by the path of the broker. */
export const vpsUrl = ({ origin }: VpsSettings, broker: Broker, isOneOfSeveral: boolean, target: string): string =>
  `${origin === '' ? VPC_ORIGIN : origin}${isOneOfSeveral ? `/brokers/${broker.id}` : ''}${target}`;

/** What is asked over the Workers VPC binding; the binding knows the address. */
export const VPC_ORIGIN = 'http://vps';
