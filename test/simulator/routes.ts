/** Paths to commands: `/api/user/get`, and the outdated `/user_get` of old clients (mt5-webapi.md §1.8). */
import type { Command } from './command.ts';
import { commands } from './commands/index.ts';

export interface Route {
  /** `user/get`: as in `byCommand` and in faults. */
  readonly name: string;
  /** Undefined for auth/start, auth/answer and quit, which the session answers itself. */
  readonly command: Command | undefined;
}

/** Names that the old flavour and the raw one spell in another way. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  user_pass_check: 'user/check_password',
  user_pass_change: 'user/change_password',
  user_deposit_change: 'trade/balance',
  dealer_send: 'dealer/send_request',
  dealer_updates: 'dealer/get_request_result',
  notifications_send: 'notification/send',
};

const routes = new Map<string, Route>();
for (const [name, command] of [
  ...['auth/start', 'auth/answer', 'quit'].map((name): [string, undefined] => [name, undefined]),
  ...commands,
]) {
  routes.set(`/api/${name}`, { name, command });
  routes.set(`/${name.replaceAll('/', '_')}`, { name, command });
}
for (const [old, name] of Object.entries(OLD_NAMES)) {
  const route = routes.get(`/api/${name}`);
  if (route !== undefined) routes.set(`/${old}`, route);
}

/** The name of a command has no case (clients write `/api/User/get`, plug-ins' commands are in capitals); `/api/` has. */
export const findRoute = (path: string): Route | undefined =>
  routes.get(path) ?? (/^\/api\/|^\/[^/]*$/.test(path) ? routes.get(path.toLowerCase()) : undefined);
