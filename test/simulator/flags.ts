/** Flags of the program, or the same in upper case in the environment; the flag wins. */
import { parseArgs } from 'node:util';
import { CLIENTS, MOST_CLIENTS } from './broker/clients.ts';
import type { SimulatorOptions } from './server.ts';

interface NumberFlag {
  readonly default: number;
  readonly from: number;
  readonly to: number;
  readonly meaning: string;
}

export const NUMBERS = {
  port: { default: 8443, from: 0, to: 65_535, meaning: 'TLS port of the Web API; 0 = any free one' },
  'control-port': { default: 8444, from: 0, to: 65_535, meaning: 'plain HTTP port of the control paths' },
  'ticks-per-second': { default: 20, from: 0, to: 10_000, meaning: 'ticks of all symbols together' },
  clients: { default: CLIENTS, from: 1, to: MOST_CLIENTS, meaning: 'accounts, 1001 upwards' },
  seed: { default: 1, from: 0, to: 4_294_967_295, meaning: 'same seed, same books and same walk' },
  'latency-ms': { default: 0, from: 0, to: 600_000, meaning: 'delay of every answer' },
  'auth-latency-ms': { default: 0, from: 0, to: 600_000, meaning: 'delay of each step of the sign-in' },
} as const satisfies Record<string, NumberFlag>;
type NumberName = keyof typeof NUMBERS;

export const USAGE = [
  ...Object.entries(NUMBERS).map(([name, flag]) => [name, `${flag.meaning} (default ${flag.default})`]),
  ['host', 'address to listen at (default 127.0.0.1; variable SIMULATOR_HOST)'],
  ['trading-hours', 'always (default), or real: forex and metals close at the weekend'],
  ['verbose', 'print each request and its answer'],
]
  .map(([name = '', meaning]) => `  --${name.padEnd(17)} ${meaning}`)
  .join('\n');

export interface Flags extends SimulatorOptions {
  readonly verbose: boolean;
}

const variableOf = (name: string): string =>
  name === 'host' ? 'SIMULATOR_HOST' : name.toUpperCase().replaceAll('-', '_');

/** Throws one error that names every bad flag. */
export function readFlags(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Flags {
  const textual = [...Object.keys(NUMBERS), 'host', 'trading-hours'].map((name) => [name, { type: 'string' }] as const);
  const { values } = parseArgs({
    args: [...args],
    options: { ...Object.fromEntries(textual), verbose: { type: 'boolean' } },
  });
  const given: Readonly<Record<string, string | boolean | undefined>> = values;
  const bad: string[] = [];
  const text = (name: string): string | undefined => {
    const value = given[name] ?? env[variableOf(name)];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const number = (name: NumberName): number => {
    const { default: initial, from, to } = NUMBERS[name];
    const value = Number(text(name) ?? initial);
    if (!Number.isInteger(value) || value < from || value > to) {
      bad.push(`--${name} (${variableOf(name)}): expected an integer from ${from} to ${to}, got ${text(name)}`);
    }
    return value;
  };
  const hours = text('trading-hours') ?? 'always';
  if (hours !== 'always' && hours !== 'real') {
    bad.push(`--trading-hours (TRADING_HOURS): expected always or real, got ${hours}`);
  }
  const flags: Flags = {
    host: text('host') ?? '127.0.0.1',
    port: number('port'),
    controlPort: number('control-port'),
    ticksPerSecond: number('ticks-per-second'),
    clients: number('clients'),
    seed: number('seed'),
    latencyMs: number('latency-ms'),
    authLatencyMs: number('auth-latency-ms'),
    tradingHours: hours === 'real' ? 'real' : 'always',
    verbose: given['verbose'] === true,
  };
  if (bad.length > 0) throw new TypeError(bad.join('\n'));
  return flags;
}
