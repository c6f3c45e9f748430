import { accountRoutes } from './routes/accounts.ts';
import { bulkRoutes } from './routes/bulk.ts';
import { archiveRoutes } from './routes/archive.ts';
import { auditRoutes } from './routes/audit.ts';
import { postBatch } from './routes/batch.ts';
import { adminRoutes } from './routes/admin.ts';
import { getExposure } from './routes/exposure.ts';
import { haltRoutes } from './routes/halts.ts';
import { keyRoutes } from './routes/keys.ts';
import { marketRoutes } from './routes/market.ts';
import { moneyRoutes } from './routes/money.ts';
import { monitoringRoutes } from './routes/monitoring.ts';
import { operationRoutes } from './routes/operations.ts';
import { serverRoutes } from './routes/server.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { tradeDataRoutes } from './routes/trade-data.ts';
import { tradingRoutes } from './routes/trading.ts';

/** Every typed route, in the order of the documents. */
export const ROUTES = [
  ...tradingRoutes,
  ...bulkRoutes,
  ...haltRoutes,
  ...operationRoutes,
  ...moneyRoutes,
  ...sessionRoutes,
  ...serverRoutes,
  ...accountRoutes,
  ...tradeDataRoutes,
  getExposure,
  ...marketRoutes,
  postBatch,
  ...monitoringRoutes,
  ...adminRoutes,
  ...keyRoutes,
  ...auditRoutes,
  ...archiveRoutes,
  ...webhookRoutes,
] as const;

export type Route = (typeof ROUTES)[number];
