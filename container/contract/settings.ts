/** Every setting, as the documents show it; a test holds it to what the container and the Worker read. */
export interface Setting {
  readonly name: string;
  /** `null` = required; '' = none. */
  readonly default: string | null;
  /** Behind the Worker, what is read everywhere is a secret or variable of the Worker, which hands it on. */
  readonly where: 'everywhere' | 'vps' | 'worker';
  /** On a server it may also be given as a file: `<name>_FILE` holds its path. */
  readonly secret?: true;
  readonly meaning: string;
}

export const SETTINGS: readonly Setting[] = [
  {
    name: 'MT5_SERVER',
    default: null,
    where: 'everywhere',
    meaning: '`host:port` of the access server, several by comma: the last working one is tried first',
  },
  { name: 'MT5_LOGIN', default: null, where: 'everywhere', meaning: 'manager account' },
  {
    name: 'MT5_PASSWORD',
    default: null,
    where: 'everywhere',
    secret: true,
    meaning: 'its API password (not the main one)',
  },
  {
    name: 'BRIDGE_API_KEYS',
    default: null,
    where: 'everywhere',
    secret: true,
    meaning:
      'JSON list of `{"id","hash","scopes","logins"?,"brokers"?,"expiresAt"?,"ips"?,"limits"?}`, the keys to begin with (`/admin/keys` makes others). Scopes `read` ⊂ `trade`; `manage` (accounts, money) and `operate` (the bridge itself) include `read`; `admin` is all. `logins` like `"1001,1005-1010"`; `brokers` a list of ids; `ips` a list of networks; `limits`: `symbols`, `maxVolumeLots`, `ordersPerMinute`, `maxPositions`, `maxExposureLots`, `reduceOnly`, `maxAmount`, `maxAmountPerDay`',
  },
  {
    name: 'MT5_TLS',
    default: 'verify',
    where: 'everywhere',
    meaning: '`verify`, `pin:<sha256 of the DER certificate>`, or `insecure` (warns loudly)',
  },
  {
    name: 'MT5_PROXY',
    default: '',
    where: 'everywhere',
    secret: true,
    meaning: 'HTTP CONNECT proxy `http://user:pass@host:port`, for managers bound to a source address',
  },
  { name: 'MT5_AGENT', default: 'MT5EdgeBridge', where: 'everywhere', meaning: "name in the broker's journal" },
  {
    name: 'POOL_MAX',
    default: '4',
    where: 'everywhere',
    meaning: 'most sessions; starts with one, grows under queueing',
  },
  {
    name: 'MARKET_ORDER_PRICE',
    default: 'quote',
    where: 'everywhere',
    meaning:
      'what a market order names as `PriceOrder` beside “at the market”: the quote just read, or `none` where the server takes 0',
  },
  {
    name: 'DEALER_CONNECTIONS',
    default: '1',
    where: 'everywhere',
    meaning: 'sessions that deal side by side, at most `POOL_MAX`; an account’s trades stay on one of them',
  },
  {
    name: 'UPSTREAM_PER_SECOND',
    default: '0',
    where: 'everywhere',
    meaning: 'the most commands a second that the broker is asked, dealing first; 0 = what the sessions carry',
  },
  {
    name: 'MT5_CUSTOM_COMMANDS',
    default: '',
    where: 'everywhere',
    meaning:
      'commands of plug-ins that `/api/<NAME>` passes on: JSON list of `{"path":"NAME","scope":"read|trade|manage|operate","write":false,"logins"?}`; `logins` names the parameter that holds logins, without it keys with a login mask may not use the command',
  },
  { name: 'LOG_LEVEL', default: 'info', where: 'everywhere', meaning: '`debug` `info` `warn` `error`' },
  { name: 'CACHE_SIZE', default: '10000', where: 'everywhere', meaning: 'entries of the reference cache' },
  { name: 'MAX_CONNECTIONS', default: '1000', where: 'everywhere', meaning: 'most client streams' },
  { name: 'ENABLE_PROFILING', default: 'false', where: 'everywhere', meaning: 'admins may take a CPU profile' },
  { name: 'PORT', default: '8080', where: 'vps', meaning: 'where the container listens' },
  {
    name: 'HOST',
    default: '127.0.0.1',
    where: 'vps',
    meaning: 'address to listen on; the image listens on all (`0.0.0.0`)',
  },
  {
    name: 'TRUSTED_PROXIES',
    default: '',
    where: 'vps',
    meaning: 'networks whose `X-Forwarded-For` names the client, by comma: `10.0.0.0/8`',
  },
  { name: 'CHECKPOINT', default: 'file:mt5-edge-bridge.sqlite', where: 'vps', meaning: 'where the state is kept' },
  {
    name: 'AUDIT_DIR',
    default: '',
    where: 'vps',
    meaning:
      'folder of the audit, one file for each batch of events; none is kept without it. In the Worker: an R2 bucket bound as `AUDIT`',
  },
  {
    name: 'ARCHIVE_DIR',
    default: '',
    where: 'vps',
    meaning:
      'folder of the archive: deals and daily reports of closed days; none are kept without it. In the Worker: an R2 bucket bound as `ARCHIVE`',
  },
  {
    name: 'OUTBOX_FULL',
    default: 'refuse',
    where: 'everywhere',
    meaning:
      'while too many events wait for the audit’s store: `refuse` writes (503 `outbox_full`), or `drop` the oldest events',
  },
  {
    name: 'WEBHOOK_ALLOWED_ORIGINS',
    default: '',
    where: 'everywhere',
    meaning: 'origins of private receivers that webhooks may be sent to, by comma: `http://receiver.internal:8080`',
  },
  {
    name: 'MARGIN_WATCH',
    default: '',
    where: 'everywhere',
    meaning:
      'groups (masks by comma, `real\\*`) whose margin calls and stop-outs are told as events `margin.*` while the container is awake; their accounts are read about once a second',
  },
  {
    name: 'CLUSTER',
    default: '',
    where: 'vps',
    secret: true,
    meaning:
      '`redis://user:password@host:port`, or `rediss://`: this program is one of several replicas of a broker, which agree there on the one that holds the session; see *Deploying*, “Several replicas”',
  },
  {
    name: 'CLUSTER_ADVERTISE',
    default: '',
    where: 'vps',
    meaning:
      '`http://host:port` under which the other replicas reach this one; empty: `HOST` (where that is all addresses, the name of the machine) and `PORT`',
  },
  { name: 'SLEEP_AFTER', default: '10m', where: 'worker', meaning: 'idle time before the container may stop' },
  {
    name: 'SLEEP_POLICY',
    default: 'calendar',
    where: 'worker',
    meaning:
      'when it is awake without being asked: `calendar` in the broker’s trading hours, `learned` in the hours of the week in which requests usually come, `fixed` never; `GET /admin/policy` says why',
  },
  {
    name: 'CALENDAR_SYMBOLS',
    default: '',
    where: 'everywhere',
    meaning:
      'whose trading hours and holidays are the calendar, as a mask list; empty: the symbols that were traded, quoted or streamed in the last fortnight, `EURUSD*` until there are any',
  },
  {
    name: 'WARM_LEAD_SECONDS',
    default: '60',
    where: 'worker',
    meaning: 'how long before those hours it starts',
  },
  {
    name: 'INSTANCE_TYPE',
    default: 'basic',
    where: 'worker',
    meaning:
      'as `instance_type` in `wrangler.jsonc`, which the program cannot see: what `GET /admin/cost` reckons with',
  },
  {
    name: 'BUDGET_USD',
    default: '',
    where: 'worker',
    meaning:
      'US dollars a month, the plan included, for each broker by itself: when the month so far, or at this pace, costs more, the journal, the log and the status tell; nothing stops',
  },
  {
    name: 'REQUEST_DEADLINE_SECONDS',
    default: '30',
    where: 'worker',
    meaning: 'each request is answered within this time',
  },
  {
    name: 'RATE_LIMIT_PER_SECOND',
    default: '500',
    where: 'everywhere',
    meaning: 'requests per key, a batch counting its items; in the Worker per isolate',
  },
  { name: 'RATE_LIMIT_BURST', default: '2000', where: 'everywhere', meaning: 'bucket size' },
  { name: 'CORS_ORIGINS', default: '', where: 'worker', meaning: 'origins whose browsers may call, by comma' },
  {
    name: 'BROKER',
    default: 'main',
    where: 'everywhere',
    meaning:
      'id of the broker: `/brokers/{id}/…` are its paths beside the bare ones; in the Worker, with `INSTANCE_VERSION`, the name of its Durable Object, which also keeps the API keys of all `BROKERS`',
  },
  {
    name: 'BROKERS',
    default: '',
    where: 'worker',
    meaning:
      'several brokers: JSON list of `{"id","server","login","passwordSecret","region"?,"pool"?,"tls"?}` in place of `MT5_SERVER`, `MT5_LOGIN`, `MT5_PASSWORD`; `passwordSecret` names the secret that holds the API password; each has `/brokers/{id}/…`, the first the bare paths too',
  },
  {
    name: 'INSTANCE_VERSION',
    default: '1',
    where: 'worker',
    meaning: 'raise to begin with a new, empty memory, and trading halted until an administrator resumes it',
  },
  {
    name: 'ORIGIN',
    default: 'container',
    where: 'worker',
    meaning:
      'who holds the session: `container`, or `vps`: the same program at `VPS_ORIGIN`, and no container is started',
  },
  {
    name: 'VPS_ORIGIN',
    default: '',
    where: 'worker',
    meaning: 'of `ORIGIN=vps`: `https://vps.example`; nothing where a Workers VPC binding named `VPS` leads there',
  },
  { name: 'VPS_KEY', default: '', where: 'worker', meaning: 'secret of `ORIGIN=vps`: the `DOOR_KEY` of the VPS' },
  {
    name: 'FALLBACK_ORIGIN',
    default: '',
    where: 'worker',
    meaning:
      'who answers when the origin cannot be had: the same program on a VPS, `https://vps.example`; of `ORIGIN=vps` also `container`',
  },
  {
    name: 'FALLBACK_KEY',
    default: '',
    where: 'worker',
    meaning: 'secret of `FALLBACK_ORIGIN`: the `DOOR_KEY` of the VPS',
  },
  {
    name: 'FALLBACK_WRITES',
    default: 'off',
    where: 'worker',
    meaning: 'whether writes go to the fallback: `off` `on`',
  },
  {
    name: 'FALLBACK_AFTER_MS',
    default: '8000',
    where: 'worker',
    meaning: 'how long the origin may take to be ready before the fallback is asked',
  },
  {
    name: 'DOOR_KEY',
    default: '',
    where: 'vps',
    secret: true,
    meaning:
      'behind a Worker: its `VPS_KEY` or `FALLBACK_KEY`, 32 characters or more; then only requests that it signed are taken, and the memory is its Durable Object',
  },
  {
    name: 'BROKER_REGION',
    default: '',
    where: 'worker',
    meaning:
      'where the Durable Objects are made: `wnam` `enam` `sam` `weur` `eeur` `apac` `oc` `afr` `me`; counts at their creation only; `constraints` in `wrangler.jsonc` place the container',
  },
];
