import { expect, it } from 'vitest';
import { z } from 'zod';
import { ROUTES } from '../../../container/contract/routes.ts';

/** A URL stands in logs of proxies and histories of browsers: no route takes what must not stand there. */

const SECRET = /pass|secret|token|otp|credential|api_?key|authorization/i;
const namesOf = (schema: z.ZodType): string[] => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []);

it('no route takes a password, key or token in its path or query', () => {
  const names = ROUTES.flatMap((route) => [...namesOf(route.params), ...namesOf(route.query)]);
  expect(names).toEqual(expect.arrayContaining(['login', 'symbols', 'limit']));
  expect(names.filter((name) => SECRET.test(name))).toEqual([]);
});

it('those that take a password take it in the body of a POST, PUT or PATCH', () => {
  const taking = ROUTES.filter(({ body }) => body && namesOf(body).some((name) => SECRET.test(name)));
  expect(taking.map(({ id }) => id)).toEqual(expect.arrayContaining(['openSession']));
  for (const { method } of taking) expect(['POST', 'PUT', 'PATCH']).toContain(method);
});
