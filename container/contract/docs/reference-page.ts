import type { AnyRoute } from '../route.ts';
import { code, escape, prose, slug } from './html.ts';
import { DOCS_PATH, layout } from './layout.ts';
import { closeCodeTable, errorTable, settingTable, topicTable } from './tables.ts';

/** The reference: every route of the table with an example to send, every schema, and the tables. */

/** Examples and descriptions are text or numbers. */
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';

type Json = Readonly<Record<string, unknown>>;

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Json;
  readonly example?: unknown;
}

export function referencePage(document: Json, routes: readonly AnyRoute[]): string {
  const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Json>>>>;
  const tags = [...new Set(routes.map((route) => route.tag))].map((title) => ({ id: slug(title), title }));
  const sections = tags.map(({ id, title }) => {
    const inTag = routes.filter((route) => route.tag === title);
    const cards = inTag.map((route) => card(route, paths[route.path]?.[route.method.toLowerCase()] ?? {}));
    return `<h2 id="${id}">${escape(title)}</h2>${cards.join('')}`;
  });
  const components = document['components'] as { schemas: Readonly<Record<string, Json>> };
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<details id="schema-${name}"><summary>${name}</summary>${fields(schema)}</details>`,
  );
  const { description = '' } = document['info'] as { description?: string };
  const introduction = description.split('\n\n')[0] ?? '';
  const tables = TABLES.map(
    ({ id, title, words, table }) => `<h2 id="${id}">${title}</h2>${words && `<p>${prose(words)}</p>`}${table()}`,
  );
  return layout({
    path: DOCS_PATH,
    title: 'API reference',
    parts: [...tags, { id: 'schemas', title: 'Schemas' }, ...TABLES],
    main: `<h1>API reference</h1><p>${prose(introduction)}</p>
<p class="key"><input id="key" type="password" placeholder="API key, to send the examples" aria-label="API key" autocomplete="off"></p>
${sections.join('')}<h2 id="schemas">Schemas</h2>${schemas.join('')}${tables.join('')}`,
  });
}

const TABLES = [
  {
    id: 'errors',
    title: 'Errors',
    words:
      'Every error is `application/problem+json` (RFC 9457). `retry`: `no` fails again, `yes` is safe at once, `after` is ' +
      'safe after `Retry-After`, `check` means look at the operation first. `outcome` tells what happened at the broker.',
    table: errorTable,
  },
  { id: 'stream-topics', title: 'Topics of the streams', words: '', table: topicTable },
  { id: 'close-codes', title: 'Close codes of the streams', words: '', table: closeCodeTable },
  {
    id: 'configuration',
    title: 'Configuration',
    words:
      'Container and VPS read the environment. Behind the Worker the same names are its secrets and variables, and it ' +
      'hands the container what it needs. Every bad value is named at start, all at once.',
    table: settingTable,
  },
] as const;

function card(route: AnyRoute, operation: Json): string {
  const parameters = ((operation['parameters'] as readonly (Parameter | { $ref: string })[] | undefined) ?? []).filter(
    (parameter): parameter is Parameter => 'name' in parameter,
  );
  const rows = parameters.map(
    (parameter) =>
      `<tr><td>${code(parameter.name)}${parameter.required ? '*' : ''}</td><td>${parameter.in}</td>` +
      `<td>${escape(typeText(parameter.schema))}</td><td>${prose(parameter.description ?? '')}</td>` +
      `<td><input data-in="${parameter.in}" data-name="${escape(parameter.name)}" value="${escape(textOf(parameter.example))}"></td></tr>`,
  );
  const body = route.example.body === undefined ? '' : JSON.stringify(route.example.body, undefined, 2);
  return `<details class="op" id="${route.id}" data-method="${route.method}" data-path="${escape(route.path)}">
<summary><b class="${route.method}">${route.method}</b> <code>${escape(route.path)}</code> ${prose(route.summary)}</summary>
<p>${prose(textOf(operation['description'])).replaceAll('\n\n', '<br>')}</p>
${rows.length ? `<div class="wide"><table><tr><th>name</th><th>in</th><th>type</th><th></th><th>value</th></tr>${rows.join('')}</table></div>` : ''}
${route.body ? `<p>Body</p><textarea rows="${Math.min(14, body.split('\n').length + 1)}">${escape(body)}</textarea>` : ''}
<p>Answers ${route.status}: ${answerType(operation, route.status)}</p><button type="button">Send</button><pre></pre></details>`;
}

function answerType(operation: Json, status: number): string {
  const responses = operation['responses'] as Readonly<Record<string, Json>> | undefined;
  const content = responses?.[String(status)]?.['content'] as Readonly<Record<string, { schema: Json }>> | undefined;
  return linked(content?.['application/json']?.schema ?? {});
}

/** A schema in one line; components are links. */
function linked(schema: Json): string {
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const name = reference.slice(reference.lastIndexOf('/') + 1);
    return `<a href="#schema-${name}">${name}</a>`;
  }
  const properties = schema['properties'] as Readonly<Record<string, Json>> | undefined;
  if (properties) {
    const parts = Object.entries(properties).map(([name, property]) => `${escape(name)}: ${linked(property)}`);
    return `{ ${parts.join(', ')} }`;
  }
  if (schema['items']) return `${linked(schema['items'] as Json)}[]`;
  const either = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(either)) return either.map((one) => linked(one as Json)).join(' or ');
  return escape(typeText(schema));
}

function typeText(schema: Json): string {
  const values = schema['enum'];
  if (Array.isArray(values)) return values.map((value) => String(value)).join(' · ');
  const type = schema['type'];
  const name = Array.isArray(type) ? type.join(' or ') : typeof type === 'string' ? type : 'any';
  const format = schema['format'];
  return typeof format === 'string' ? `${name} (${format})` : name;
}

function fields(schema: Json): string {
  const properties = (schema['properties'] as Readonly<Record<string, Json>> | undefined) ?? {};
  const rows = Object.entries(properties).map(
    ([name, property]) =>
      `<tr><td>${code(name)}</td><td>${linked(property)}</td><td>${prose(textOf(property['description']))}</td></tr>`,
  );
  return `<p>${prose(textOf(schema['description']))}</p><div class="wide"><table>${rows.join('')}</table></div>`;
}
