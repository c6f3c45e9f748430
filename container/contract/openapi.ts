import { z } from 'zod';
import { ERRORS, PROBLEM_CONTENT_TYPE } from './errors.ts';
import { CSV_TYPE, HEADER, HTML_TYPE, LINES_TYPE, NEXT_CURSOR_HEADER } from './headers.ts';
import { DECIMAL_FORMAT } from './decimals.ts';
import { OTHER_PATHS, streamSchemas, TAGS } from './openapi-others.ts';
import { DECIMAL_FORMS } from './route.ts';
import type { AnyRoute } from './route.ts';
import { dryRunAnswer } from './schemas/operation.ts';
import { problem } from './schemas/problem.ts';
import { BRIDGE_VERSION } from './version.ts';

/** The route table as an OpenAPI 3.1 document: what the schemas say is what is validated, served and documented. */

type Json = Record<string, unknown>;

const COMPONENTS = '#/components/schemas/';

export function openApiDocument(routes: readonly AnyRoute[]): Json {
  const schemas: Json = {};
  const refer = (schema: z.ZodType, io: 'input' | 'output'): Json => {
    const json = z.toJSONSchema(schema, { io, unrepresentable: 'any', cycles: 'ref' }) as Json;
    const { $defs = {}, $schema: _, ...root } = json as { $defs?: Json; $schema?: string };
    for (const [name, definition] of Object.entries($defs)) schemas[name] = tidy(definition, io);
    return tidy(root, io) as Json;
  };
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = operation(route, refer);
  }
  refer(z.object({ problem }), 'output');
  Object.assign(schemas, streamSchemas(refer, schemas));
  Object.assign(paths, OTHER_PATHS);
  return {
    openapi: '3.1.0',
    info: {
      title: 'MT5 Edge Bridge',
      version: BRIDGE_VERSION,
      summary: 'A MetaTrader 5 server as REST and streams.',
      description: `${INTRODUCTION}\n\n${errorTable()}`,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [
      { url: '/', description: 'Where this document came from: of several brokers, the first.' },
      {
        url: '/brokers/{broker}',
        description: 'One of several brokers; GET /v1/brokers names them.',
        variables: { broker: { default: 'main', description: 'Its id.' } },
      },
    ],
    security: [{ bearer: [] }, { apiKey: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas,
      parameters: { decimals: DECIMALS },
      headers: HEADERS,
      responses: { Problem: PROBLEM, TooManyRequests: TOO_MANY_REQUESTS },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key, or the token of a consumer session.' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
  };
}

const INTRODUCTION = `Decimals (money, prices, volumes) are strings, exactly as the broker gave them; add \`?decimals=number\` for floats.
Volumes are in lots. Instants are RFC 3339 in UTC (\`…At\`) and milliseconds since 1970 (\`…AtMs\`), converted from the broker's clock.
An enumeration is a name with MT5's integer beside it (\`state\`, \`stateCode\`); a value without a name is \`null\` with its integer.
Fields that this version does not know are in \`extra\`, under the broker's names. Lists are \`{"items", "nextCursor"}\`:
send \`nextCursor\` as \`cursor\` for the next page, with the same filters; what is added meanwhile moves nothing.
Lists of the past have an \`ETag\`: sent back as \`If-None-Match\`, an unchanged one is \`304\` without a body, which saves the transfer alone.
\`type\` is what MT5 calls so (of orders, passwords), and what a frame or an event is; \`kind\` is which of the bridge's operations.
Lists that take \`Accept: text/csv\` come as a table then; text that a spreadsheet would run as a formula begins with \`'\`.
Writes need an \`Idempotency-Key\` header and are sent to the broker at most once. A price of 0 means "none", as in MT5.`;

/** The error table, as the documents show it. */
function errorTable(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, title, retry, outcome }]) => `| \`${code}\` | ${status} | ${title} | ${retry} | ${outcome} |`,
  );
  return ['## Errors', '', '| code | status | meaning | retry | outcome |', '|---|---|---|---|---|', ...rows].join(
    '\n',
  );
}

const DECIMALS: Json = {
  name: 'decimals',
  in: 'query',
  description: 'How decimals are written: exact strings, or floats.',
  schema: { type: 'string', enum: [...DECIMAL_FORMS], default: 'string' },
};

const header = (description: string, type = 'string'): Json => ({ description, schema: { type } });
const HEADERS: Json = {
  requestId: header('The id of the request: the caller’s own, or a new one.'),
  sessionEpoch: header('Counts the bridge’s sign-ins: another number, another MT5 session.', 'integer'),
  etag: header('For `If-None-Match`.'),
  nextCursor: header('With `Accept: text/csv`: what JSON tells in `nextCursor`; absent = that was all.'),
  age: header('Seconds since the broker was asked for it.', 'integer'),
  cacheStatus: header(
    'RFC 9211, from the Worker: which cache answered, a negative `ttl` = old, `detail` = why it was given.',
  ),
  location: header('Where the fate of the operation is told.'),
  retryAfter: header('Seconds.', 'integer'),
  rateLimitPolicy: header('`"key";q=100;w=5`: so many requests (`q`) within so many seconds (`w`).'),
  rateLimit: header('`"key";r=99;t=1`: so many are left (`r`); the quota is whole again in `t` seconds.'),
  replayed: header('`true`: the stored answer of an earlier request with this key.'),
};
const HEADER_REF = (name: string): Json => ({ $ref: `#/components/headers/${name}` });
const COMMON_HEADERS: Json = {
  [HEADER.requestId]: HEADER_REF('requestId'),
  [HEADER.sessionEpoch]: HEADER_REF('sessionEpoch'),
};

const PROBLEM: Json = {
  description: 'A problem (RFC 9457); the codes are in the table above.',
  headers: { [HEADER.requestId]: HEADER_REF('requestId'), [HEADER.retryAfter]: HEADER_REF('retryAfter') },
  content: { [PROBLEM_CONTENT_TYPE]: { schema: { $ref: `${COMPONENTS}Problem` } } },
};
const RATE_HEADERS: Json = {
  [HEADER.rateLimitPolicy]: HEADER_REF('rateLimitPolicy'),
  [HEADER.rateLimit]: HEADER_REF('rateLimit'),
};
const TOO_MANY_REQUESTS: Json = {
  ...PROBLEM,
  description: 'The limit of the key, of the address or of the bridge is reached: send it again after `Retry-After`.',
  headers: { ...(PROBLEM['headers'] as Json), ...RATE_HEADERS },
};
const TOO_MANY_REF: Json = { $ref: '#/components/responses/TooManyRequests' };
const PROBLEM_REF: Json = { $ref: '#/components/responses/Problem' };

function operation(route: AnyRoute, refer: (schema: z.ZodType, io: 'input' | 'output') => Json): Json {
  const { id, tag, summary, description, scope, write, cacheable, conditional, example } = route;
  const answer = (text: string, headers: Json, schema = refer(route.answer, 'output')): Json => ({
    description: text,
    headers: { ...COMMON_HEADERS, ...(scope === null ? {} : RATE_HEADERS), ...headers },
    content: {
      [route.text?.split(';')[0] ?? 'application/json']: { schema },
      ...(route.lines ? { [LINES_TYPE]: { schema: { type: 'string' } } } : {}),
      ...(route.table ? { [CSV_TYPE]: { schema: { type: 'string' } } } : {}),
      ...(route.page ? { [HTML_TYPE]: { schema: { type: 'string' } } } : {}),
    },
  });
  const hasDryRun = 'dryRun' in ((refer(route.query, 'input')['properties'] as Json | undefined) ?? {});
  const responses: Json = {
    [String(route.status)]: answer('Done.', {
      ...(route.table?.of === 'page' ? { [NEXT_CURSOR_HEADER]: HEADER_REF('nextCursor') } : {}),
      ...(cacheable
        ? { etag: HEADER_REF('etag'), age: HEADER_REF('age'), 'cache-status': HEADER_REF('cacheStatus') }
        : {}),
      ...(conditional ? { etag: HEADER_REF('etag') } : {}),
      ...(write ? { [HEADER.idempotencyReplayed]: HEADER_REF('replayed') } : {}),
    }),
    ...(write
      ? { '202': answer('It is not known yet whether the broker did it.', { location: HEADER_REF('location') }) }
      : {}),
    ...(hasDryRun && route.status !== 200
      ? { '200': answer('With `dryRun=true`: all was checked, nothing was sent.', {}, refer(DRY_RUN, 'output')) }
      : {}),
    ...(cacheable || conditional ? { '304': { description: 'Unchanged.' } } : {}),
    '429': TOO_MANY_REF,
    '4XX': PROBLEM_REF,
    '5XX': PROBLEM_REF,
  };
  const body = route.body as z.ZodType | undefined;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: [description, scope === null ? 'Needs no key.' : `Needs the scope \`${scope}\`.`]
      .filter(Boolean)
      .join('\n\n'),
    ...(scope === null ? { security: [] } : {}),
    parameters: [
      ...parameters('path', refer(route.params, 'input'), example.params),
      ...parameters('query', refer(route.query, 'input'), example.query),
      ...(write ? [idempotencyKey] : []),
      ...(route.brief ? [prefer] : []),
      { $ref: '#/components/parameters/decimals' },
    ],
    ...(body
      ? {
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: refer(body, 'input'),
                ...(example.body === undefined ? {} : { example: example.body }),
              },
            },
          },
        }
      : {}),
    responses,
  };
}

const DRY_RUN = z.object({ dryRun: dryRunAnswer });

const idempotencyKey: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  required: true,
  description: 'New for each intent, the same for its repetitions: 1–255 visible ASCII characters.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

const prefer: Json = {
  name: 'Prefer',
  in: 'header',
  description:
    '`return=minimal`: the answer is the operation and the dealer’s result, with the tickets; order, deals and position ' +
    'are not read back, which saves a round trip to the broker.',
  schema: { type: 'string', enum: ['return=minimal', 'return=representation'] },
};

function parameters(place: 'path' | 'query', schema: Json, examples: Readonly<Record<string, string>> = {}): Json[] {
  const required = new Set((schema['required'] as readonly string[] | undefined) ?? []);
  return Object.entries((schema['properties'] as Record<string, Json> | undefined) ?? {}).map(([name, property]) => {
    const { description, ...rest } = property;
    const example = examples[name];
    const typed = rest['type'] === 'integer' && example !== undefined ? Number(example) : example;
    return {
      name,
      in: place,
      ...(place === 'path' || required.has(name) ? { required: true } : {}),
      ...(typeof description === 'string' ? { description } : {}),
      schema: rest,
      ...(typed === undefined ? {} : { example: typed }),
    };
  });
}

/** What zod writes, as OpenAPI readers like it: nullable types as one, references to the components, no noise. */
function tidy(node: unknown, io: 'input' | 'output'): unknown {
  if (Array.isArray(node)) return node.map((item) => tidy(item, io));
  if (typeof node !== 'object' || node === null) return node;
  const source = node as Json;
  if (typeof source['openapi'] === 'object' && source['openapi'] !== null) return source['openapi'];
  const result: Json = {};
  for (const [key, value] of Object.entries(source)) {
    if (key === 'id' && typeof value === 'string' && 'type' in source) continue;
    if (key === 'propertyNames' || (key === 'additionalProperties' && value === false && io === 'output')) continue;
    if ((key === 'minimum' || key === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER) continue;
    result[key] = key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', COMPONENTS) : tidy(value, io);
  }
  return inBothForms(nullable(result), io);
}

/** A decimal of an answer is text, or with `?decimals=number` a number. */
function inBothForms(node: Json, io: 'input' | 'output'): Json {
  if (io === 'input' || node['format'] !== DECIMAL_FORMAT) return node;
  const types = [node['type']].flat().filter((type) => type !== 'number');
  return { ...node, type: [types[0], 'number', ...types.slice(1)] };
}

function nullable(node: Json): Json {
  const { anyOf, ...rest } = node;
  if (!Array.isArray(anyOf) || anyOf.length !== 2) return node;
  const [inner, none] = anyOf as [Json, Json];
  const types = [inner['type'] ?? []].flat();
  if (none['type'] !== 'null' || types.length === 0) return node;
  const values = inner['enum'];
  return {
    ...inner,
    ...rest,
    type: [...types, 'null'],
    ...(Array.isArray(values) ? { enum: [...(values as unknown[]), null] } : {}),
  };
}
