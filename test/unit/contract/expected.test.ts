import { expect, it } from 'vitest';
import { validateInput } from '../../../container/contract/route.ts';
import { postBatch } from '../../../container/contract/routes/batch.ts';

it('of a field that is not known, says which are: at the top and inside', () => {
  const asked = (body: unknown): unknown => validateInput(postBatch, { params: {}, query: {}, body });
  const context = (body: unknown): unknown => {
    try {
      return asked(body);
    } catch (error) {
      return (error as { context: unknown }).context;
    }
  };
  expect(context({ requests: [{ path: '/v1/server' }], more: 1 })).toMatchObject({
    field: 'more',
    expected: 'one of requests',
  });
  expect(context({ requests: [{ path: '/v1/server', paht: 'x' }] })).toMatchObject({
    field: 'requests[0].paht',
    expected: 'one of id, path',
  });
  expect(context({})).toMatchObject({ field: 'requests', expected: 'a list' });
});
