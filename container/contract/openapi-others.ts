import type { z } from 'zod';
import { clientOperationSchema, DATA_TOPICS, SYSTEM_EVENTS, TOPIC_TABLE, TOPICS, type DataTopic } from './frames.ts';

/** What the OpenAPI document tells beside the route table: streams and their frames, probes, the passthrough. */

type Json = Record<string, unknown>;
type Refer = (schema: z.ZodType, io: 'input' | 'output') => Json;

const component = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const PROBLEM: Json = { $ref: '#/components/responses/Problem' };
const TOO_MANY: Json = { $ref: '#/components/responses/TooManyRequests' };

const object = (properties: Json, required: readonly string[] = Object.keys(properties)): Json => ({
  type: 'object',
  properties,
  required,
});
const list = (items: Json): Json => ({ type: 'array', items });
const text: Json = { type: 'string' };
const textOrNull: Json = { type: ['string', 'null'] };
const integer: Json = { type: 'integer' };
const epochMsOrNull: Json = { type: ['integer', 'null'], description: 'Milliseconds since 1970, UTC.' };

const decimalOrNull = (description: string): Json => ({ type: ['string', 'null'], format: 'decimal', description });
const CROSSED = { type: 'string', enum: ['marginLevel', 'drawdown'] };
/** `EquityRow` (equity.ts). */
const EQUITY: Json = object(
  {
    event: {
      type: 'string',
      enum: ['entered', 'changed', 'left'],
      description: 'Of a change: beyond a bound, beyond another or one less, beyond none any more.',
    },
    login: integer,
    crossed: { ...list(CROSSED), description: 'The bounds that the account is beyond.' },
    equity: decimalOrNull('In the account’s currency, as all amounts here.'),
    margin: decimalOrNull('Used.'),
    marginLevel: decimalOrNull('Percent; `null` where no margin is used.'),
    equityPreviousDay: decimalOrNull('At the day’s start.'),
    drawdown: decimalOrNull('Lost since the day’s start; negative = gained.'),
    drawdownPercent: decimalOrNull('Of the equity at the day’s start.'),
  },
  ['login', 'crossed', 'equity', 'margin', 'marginLevel', 'equityPreviousDay', 'drawdown', 'drawdownPercent'],
);

/** Of which component a topic's rows are: the same without `extra`. */
const ROWS: Readonly<Record<DataTopic, string>> = {
  ticks: 'Quote',
  accounts: 'Money',
  positions: 'Position',
  orders: 'Order',
  deals: 'Deal',
  equity: 'Equity',
};

function rowSchema(topic: DataTopic, schemas: Json): Json {
  if (topic === 'equity') return EQUITY;
  const { properties, required, ...rest } = schemas[ROWS[topic]] as { properties: Json; required: readonly string[] };
  const { extra: _, ...known } = properties;
  const event = { ...text, description: 'Of a change of what stands: what happened.' };
  return {
    ...rest,
    properties: { ...known, ...(TOPIC_TABLE[topic].stands ? { event } : {}) },
    required: required.filter((name) => name !== 'extra'),
  };
}

function frame(type: string, description: string, more: { topic?: Json; data: Json }): Json {
  const { topic = { type: 'string', enum: TOPICS }, data } = more;
  const properties = {
    type: { type: 'string', const: type },
    topic,
    epoch: { ...integer, description: 'Counts the bridge’s instances; sequences are of one epoch.' },
    seq: { ...integer, description: 'Up to which this subscription is now complete.' },
    prev: {
      ...integer,
      description: '`seq` of the frame before on this subscription; another one = something was lost.',
    },
    time: { ...text, format: 'date-time' },
    data,
    id: { type: ['integer', 'number', 'string'], description: 'Of the operation that is answered.' },
  };
  return { description, ...object(properties, ['type', 'topic', 'epoch', 'seq', 'prev', 'time', 'data']) };
}

const rowFrames = (type: 'snapshot' | 'delta', description: string): Json[] =>
  DATA_TOPICS.map((topic) =>
    frame(type, description, {
      topic: { type: 'string', const: topic },
      data: list(component(`Stream${ROWS[topic]}`)),
    }),
  );

const system: Json = { type: 'string', const: 'system' };
const symbols = object({ symbols: list(text) });
const FRAMES: Readonly<Record<string, Json>> = {
  AckFrame: frame('ack', 'An operation was done. The first one states the limits.', { data: { type: 'object' } }),
  SnapshotFrame: {
    oneOf: [
      ...rowFrames('snapshot', 'Replaces what is known of what was just subscribed; after `gap`, of all.'),
      frame('snapshot', 'Session and market as they stand.', { topic: system, data: list({ type: 'object' }) }),
    ],
  },
  DeltaFrame: { oneOf: rowFrames('delta', 'Every change of one flush.') },
  HeartbeatFrame: frame('heartbeat', 'Until when the broker’s prices and books have been read and sent.', {
    topic: system,
    data: object({ marketUntilMs: epochMsOrNull, booksUntilMs: epochMsOrNull }),
  }),
  StaleFrame: frame('stale', 'Symbols without a tick inside their quote hours.', { data: symbols }),
  LiveFrame: frame('live', 'Symbols that tick again.', { data: symbols }),
  GapFrame: frame('gap', 'Something may be missing since then; what can be told follows.', {
    data: object({ reason: text, sinceMs: epochMsOrNull }, ['reason']),
  }),
  SystemFrame: frame('system', 'Of the session and the market; every connection hears it.', {
    data: object({ event: { type: 'string', enum: SYSTEM_EVENTS } }),
  }),
  ErrorFrame: frame('error', 'An operation was refused; the codes are those of the error table.', {
    data: object({ code: text, detail: text, retry: text, field: text, expected: text }, ['code', 'detail', 'retry']),
  }),
};

/** Components of the streams, made from those of the routes. */
export function streamSchemas(refer: Refer, schemas: Json): Json {
  return {
    ...Object.fromEntries(DATA_TOPICS.map((topic) => [`Stream${ROWS[topic]}`, rowSchema(topic, schemas)])),
    ...FRAMES,
    Frame: { description: 'What the bridge sends on a stream.', oneOf: Object.keys(FRAMES).map(component) },
    ClientOperation: { description: 'What a client sends on a stream.', ...refer(clientOperationSchema, 'input') },
  };
}

const query = (name: string, description: string, schema: Json, required = false): Json => ({
  name,
  in: 'query',
  description,
  schema,
  ...(required ? { required } : {}),
});

const STREAMS: Json = {
  '/v1/stream': {
    get: {
      operationId: 'openStream',
      tags: ['Streams'],
      summary: 'Ticks, accounts, positions, orders, deals and system events over a WebSocket',
      description:
        'Send `ClientOperation`s as JSON text, `auth` first unless the upgrade carried the key (a browser offers it as ' +
        'the subprotocol `bearer.<key>` beside `mt5-edge-bridge`); receive `Frame`s. Close codes: `/docs#close-codes`.',
      security: [{ bearer: [] }, { apiKey: [] }, {}],
      responses: {
        '101': { description: 'The WebSocket is open.' },
        // Where a document can tell what the messages of a WebSocket are: OpenAPI has no other place.
        '200': {
          description: 'The messages of the open WebSocket. The status itself is 101.',
          content: { 'application/json': { schema: { oneOf: [component('Frame'), component('ClientOperation')] } } },
        },
        '426': PROBLEM,
        '429': TOO_MANY,
        '4XX': PROBLEM,
        '5XX': PROBLEM,
      },
    },
  },
  '/v1/stream/sse': {
    get: {
      operationId: 'openEventStream',
      tags: ['Streams'],
      summary: 'The same as server-sent events',
      description:
        'One event for each frame, the `Frame` as its `data`; heartbeats are comments. Needs the scope `read`.',
      parameters: [
        query('topics', 'Joined by commas.', list({ type: 'string', enum: TOPICS }), true),
        query('symbols', 'For `ticks`: symbols and masks, joined by commas.', list(text)),
        query('logins', 'For the other topics, joined by commas.', list(integer)),
        query('groups', 'In place of `logins`: group masks, joined by commas.', list(text)),
        query('marginLevelBelow', 'For `equity`: percent.', text),
        query('drawdownAbove', 'For `equity`: percent of the equity at the day’s start.', text),
        {
          name: 'Last-Event-ID',
          in: 'header',
          description: 'Resumes every topic after this event; a browser sends it by itself.',
          schema: text,
        },
      ].map((parameter) => (parameter['in'] === 'query' ? { ...parameter, style: 'form', explode: false } : parameter)),
      responses: {
        '200': {
          description: 'The stream.',
          content: {
            'text/event-stream': {
              schema: { ...text, contentMediaType: 'application/json', contentSchema: component('Frame') },
            },
          },
        },
        '429': TOO_MANY,
        '4XX': PROBLEM,
        '5XX': PROBLEM,
      },
    },
  },
};

const session = { type: 'object', description: 'The session with the broker, as `GET /v1/status` tells it.' };
const readiness = {
  'application/json': {
    schema: object({ status: text, reason: textOrNull, session, ready: { type: 'boolean' } }, ['reason', 'session']),
  },
};
const PROBES: Json = {
  '/healthz': {
    get: {
      operationId: 'getLiveness',
      tags: ['Monitoring'],
      summary: 'Whether the program answers; behind the Worker, the door alone',
      security: [],
      responses: {
        '200': {
          description: 'It does.',
          content: { 'application/json': { schema: object({ status: { ...text, const: 'ok' }, version: text }) } },
        },
        '4XX': PROBLEM,
      },
    },
  },
  '/readyz': {
    get: {
      operationId: 'getReadiness',
      tags: ['Monitoring'],
      summary: 'Whether a request would be served; wakes nothing',
      description:
        'The program tells `status` (`ready`, `asleep`, `not_ready`), the Worker `ready` and the whole road.',
      security: [],
      responses: {
        '200': { description: 'It would.', content: readiness },
        '503': { description: 'It would not; `reason` says why.', content: readiness },
        '4XX': PROBLEM,
      },
    },
  },
};

const segment = (name: string, example: string): Json => ({
  name,
  in: 'path',
  required: true,
  description: 'Part of the command’s path.',
  schema: { ...text, pattern: '^[a-z_]+$' },
  example,
});

function passed(method: 'get' | 'post', suffix: string, parameters: readonly Json[]): Json {
  const answer = { description: 'The broker’s answer, byte for byte; `retcode` says what it means.' };
  const raw = { 'application/json': { schema: {} } };
  return {
    operationId: `${method === 'get' ? 'passCommand' : 'passCommandWithBody'}${suffix}`,
    tags: ['Passthrough'],
    summary: 'A command of the MT5 Web API itself, by the allow-list',
    description:
      'Parameters are the command’s own, in the query. `GET /v1/capabilities` names the commands; each has its scope. What changes the books needs ' +
      '`Idempotency-Key` and is sent at most once.',
    parameters: [
      ...parameters,
      {
        name: 'Idempotency-Key',
        in: 'header',
        description: 'Needed by commands that change the books.',
        schema: { ...text, minLength: 1, maxLength: 255 },
      },
    ],
    ...(method === 'post' ? { requestBody: { description: 'As the command takes it.', content: raw } } : {}),
    responses: {
      '200': { ...answer, content: raw },
      '202': { description: 'It is not known yet whether the broker did it.', content: raw },
      '429': TOO_MANY,
      '4XX': PROBLEM,
      '5XX': PROBLEM,
    },
  };
}

const pair = [segment('family', 'user'), segment('command', 'get')];
const triple = [segment('family', 'user'), segment('object', 'account'), segment('command', 'get')];
const PASSTHROUGH: Json = {
  '/api/{family}/{command}': { get: passed('get', '', pair), post: passed('post', '', pair) },
  '/api/{family}/{object}/{command}': { get: passed('get', 'Of', triple), post: passed('post', 'Of', triple) },
};

export const OTHER_PATHS: Readonly<Record<string, Json>> = { ...STREAMS, ...PROBES, ...PASSTHROUGH } as Record<
  string,
  Json
>;

/** What each tag holds, for the document's readers. */
export const TAGS: Readonly<Record<string, string>> = {
  Accounts: 'Accounts of clients: their data, their money, who is online.',
  Admin: 'The bridge itself: journal, checkpoint, sleep, halts of trading.',
  Batch: 'Many reads in one request.',
  Bridge: 'What the bridge and its server are, and how they stand.',
  Calculations: 'What an order would cost or bring, reckoned by the broker.',
  Groups: 'Groups of accounts.',
  Keys: 'API keys: what they may do, and their making and revoking.',
  Market: 'Symbols, quotes, candles, ticks, depth.',
  Money: 'Deposits and withdrawals; making and changing accounts.',
  Monitoring: 'Probes and measured figures.',
  Operations: 'The fate of every write.',
  Passthrough: 'The MT5 Web API itself.',
  Sessions: 'Traders’ own sessions.',
  Streams: 'What happens, as it happens.',
  'Trade data': 'Positions, orders, deals and their history.',
  Trading: 'Orders and positions, each at most once.',
};
