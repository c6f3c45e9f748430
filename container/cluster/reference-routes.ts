import type { IncomingMessage } from 'node:http';
import { findCommand, PASSTHROUGH_PREFIX } from '../contract/commands.ts';
import type { CustomCommands } from '../contract/custom-commands.ts';
import { HEADER } from '../contract/headers.ts';
import { changedBy, REFERENCE_CLASSES, type ReferenceClass } from '../contract/reference-data.ts';
import { type AnyRoute, RouteTable } from '../contract/route.ts';
import { ROUTES } from '../contract/routes.ts';
import { headerOf, splitTarget } from '../http/read-request.ts';

const TABLE = new RouteTable(ROUTES);

export interface ReferenceRead {
  readonly route: AnyRoute;
  readonly of: ReferenceClass;
}

/** A read whose answer may be kept: as JSON, since lists may be told as lines or tables too. */
export function referenceRead(request: IncomingMessage): ReferenceRead | undefined {
  const { method = '', url = '', headers } = request;
  if ((method !== 'GET' && method !== 'HEAD') || headers['content-length'] !== undefined) return undefined;
  const header = headerOf(request);
  if (header(HEADER.idempotencyKey) !== undefined || /csv|ndjson/i.test(header('accept') ?? '')) return undefined;
  const route = routeOf(method, splitTarget(url)[0]);
  return route?.cacheable && { route, of: route.cacheable };
}

/** Reference data that a request may change. */
export function changesOf(method: string, path: string, custom: CustomCommands): readonly ReferenceClass[] {
  if (!path.startsWith(PASSTHROUGH_PREFIX)) return routeOf(method, path)?.changes ?? [];
  const command = orUndefined(() => findCommand(path, custom));
  if (!command?.mutation) return [];
  // What a plug-in's command does is not known.
  if (command.target !== undefined) return REFERENCE_CLASSES;
  const changed = changedBy(command.path);
  return REFERENCE_CLASSES.filter((one) => changed.includes(one));
}

const routeOf = (method: string, path: string): AnyRoute | undefined =>
  orUndefined(() => TABLE.match(method, path).route);

/** What matches nothing is the holder's to refuse. */
function orUndefined<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}
