import { ERRORS } from './errors.ts';
import { CLOSE, topicEntry, type DataTopic } from './frames.ts';
import type { AnyRoute } from './route.ts';
import { SETTINGS } from './settings.ts';
import { BRIDGE_VERSION } from './version.ts';

/**
 * The reference page: one HTML document written from the route table, and one small script that sends the examples. It
 * loads nothing from elsewhere, so that it works offline and under a strict content security policy.
 */
export const DOCS_PATH = '/docs';
export const DOCS_SCRIPT_PATH = '/docs.js';
export const OPENAPI_PATH = '/openapi.json';

export const DOCS_CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
/** Backticks become code, as in the descriptions. */
const prose = (text: string): string => escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

export function docsPage(document: Json, routes: readonly AnyRoute[]): string {
  const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Json>>>>;
  const tags = [...new Set(routes.map((route) => route.tag))];
  const sections = tags.map((tag) => {
    const inTag = routes.filter((route) => route.tag === tag);
    const cards = inTag.map((route) => card(route, paths[route.path]?.[route.method.toLowerCase()] ?? {}));
    return `<h2 id="${slug(tag)}">${escape(tag)}</h2>${cards.join('')}`;
  });
  const components = document['components'] as { schemas: Readonly<Record<string, Json>> };
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<details id="schema-${name}"><summary>${name}</summary>${fields(schema)}</details>`,
  );
  const { description = '' } = document['info'] as { description?: string };
  const introduction = description.split('\n\n')[0] ?? '';
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>MT5 Edge Bridge API</title><style>${STYLE}</style></head>
<body><nav><b>MT5 Edge Bridge</b> ${BRIDGE_VERSION}${tags.map((tag) => `<a href="#${slug(tag)}">${escape(tag)}</a>`).join('')}
<a href="#schemas">Schemas</a><a href="#errors">Errors</a><a href="#stream-topics">Streams</a><a href="#close-codes">Close codes</a><a href="#configuration">Configuration</a><a href="${OPENAPI_PATH}">openapi.json</a>
<input id="key" type="password" placeholder="API key, to try" autocomplete="off"></nav>
<main><h1>API reference</h1><p>${prose(introduction)}</p>${sections.join('')}
<h2 id="schemas">Schemas</h2>${schemas.join('')}<h2 id="errors">Errors</h2>${errors()}
<h2 id="stream-topics">Topics of the streams</h2>${topics()}
<h2 id="close-codes">Close codes of the streams</h2>${closeCodes()}<h2 id="configuration">Configuration</h2>${settings()}</main>
<script src="${DOCS_SCRIPT_PATH}"></script></body></html>`;
}

const slug = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

function card(route: AnyRoute, operation: Json): string {
  const parameters = ((operation['parameters'] as readonly (Parameter | { $ref: string })[] | undefined) ?? []).filter(
    (parameter): parameter is Parameter => 'name' in parameter,
  );
  const rows = parameters.map(
    (parameter) =>
      `<tr><td><code>${escape(parameter.name)}</code>${parameter.required ? '*' : ''}</td><td>${parameter.in}</td>` +
      `<td>${escape(typeText(parameter.schema))}</td><td>${prose(parameter.description ?? '')}</td>` +
      `<td><input data-in="${parameter.in}" data-name="${escape(parameter.name)}" value="${escape(textOf(parameter.example))}"></td></tr>`,
  );
  const body = route.example.body === undefined ? '' : JSON.stringify(route.example.body, undefined, 2);
  return `<details class="op" id="${route.id}" data-method="${route.method}" data-path="${escape(route.path)}">
<summary><b class="${route.method}">${route.method}</b> <code>${escape(route.path)}</code> ${prose(route.summary)}</summary>
<p>${prose(textOf(operation['description'])).replaceAll('\n\n', '<br>')}</p>
${rows.length ? `<table><tr><th>name</th><th>in</th><th>type</th><th></th><th>value</th></tr>${rows.join('')}</table>` : ''}
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
      `<tr><td><code>${escape(name)}</code></td><td>${linked(property)}</td><td>${prose(textOf(property['description']))}</td></tr>`,
  );
  return `<p>${prose(textOf(schema['description']))}</p><table>${rows.join('')}</table>`;
}

/** Rows of cells that are HTML already. */
const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="wide"><table><tr>${head.map((name) => `<th>${name}</th>`).join('')}</tr>${rows
    .map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
    .join('')}</table></div>`;
const code = (text: string): string => `<code>${escape(text)}</code>`;

/** What each topic tells, for who subscribes to it. */
const TOPICS_IN_WORDS: Readonly<Record<DataTopic, { readonly names: string; readonly tells: string }>> = {
  ticks: { names: '"symbols":["EURUSD","Forex\\\\*"]', tells: 'The last price of each symbol.' },
  accounts: {
    names: '"groups":["real\\\\*","!real\\\\test*"]',
    tells: 'The money of each account; `event` `left` where it left the groups. `logins` or `groups`.',
  },
  positions: {
    names: '"logins":[1001]',
    tells: 'Positions, with `event` `opened`, `changed`, `closed`, or `left` with the account. `logins` or `groups`.',
  },
  orders: {
    names: '"logins":[1001]',
    tells:
      'Open orders, with `event` `placed`, `changed`, `removed`, or `left` with the account. `logins` or `groups`.',
  },
  deals: { names: '"groups":["real\\\\*"]', tells: 'Each deal, once. `logins` or `groups`.' },
  equity: {
    names: '"groups":["real\\\\*"],"marginLevelBelow":100,"drawdownAbove":"5"',
    tells:
      'Accounts that cross a bound (percent; `drawdownAbove` is lost since the day’s start): `event` `entered`, `changed` ' +
      'or `left`, `login`, `crossed` (`marginLevel`, `drawdown`), `equity`, `margin`, `marginLevel`, `equityPreviousDay`, ' +
      '`drawdown`, `drawdownPercent`. The snapshot shows who is beyond one. `logins` or `groups`; one bound at least.',
  },
};
const BEHIND = {
  latest: 'the latest of each',
  snapshot: 'the latest of each, or a `gap` and a snapshot',
  every: 'every one, or the end of the connection',
} as const;

function topics(): string {
  const rows = Object.entries(TOPICS_IN_WORDS).map(([topic, { names, tells }]) => [
    code(topic),
    code(`{"op":"subscribe","topic":"${topic}",${names}}`),
    prose(tells),
    prose(BEHIND[topicEntry(topic as DataTopic).behind]),
  ]);
  return tableOf(['topic', 'subscribe', 'tells', 'a slow client gets'], rows);
}

function closeCodes(): string {
  const rows = Object.entries(CLOSE).map(([name, close]) => [code(String(close.code)), name, escape(close.means)]);
  return tableOf(['code', 'name', 'meaning'], rows);
}

const WHERE = { everywhere: '', vps: 'VPS', worker: 'Worker' } as const;

function settings(): string {
  const rows = SETTINGS.map((setting) => [
    code(setting.name),
    setting.default === null ? 'required' : setting.default === '' ? '–' : code(setting.default),
    WHERE[setting.where],
    prose(setting.meaning),
  ]);
  const words =
    'Container and VPS read the environment. Behind the Worker the same names are its secrets and variables, and it ' +
    'hands the container what it needs. Every bad value is named at start, all at once.';
  return `<p>${words}</p>${tableOf(['name', 'default', 'only', 'meaning'], rows)}`;
}

function errors(): string {
  const rows = Object.entries(ERRORS).map(([name, { status, title, retry, outcome }]) => [
    code(name),
    String(status),
    escape(title),
    retry,
    outcome,
  ]);
  const words =
    'Every error is `application/problem+json` (RFC 9457). `retry`: `no` fails again, `yes` is safe at once, `after` is ' +
    'safe after `Retry-After`, `check` means look at the operation first. `outcome` tells what happened at the broker.';
  return `<p>${prose(words)}</p>${tableOf(['code', 'status', 'meaning', 'retry', 'outcome'], rows)}`;
}

const STYLE = `:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}body{margin:0;display:grid;grid-template-columns:13rem 1fr}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1rem;box-sizing:border-box;border-right:1px solid #8884}nav a{display:block;color:inherit}
nav input{width:100%;margin-top:1rem;box-sizing:border-box}main{padding:1rem 2rem;max-width:70rem;min-width:0}
details{border:1px solid #8884;border-radius:6px;margin:.4rem 0;padding:.3rem .7rem}summary{cursor:pointer}table{border-collapse:collapse;width:100%}
td,th{border-top:1px solid #8883;padding:.2rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}textarea{width:100%;box-sizing:border-box;font:13px monospace}
th,td code{white-space:nowrap}.wide{overflow-x:auto}pre{overflow:auto;max-height:30rem;font-size:13px}.GET{color:#2a7}.POST{color:#27c}.PATCH,.PUT{color:#a70}.DELETE{color:#c33}
@media(max-width:50rem){body{display:block}nav{position:static;height:auto}}`;

/** Sends the request of a card with the key typed above; the key stays in the page. */
export const DOCS_SCRIPT = `'use strict';
for (const card of document.querySelectorAll('.op')) {
  card.querySelector('button').addEventListener('click', async () => {
    const key = document.querySelector('#key').value;
    const { method } = card.dataset;
    let path = card.dataset.path;
    const query = new URLSearchParams();
    const headers = key ? { authorization: 'Bearer ' + key } : {};
    for (const input of card.querySelectorAll('input')) {
      const { in: place, name } = input.dataset;
      if (place === 'path') path = path.replace('{' + name + '}', encodeURIComponent(input.value));
      else if (place === 'header') headers[name] = input.value || crypto.randomUUID();
      else if (input.value !== '') query.set(name, input.value);
    }
    const body = card.querySelector('textarea')?.value;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const output = card.querySelector('pre');
    output.textContent = '…';
    try {
      const target = path + (query.size ? '?' + query : '');
      const answer = await fetch(target, { method, headers, body });
      const text = await answer.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch {}
      output.textContent = method + ' ' + target + '\\n' + answer.status + ' ' + answer.headers.get('x-request-id') + '\\n\\n' + shown;
    } catch (error) {
      output.textContent = String(error);
    }
  });
}
`;
