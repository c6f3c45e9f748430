import { toHex } from '../../container/contract/hex.ts';

/** What the container may know of the Worker's variables and secrets; API keys are checked at the door and stay there. */
const PASSED_ON = [
  'BROKER',
  'MT5_SERVER',
  'MT5_LOGIN',
  'MT5_PASSWORD',
  'MT5_AGENT',
  'MT5_TLS',
  'MT5_PROXY',
  'POOL_MAX',
  'DEALER_CONNECTIONS',
  'UPSTREAM_PER_SECOND',
  'MARKET_ORDER_PRICE',
  'MT5_CUSTOM_COMMANDS',
  'CALENDAR_SYMBOLS',
  'MARGIN_WATCH',
  'LOG_LEVEL',
  'CACHE_SIZE',
  'MAX_CONNECTIONS',
  'ENABLE_PROFILING',
] as const;

/**
 * The container's environment at one start: what the Worker has of the names above, and the secret that the container
 * then wants to see on every request (`x-bridge-start-secret`). Empty values are left out: unset means default.
 */
export function containerEnv(env: Readonly<Record<string, unknown>>, startSecret: string): Record<string, string> {
  const passed: Record<string, string> = { BRIDGE_START_SECRET: startSecret };
  for (const name of PASSED_ON) {
    const value = env[name];
    if (typeof value === 'string' && value !== '') passed[name] = value;
  }
  return passed;
}

/** 256 bits, new at each start, so that nothing but this Durable Object can speak to the process. */
export const newStartSecret = (): string => toHex(crypto.getRandomValues(new Uint8Array(32)));
