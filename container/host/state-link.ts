import { ConfigError, type Config } from './config.ts';
import type { Logger } from '../contract/logger.ts';
import { SqliteFile } from './sqlite-file.ts';
import { BridgeState, type BridgeStateOptions } from '../state/bridge-state.ts';
import type { Sql } from '../state/sql.ts';
import { patientState } from '../state/patient-state.ts';
import type { StateApi } from '../state/state-api.ts';
import { RemoteState } from '../state/remote-state.ts';

/** Where the durable state is: in this process over a file, or in the Durable Object over the control channel. */
export type StateLink =
  | (Link & {
      readonly where: 'here';
      readonly api: StateApi;
      readonly local: BridgeState;
      readonly sql: Sql;
      readonly durable: () => Promise<void>;
    })
  | (Link & { readonly where: 'durable_object'; readonly api: RemoteState });

interface Link {
  /** The state may be called; behind the Worker, from the first hand-over on. */
  readonly ready: Promise<void>;
  close(): void;
}

/** `fence`: what every write of the file goes through. @throws ConfigError where the file of `CHECKPOINT` cannot be opened */
export function linkState(
  config: Config,
  log: Logger,
  { fence = (sql) => sql, ...options }: BridgeStateOptions & { readonly fence?: ((sql: Sql) => Sql) | undefined },
): StateLink {
  if (config.behindDoor) {
    const api = new RemoteState();
    return { where: 'durable_object', api, ready: api.ready, close: () => api.detach() };
  }
  const warn = (reason: string): void => log.warn('checkpoint_warning', { reason });
  let distrust = options.distrust ?? null;
  const file = openFile(config.checkpoint, (message) => {
    warn(message);
    distrust = message;
  });
  const sql = fence(file);
  const local = new BridgeState(sql, { ...options, warn, distrust });
  local.keys.bootstrap(config.apiKeys ?? []);
  file.stopWaiting();
  const durable = (): Promise<void> => file.durable();
  return {
    where: 'here',
    api: patientState(local, durable),
    durable,
    local,
    sql,
    ready: Promise.resolve(),
    close: () => file.close(),
  };
}

function openFile(location: string, warn: (message: string) => void): SqliteFile {
  try {
    return SqliteFile.open(location, warn);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`CHECKPOINT: expected a file in a folder that can be written to; ${location}: ${reason}`]);
  }
}
