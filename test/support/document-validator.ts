import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** The published document as a validator that knows nothing of the bridge: Ajv, over its JSON Schemas. */

interface Answered {
  /** As in the document: `/v1/accounts/{login}`. */
  readonly path: string;
  readonly method: string;
  readonly status: number;
  readonly contentType: string;
}

/** What does not fit; empty = all is well. */
export type AnswerFaults = (answered: Answered, body: unknown) => readonly string[];

type Json = Readonly<Record<string, unknown>>;

const DOCUMENT = 'https://bridge.test/openapi.json';
const pointer = (...parts: readonly string[]): string =>
  `${DOCUMENT}#/${parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;

/** Decimals of answers are told in both forms; a request asks for one of them. */
function inOneForm(document: Json, decimals: 'string' | 'number'): Json {
  const other = decimals === 'string' ? 'number' : 'string';
  return JSON.parse(JSON.stringify(document), (_name, value: unknown) => {
    const { format, type } = (value ?? {}) as { format?: unknown; type?: unknown };
    if (format !== 'decimal' || !Array.isArray(type)) return value;
    return { ...(value as Json), type: type.filter((one) => one !== other) };
  }) as Json;
}

async function schemasOf(url: string, decimals: 'string' | 'number'): Promise<{ document: Json; ajv: Ajv2020 }> {
  const answer = await fetch(`${url}/openapi.json`);
  const document = inOneForm((await answer.json()) as Json, decimals);
  // OpenAPI's own words are no keywords of JSON Schema, and formats say what a text means.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, validateSchema: false, inlineRefs: false });
  ajv.addSchema(document, DOCUMENT);
  return { document, ajv };
}

const faultsBy = (validate: ValidateFunction, body: unknown): string[] =>
  validate(body)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `document: ${instancePath} ${message ?? ''}`);

export async function documentValidator(url: string, decimals: 'string' | 'number'): Promise<AnswerFaults> {
  const { document, ajv } = await schemasOf(url, decimals);
  const paths = document['paths'] as Record<string, Record<string, { responses: Record<string, { $ref?: string }> }>>;
  return ({ path, method, status, contentType }, body) => {
    const responses = paths[path]?.[method.toLowerCase()]?.responses ?? {};
    const told = [String(status), `${Math.floor(status / 100)}XX`].find((name) => Object.hasOwn(responses, name));
    if (told === undefined) return [`document: ${method} ${path} has no answer ${status}`];
    const [media = ''] = contentType.split(';');
    const reference = responses[told]?.$ref?.slice(2).split('/');
    const at = reference ?? ['paths', path, method.toLowerCase(), 'responses', told];
    const validate = ajv.getSchema(pointer(...at, 'content', media, 'schema'));
    return validate ? faultsBy(validate, body) : [`document: ${method} ${path} ${status} has no ${media}`];
  };
}

/** Holds a value against a component of the document. */
export async function componentValidator(url: string, name: string): Promise<(value: unknown) => readonly string[]> {
  const { ajv } = await schemasOf(url, 'string');
  const validate = ajv.getSchema(pointer('components', 'schemas', name));
  if (!validate) throw new Error(`${name} is no component of the document`);
  return (value) => faultsBy(validate, value);
}
