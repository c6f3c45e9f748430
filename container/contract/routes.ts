import type { AnyRoute } from './route.ts';
import { moneyRoutes } from './routes/money.ts';
import { operationRoutes } from './routes/operations.ts';
import { getKeySelf } from './routes/server.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { tradingRoutes } from './routes/trading.ts';

/** Every typed route, in the order of the documents. */
export const ROUTES: readonly AnyRoute[] = [
  ...tradingRoutes,
  ...operationRoutes,
  ...moneyRoutes,
  ...sessionRoutes,
  getKeySelf,
];
