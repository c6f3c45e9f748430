import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem } from '../../../container/contract/errors.ts';
import { ROUTES } from '../../../container/contract/routes.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { type BridgeUnderTest, startBridge } from '../../support/bridge.ts';

/** Schema-driven fuzz over every operation of the published document: answered or refused by name, never broken. */

let simulator: Simulator;
let bridge: BridgeUnderTest;
let operations: Operation[];

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: { readonly type?: string; readonly enum?: readonly string[]; readonly maximum?: number };
  readonly example?: string | number;
}
interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: unknown;
}

/** Halting trading would end the fuzz of the writes, and a profile takes seconds. */
const NOT_FUZZED = new Set(['haltTrading', 'takeProfile']);
const CASES_EACH = 5;

beforeAll(async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator });
  const document = (await (await bridge.fetch('/openapi.json')).json()) as {
    paths: Record<
      string,
      Record<
        string,
        {
          operationId: string;
          parameters?: (Parameter | { $ref: string })[];
          requestBody?: { content: { 'application/json': { example?: unknown } } };
        }
      >
    >;
  };
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { operationId }]) => !NOT_FUZZED.has(operationId))
      // Of the typed routes all take `decimals`; streams stay open, and the passthrough has a fuzz of its own.
      .filter(([, { parameters = [] }]) => parameters.some((parameter) => '$ref' in parameter))
      .map(([method, { parameters = [], requestBody }]) => ({
        method: method.toUpperCase(),
        path,
        parameters: parameters.filter((parameter): parameter is Parameter => 'name' in parameter),
        body: requestBody?.content['application/json'].example,
      })),
  );
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

const NASTY = [
  '0',
  '-1',
  '1e3',
  '9007199254740992',
  '18446744073709551616',
  '١٠٠١',
  '',
  ' ',
  '%00',
  '../..',
  '*',
  '!*',
  'a|b=c',
  '\r\nX: 1',
  '&login=1',
  'null',
  '__proto__',
  '9999-12-31T00:00:00Z',
  '1700000000',
  '😀',
  'x'.repeat(5000),
  '\'"<script>',
];

const valueOf = ({ schema, example }: Parameter): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(String(example ?? schema.enum?.[0] ?? '1')) },
    { weight: 2, arbitrary: fc.constantFrom(...NASTY) },
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.integer().map(String),
    ...(schema.enum ? [fc.constantFrom(...schema.enum)] : []),
  );

/** The example with one field broken, or anything at all. */
const bodyOf = (example: unknown): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constant(JSON.stringify(example ?? {})),
    fc.json({ maxDepth: 4 }),
    fc
      .tuple(
        fc.constantFrom('unknown', ...Object.keys(example ?? {})),
        fc.oneof(fc.jsonValue(), fc.constantFrom(...NASTY)),
      )
      .map(([name, value]) => JSON.stringify({ ...(example as object), [name]: value })),
  );

describe('every operation', () => {
  it('answers or refuses by name, whatever is sent', async () => {
    const left = new Set(ROUTES.filter(({ id }) => !NOT_FUZZED.has(id)).map(({ method, path }) => `${method} ${path}`));
    for (const { method, path } of operations) left.delete(`${method} ${path}`);
    expect([...left]).toEqual([]);
    const cases = operations.flatMap((operation, at) =>
      fc.sample(
        fc.record({
          operation: fc.constant(operation),
          values: fc.tuple(...operation.parameters.map((parameter) => valueOf(parameter))),
          given: fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
          body: bodyOf(operation.body),
        }),
        { numRuns: CASES_EACH, seed: 20261121 + at },
      ),
    );
    for (const { operation, values, given, body } of cases) {
      let target = operation.path;
      const query = new URLSearchParams();
      for (const [i, parameter] of operation.parameters.entries()) {
        const value = values[i] ?? '';
        if (parameter.in === 'path') target = target.replace(`{${parameter.name}}`, encodeURIComponent(value));
        else if (parameter.in === 'query' && given[i] === true) query.set(parameter.name, value);
      }
      const hasBody = operation.body !== undefined;
      const url = query.size > 0 ? `${target}?${query.toString()}` : target;
      const answer = await bridge.fetch(url, {
        method: operation.method,
        headers: {
          'idempotency-key': `fuzz-${body.length}-${url.length}`,
          ...(hasBody ? { 'content-type': 'application/json' } : {}),
        },
        ...(hasBody ? { body } : {}),
      });
      const text = await answer.text();
      const what = `${operation.method} ${url.slice(0, 300)} ${hasBody ? body.slice(0, 300) : ''} → ${answer.status} ${text.slice(0, 300)}`;
      expect(answer.status, what).toBeLessThan(500);
      if (answer.status >= 400) {
        expect(answer.headers.get('content-type'), what).toBe('application/problem+json');
        const problem = JSON.parse(text) as Problem;
        if (answer.status === 422 && problem.code === 'invalid_field') expect(problem.field, what).toBeTruthy();
      }
    }
    // It is still itself.
    expect((await bridge.fetch('/v1/accounts/1001')).status).toBe(200);
  });
});
