/** Header names, lower case as both runtimes deliver them. */
export const HEADER = {
  /** Set by Cloudflare; nobody else can. */
  clientAddress: 'cf-connecting-ip',
  contentTypeOptions: 'x-content-type-options',
  strictTransportSecurity: 'strict-transport-security',
  requestId: 'x-request-id',
  traceparent: 'traceparent',
  bridgeVersion: 'x-bridge-version',
  sessionEpoch: 'x-session-epoch',
  serverTiming: 'server-timing',
  retryAfter: 'retry-after',
  idempotencyKey: 'idempotency-key',
  idempotencyReplayed: 'idempotency-replayed',
  prefer: 'prefer',
  preferenceApplied: 'preference-applied',
  rateLimit: 'ratelimit',
  rateLimitPolicy: 'ratelimit-policy',
  apiKey: 'x-api-key',
  authorization: 'authorization',

  /** Worker → container, or replica → holder; stripped from what callers send. */
  startSecret: 'x-bridge-start-secret',
  /** Replica → holder only: the token of the lease of the one that is asked. */
  holderToken: 'x-bridge-holder-token',
  /** Worker → program on a VPS only: proof that the Worker sent it (`door-signature.ts`). */
  signature: 'x-bridge-signature',
  /** Which origin of the Worker answered: `container`, `vps` or `fallback`. */
  origin: 'x-bridge-origin',
  /** Worker → container only: the authorised caller as JSON (see `Caller`). */
  caller: 'x-bridge-caller',
  /** Worker → container, or replica → holder: the network address that the caller came from. */
  callerAddress: 'x-bridge-caller-address',
  /** Worker → hub only: hash of the key or token that the caller presented, to look at it again. */
  proof: 'x-bridge-proof',
  /** Worker → container only: contract number of the Worker. */
  contractVersion: 'x-bridge-contract',
  /** Absolute deadline of the request, epoch ms. */
  deadline: 'x-bridge-deadline',
  /** Door → Durable Object only: `safe` = a read, may be sent to a second container if the first one dies under it. */
  replay: 'x-bridge-replay',
  /** Door ↔ Durable Object only: a read of reference data, as JSON (worker/reference-wire.ts). */
  reference: 'x-bridge-reference',
  /** Door → Durable Object only: classes of reference data that the write may change, joined by commas. */
  changes: 'x-bridge-changes',
} as const;

/** A list as lines of JSON. */
export const LINES_TYPE = 'application/x-ndjson';

/** A list as a table. */
export const CSV_TYPE = 'text/csv';
export const HTML_TYPE = 'text/html';
/** Of a table: what JSON tells in `nextCursor`. */
export const NEXT_CURSOR_HEADER = 'x-next-cursor';

/** What only the Worker may say to the container: the door removes these from every caller's request. */
export const INTERNAL_HEADERS: readonly string[] = [
  HEADER.startSecret,
  HEADER.holderToken,
  HEADER.signature,
  HEADER.caller,
  HEADER.callerAddress,
  HEADER.proof,
  HEADER.contractVersion,
  HEADER.deadline,
  HEADER.replay,
  HEADER.reference,
  HEADER.changes,
];

/** They belong to one connection (RFC 9110 §7.6.1): who sends a request on leaves them out. */
export const CONNECTION_HEADERS: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'expect',
  'host',
];

/** Before every path that no caller may use. */
export const INTERNAL_PREFIX = '/internal/';

/** Routes that only the Durable Object calls, with the per-start secret; or other replicas, with theirs. */
export const INTERNAL_PATH = {
  /** WebSocket: the control channel (`control.ts`). */
  control: '/internal/control',
  /** WebSocket: one upstream stream for the hub. */
  stream: '/internal/stream',
  /** Of the holder, for other replicas: who calls with these credentials, from this address. */
  caller: '/internal/caller',
  /** … which of these proofs of traders' sessions still hold. */
  sessions: '/internal/sessions',
} as const;
