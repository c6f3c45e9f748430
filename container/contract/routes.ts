import type { AnyRoute } from './route.ts';
import { getKeySelf } from './routes/server.ts';

/** Every typed route, in the order of the documents. */
export const ROUTES: readonly AnyRoute[] = [getKeySelf];
