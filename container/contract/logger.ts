/**
 * What the rooms write to the log: an event's name and fields. Only the fields named here are ever written, so a secret
 * cannot leak by being passed along.
 */
export interface LogFields {
  readonly requestId?: string;
  /** W3C Trace Context. */
  readonly traceparent?: string;
  readonly broker?: string;
  readonly caller?: string | undefined;
  readonly method?: string;
  /** A pattern like `/v1/accounts/{login}`, never a URL with its values. */
  readonly route?: string;
  readonly status?: number;
  readonly code?: string | undefined;
  readonly durationMs?: number;
  readonly bytes?: number;
  readonly address?: string;
  readonly epoch?: number | null;
  readonly state?: string;
  readonly reason?: string | null;
  readonly cause?: string;
  readonly kind?: string;
  readonly retcode?: number | null;
  readonly connections?: number;
  readonly streams?: number;
  readonly count?: number;
  readonly login?: number;
  readonly operation?: string;
  readonly topic?: string;
  readonly port?: number;
  readonly version?: string;
  readonly instanceId?: string;
  readonly phasesMs?: Readonly<Record<string, number>>;
  readonly retryAtMs?: number;
  readonly faults?: readonly string[];
  /** Its message and stack are written, with known secrets cut out. */
  readonly error?: unknown;
}

export const LOG_FIELDS: readonly (keyof LogFields)[] = [
  'requestId',
  'traceparent',
  'broker',
  'caller',
  'method',
  'route',
  'status',
  'code',
  'durationMs',
  'bytes',
  'address',
  'epoch',
  'state',
  'reason',
  'cause',
  'kind',
  'retcode',
  'connections',
  'streams',
  'count',
  'login',
  'operation',
  'topic',
  'port',
  'version',
  'instanceId',
  'phasesMs',
  'retryAtMs',
  'faults',
  'error',
];

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Whether `LOG_LEVEL` lets lines of this level through. */
export const isLogged = (logLevel: LogLevel, level: LogLevel): boolean =>
  LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(logLevel);

export type Logger = Readonly<Record<LogLevel, (event: string, fields?: LogFields) => void>>;
