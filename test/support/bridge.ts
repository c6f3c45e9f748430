import { startContainer, type ContainerOptions, type RunningContainer } from '../../container/compose.ts';
import { loadConfig } from '../../container/host/config.ts';
import { API_KEY_PREFIX, hashKey, type Scope } from '../../container/contract/keys.ts';
import { type SimulatorAddress, simulatorVariables } from './simulator-variables.ts';

export interface BridgeUnderTest {
  readonly url: string;
  readonly port: number;
  readonly adminKey: string;
  readonly tradeKey: string;
  readonly readKey: string;
  readonly container: RunningContainer;
  /** Every line of the log so far. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** With the admin key unless the headers say otherwise. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export interface BridgeTestOptions extends Omit<ContainerOptions, 'host' | 'writeLog'> {
  readonly simulator: SimulatorAddress;
  /** Over the defaults: manager 1000 of the simulator, its certificate pinned, state in memory. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const key = (scope: Scope): string => `${API_KEY_PREFIX}${scope}-for-tests-only`;

/** A record of `BRIDGE_API_KEYS` for a key in clear. */
export const keyRecord = async (id: string, secret: string, scopes: readonly Scope[], logins?: string) => ({
  id,
  hash: await hashKey(secret),
  scopes,
  ...(logins === undefined ? {} : { logins }),
});

/** The container program in this process, as on a VPS: keys checked by itself, state in memory, port of its own. */
export async function startBridge({ simulator, env, ...options }: BridgeTestOptions): Promise<BridgeUnderTest> {
  const keys = await Promise.all(
    (['admin', 'trade', 'read'] as const).map((scope) => keyRecord(scope, key(scope), [scope])),
  );
  const config = loadConfig({
    ...simulatorVariables(simulator),
    BRIDGE_API_KEYS: JSON.stringify(keys),
    CHECKPOINT: 'memory:',
    PORT: '0',
    ...env,
  });
  const log: Readonly<Record<string, unknown>>[] = [];
  const container = await startContainer(config, {
    ...options,
    host: '127.0.0.1',
    writeLog: (line) => void log.push(JSON.parse(line) as Record<string, unknown>),
  });
  const url = `http://127.0.0.1:${container.port}`;
  return {
    url,
    port: container.port,
    adminKey: key('admin'),
    tradeKey: key('trade'),
    readKey: key('read'),
    container,
    log,
    fetch: (path, init = {}) => {
      const headers = new Headers(init.headers);
      if (!headers.has('authorization') && !headers.has('x-api-key'))
        headers.set('authorization', `Bearer ${key('admin')}`);
      return fetch(url + path, { ...init, headers });
    },
    close: () => container.close(),
  };
}
