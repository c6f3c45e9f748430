import { z } from 'zod';
import { isNetwork } from '../contract/address.ts';
import { brokerIdSchema } from '../contract/brokers.ts';
import { customCommandsSchema, type CustomCommands } from '../contract/custom-commands.ts';
import { allowedOriginsSchema, marginWatchSchema, type OutboxFull, outboxFullSchema } from '../contract/events.ts';
import { apiKeysSchema, type KeyRecord } from '../contract/key-records.ts';
import { LOG_LEVELS, type LogLevel } from '../contract/logger.ts';
import { withSecretFiles } from './secret-files.ts';

/** What the environment says, checked and complete. Secrets are not enumerable: no log or dump shows them by accident. */
export interface Config {
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  readonly login: string;
  /** Its id in `/brokers/{id}/…`. */
  readonly broker: string;
  /** The API password. */
  readonly password: string;
  readonly agent: string;
  readonly tls: { readonly mode: 'verify' | 'insecure' } | { readonly mode: 'pin'; readonly sha256: string };
  readonly proxy:
    | { readonly host: string; readonly port: number; readonly username?: string; readonly password?: string }
    | undefined;
  readonly port: number;
  /** Address to listen on. */
  readonly host: string;
  /** Networks whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly poolMax: number;
  /** Sessions that deal, of the pool's. */
  readonly dealerConnections: number;
  /** The most that the broker is asked, sign-ins and heartbeats aside; `undefined` = what the sessions carry. */
  readonly upstreamPerSecond: number | undefined;
  /** Requests per key, where no door counts them. */
  readonly rate: { readonly perSecond: number; readonly burst: number };
  /** What a market order names as `PriceOrder`. */
  readonly marketOrderPrice: 'quote' | 'none';
  readonly customCommands: CustomCommands;
  /** Mask list of the symbols whose trading hours the sleep policy follows; '' = those in use. */
  readonly calendarSymbols: string;
  /** Alone on a VPS the container checks keys itself. */
  readonly apiKeys: readonly KeyRecord[] | undefined;
  /** Behind the Worker only requests with this secret are accepted. */
  readonly startSecret: string | undefined;
  /** On a VPS behind a Worker only requests that are signed with this key are accepted. */
  readonly doorKey: string | undefined;
  /** A Worker is in front: it checks keys, and its Durable Object is the memory. */
  readonly behindDoor: boolean;
  readonly logLevel: LogLevel;
  readonly cacheSize: number;
  readonly maxConnections: number;
  readonly profiling: boolean;
  /** `file:<path>` or `memory:`. */
  readonly checkpoint: string;
  /** Folder of the audit; undefined = none is kept. */
  readonly auditDir: string | undefined;
  /** Masks of groups whose margin calls and stop-outs are told, by comma; '' = of none. */
  readonly marginWatch: string;
  /** Folder of closed days; none are kept without it. */
  readonly archiveDir: string | undefined;
  /** What becomes of writes while too much waits to be kept by the audit. */
  readonly outboxFull: OutboxFull;
  /** Receivers of webhooks that may be private. */
  readonly webhookAllowedOrigins: readonly string[];
  /** This program is one of several replicas. */
  readonly cluster: ClusterConfig | undefined;
}

export interface ClusterConfig {
  /** Where the replicas agree on who holds the session: `redis://` or `rediss://`, with credentials perhaps. */
  readonly redisUrl: string;
  /** Where the others reach this one; undefined = from `HOST` and the port. */
  readonly advertise: string | undefined;
}

export class ConfigError extends Error {
  /** One line for each fault, beginning with the variable's name. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The configuration is not valid:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

const MISSING = 'is missing';
const required = z.string({ error: MISSING }).trim().min(1, MISSING);

/** Values of examples and templates: a bridge that starts with one of them only seems configured. */
const notPlaceholder = (text: string): boolean =>
  !/^(change-?me|placeholder|example|secret|password|xxx+|todo|your[-_ ].*|<.*>)$/i.test(text);
const PLACEHOLDER = 'is a placeholder, not a real value';

const whole = (min: number, max: number, fallback: number): z.ZodType<number> =>
  z
    .string()
    .default(String(fallback))
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `expected a whole number from ${min} to ${max}`,
    })
    .transform(Number);

/** `host:port`, `[::1]:443`. */
function parseAddress(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+)):(\d{1,5})$/i.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host !== undefined && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

const servers = required.transform((text, context) => {
  const parsed = text.split(',').map(parseAddress);
  if (parsed.every((address) => address !== undefined)) return parsed;
  context.addIssue({
    code: 'custom',
    message: 'expected host:port like mt5.example.com:443, several joined by commas',
  });
  return z.NEVER;
});

const tls = z
  .string()
  .default('verify')
  .transform((text, context): Config['tls'] => {
    if (text === 'verify' || text === 'insecure') return { mode: text };
    const sha256 = /^pin:([0-9a-f]{64})$/i.exec(text.replaceAll(/(?<=[0-9a-f]{2}):(?=[0-9a-f]{2})/gi, ''))?.[1];
    if (sha256 !== undefined) return { mode: 'pin', sha256: sha256.toLowerCase() };
    context.addIssue({
      code: 'custom',
      message: 'expected verify, insecure, or pin:<SHA-256 of the DER certificate as 64 hex digits>',
    });
    return z.NEVER;
  });

const proxy = z
  .string()
  .optional()
  .transform((text, context): Config['proxy'] => {
    if (text === undefined) return undefined;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol !== 'http:' || url.hostname === '' || !['', '/'].includes(url.pathname)) {
      // The value holds credentials: it is not repeated.
      context.addIssue({ code: 'custom', message: 'expected http://user:password@host:port' });
      return z.NEVER;
    }
    const address = { host: url.hostname.replaceAll(/^\[|\]$/g, ''), port: Number(url.port || 80) };
    if (url.username === '') return address;
    const credentials = { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
    return hide({ ...address, ...credentials }, ['username', 'password']);
  });

const redisUrl = z
  .string()
  .optional()
  .transform((text, context): string | undefined => {
    if (text === undefined) return undefined;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const isWhole = url && /^rediss?:$/.test(url.protocol) && url.hostname !== '' && /^\/?\d{0,4}$/.test(url.pathname);
    if (isWhole && !/%(?![0-9a-f]{2})/i.test(text)) return text;
    // The value may hold credentials: it is not repeated.
    context.addIssue({ code: 'custom', message: 'expected redis://user:password@host:port, or rediss:// for TLS' });
    return z.NEVER;
  });

const origin = z
  .string()
  .optional()
  .transform((text, context): string | undefined => {
    if (text === undefined) return undefined;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol === 'http:' && url.href === `${url.origin}/`) return url.origin;
    context.addIssue({ code: 'custom', message: 'expected http://host:port' });
    return z.NEVER;
  });

const environment = z
  .object({
    MT5_SERVER: servers,
    BROKER: brokerIdSchema.default('main'),
    MT5_LOGIN: required.regex(/^[1-9]\d{0,15}$/, 'expected the number of a manager account'),
    MT5_PASSWORD: z
      .string({ error: MISSING })
      .min(1, `${MISSING} (the API password of the manager account)`)
      .refine(notPlaceholder, PLACEHOLDER),
    MT5_AGENT: z
      .string()
      .default('MT5EdgeBridge')
      .refine((text) => /^[\x21-\x7e]{1,64}$/.test(text), 'expected 1–64 characters without blanks'),
    MT5_TLS: tls,
    MT5_PROXY: proxy,
    PORT: whole(0, 65_535, 8080),
    HOST: z
      .string()
      .default('127.0.0.1')
      .refine((text) => /^[\w.:-]{1,255}$/.test(text), 'expected an address like 127.0.0.1 or 0.0.0.0'),
    TRUSTED_PROXIES: z
      .string()
      .default('')
      .transform((text) =>
        text
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== ''),
      )
      .refine((networks) => networks.every(isNetwork), 'expected addresses or networks like 10.0.0.0/8, by comma'),
    POOL_MAX: whole(1, 64, 4),
    DEALER_CONNECTIONS: whole(1, 64, 1),
    UPSTREAM_PER_SECOND: whole(0, 100_000, 0),
    RATE_LIMIT_PER_SECOND: whole(1, 1_000_000, 500),
    RATE_LIMIT_BURST: whole(1, 1_000_000, 2000),
    MARKET_ORDER_PRICE: z.enum(['quote', 'none'], { error: 'expected quote or none' }).default('quote'),
    MT5_CUSTOM_COMMANDS: customCommandsSchema,
    CALENDAR_SYMBOLS: z
      .string()
      .default('')
      .refine((text) => /^[^\p{Cc}]{0,1000}$/u.test(text), 'expected symbols or masks, by comma, or nothing'),
    MARGIN_WATCH: marginWatchSchema,
    BRIDGE_API_KEYS: apiKeysSchema.optional(),
    BRIDGE_START_SECRET: z.string().min(32, 'expected at least 32 characters').optional(),
    AUDIT_DIR: z.string().default(''),
    ARCHIVE_DIR: z.string().default(''),
    OUTBOX_FULL: outboxFullSchema,
    WEBHOOK_ALLOWED_ORIGINS: allowedOriginsSchema,
    DOOR_KEY: z.string().min(32, 'expected at least 32 characters').refine(notPlaceholder, PLACEHOLDER).optional(),
    LOG_LEVEL: z.enum(LOG_LEVELS, { error: `expected ${LOG_LEVELS.join(', ')}` }).default('info'),
    CACHE_SIZE: whole(0, 10_000_000, 10_000),
    MAX_CONNECTIONS: whole(1, 1_000_000, 1_000),
    ENABLE_PROFILING: z
      .enum(['true', 'false', '1', '0'], { error: 'expected true or false' })
      .default('false')
      .transform((text) => text === 'true' || text === '1'),
    CHECKPOINT: z
      .string()
      .default('file:mt5-edge-bridge.sqlite')
      .refine((text) => /^(file:.+|memory:)$/.test(text), 'expected file:<path> or memory:'),
    CLUSTER: redisUrl,
    CLUSTER_ADVERTISE: origin,
  })
  .refine((env) => env.CLUSTER === undefined || env.BRIDGE_START_SECRET === undefined, {
    path: ['CLUSTER'],
    error: 'expected nothing behind the Worker, whose Durable Object is what replicas are on a VPS',
  })
  .refine((env) => env.CLUSTER === undefined || env.DOOR_KEY === undefined, {
    path: ['CLUSTER'],
    error: 'expected nothing beside DOOR_KEY: the memory is then the Worker’s, and one program holds the session',
  })
  .refine((env) => (env.BRIDGE_API_KEYS ?? env.BRIDGE_START_SECRET ?? env.DOOR_KEY) !== undefined, {
    path: ['BRIDGE_API_KEYS'],
    error:
      'is missing: a JSON list of {"id","hash","scopes","logins"?} (npm run key makes one), or DOOR_KEY behind a Worker',
    // Said together with every other fault, not after them.
    when: () => true,
  })
  .refine((env) => env.DEALER_CONNECTIONS <= env.POOL_MAX, {
    path: ['DEALER_CONNECTIONS'],
    error: 'expected at most POOL_MAX',
  });

/** @throws ConfigError naming every fault at once, and no secret */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const files = withSecretFiles(env);
  // An empty variable is one that is not set: compose files and dashboards leave them so.
  const given = Object.entries(files.env).filter(([, value]) => value !== undefined && value !== '');
  const parsed = environment.safeParse(Object.fromEntries(given));
  const issues = (parsed.error?.issues ?? []).flatMap((issue) => {
    const [name = '', ...rest] = issue.path.map(String);
    // What is wrong with the file of a secret is said of the file.
    if (files.faults.some((fault) => fault.startsWith(`${name}_FILE: `))) return [];
    return [`${name}${rest.length > 0 ? `[${rest.join('.')}]` : ''}: ${issue.message}`];
  });
  if (!parsed.success || files.faults.length > 0) throw new ConfigError([...new Set([...files.faults, ...issues])]);
  const v = parsed.data;
  return hide(
    {
      servers: v.MT5_SERVER,
      login: v.MT5_LOGIN,
      broker: v.BROKER,
      password: v.MT5_PASSWORD,
      agent: v.MT5_AGENT,
      tls: v.MT5_TLS,
      proxy: v.MT5_PROXY,
      port: v.PORT,
      host: v.HOST,
      trustedProxies: v.TRUSTED_PROXIES,
      poolMax: v.POOL_MAX,
      dealerConnections: v.DEALER_CONNECTIONS,
      upstreamPerSecond: v.UPSTREAM_PER_SECOND === 0 ? undefined : v.UPSTREAM_PER_SECOND,
      rate: { perSecond: v.RATE_LIMIT_PER_SECOND, burst: v.RATE_LIMIT_BURST },
      marketOrderPrice: v.MARKET_ORDER_PRICE,
      customCommands: v.MT5_CUSTOM_COMMANDS,
      calendarSymbols: v.CALENDAR_SYMBOLS,
      marginWatch: v.MARGIN_WATCH,
      apiKeys: v.BRIDGE_API_KEYS,
      startSecret: v.BRIDGE_START_SECRET,
      doorKey: v.DOOR_KEY,
      behindDoor: (v.BRIDGE_START_SECRET ?? v.DOOR_KEY) !== undefined,
      logLevel: v.LOG_LEVEL,
      cacheSize: v.CACHE_SIZE,
      maxConnections: v.MAX_CONNECTIONS,
      profiling: v.ENABLE_PROFILING,
      checkpoint: v.CHECKPOINT,
      auditDir: v.AUDIT_DIR === '' ? undefined : v.AUDIT_DIR,
      archiveDir: v.ARCHIVE_DIR === '' ? undefined : v.ARCHIVE_DIR,
      outboxFull: v.OUTBOX_FULL,
      webhookAllowedOrigins: v.WEBHOOK_ALLOWED_ORIGINS,
      cluster:
        v.CLUSTER === undefined
          ? undefined
          : hide({ redisUrl: v.CLUSTER, advertise: v.CLUSTER_ADVERTISE }, ['redisUrl']),
    },
    ['password', 'apiKeys', 'startSecret', 'doorKey'],
  );
}

/** The same on a port that is known by now. */
export const onPort = (config: Config, port: number): Config =>
  Object.freeze(Object.create(config, { port: { value: port, enumerable: true } }) as Config);

/** Every secret value of the configuration: none of them may be logged. */
export const configSecrets = (config: Config): string[] =>
  [
    config.password,
    config.startSecret,
    config.doorKey,
    config.proxy?.password,
    config.cluster && decodeURIComponent(new URL(config.cluster.redisUrl).password),
  ].filter((secret): secret is string => secret !== undefined && secret !== '');

function hide<T extends object>(object: T, names: readonly (keyof T)[]): T {
  for (const name of names) Object.defineProperty(object, name, { enumerable: false });
  return Object.freeze(object);
}
