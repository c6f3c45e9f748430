import { expect, it } from 'vitest';
import { classifyPlatformError, describePlatformError } from '../../../../worker/holder/platform-errors.ts';

/** Every text as `@cloudflare/containers` 0.3.7, workerd or Cloudflare says it (cloudflare.md §2, §4). */
it.each([
  ['there is no container instance that can be provided to this durable object', 'no_instance', null],
  ['There is no Container instance that can be provided to this Durable Object, try again later', 'no_instance', null],
  ['you are requesting too many containers per second', 'rate_limited', null],
  ['Runtime signalled the container to exit due to a new version rollout: 0', 'rollout', 0],
  ['Runtime signalled the container to exit: 143', 'signalled', 143],
  ['Container exited with unexpected exit code: 42', 'exited', 42],
  ['Container exited before we could determine the container health, exit code: 3', 'exited', 3],
  ['Container crashed while checking for ports, did you start the container …?', 'exited', null],
  ['the container is not listening in the TCP address 10.0.0.1:8080', 'not_listening', null],
  ['Container is not listening to port 8080', 'not_listening', null],
  ['Network connection lost.', 'disconnected', null],
  ['Container suddenly disconnected, try again', 'disconnected', null],
  ['Durable Object reset because its code was updated.', 'disconnected', null],
  ['something else', 'other', null],
])('%s', (text, kind, exitCode) => {
  expect(classifyPlatformError(new Error(text))).toEqual({ kind, exitCode });
  expect(classifyPlatformError(text)).toEqual({ kind, exitCode });
  expect(
    classifyPlatformError(new Error('wrapped', { cause: new Error('again', { cause: new Error(text) }) })),
  ).toEqual({
    kind,
    exitCode,
  });
});

it('knows an abort by its time limit', () => {
  expect(classifyPlatformError(new DOMException('The operation was aborted due to timeout', 'TimeoutError')).kind).toBe(
    'timeout',
  );
});

it('ends on a circle of causes and on values that are no errors', () => {
  const circle = new Error('a');
  circle.cause = circle;
  for (const value of [circle, null, undefined, 7, {}])
    expect(classifyPlatformError(value)).toEqual({ kind: 'other', exitCode: null });
});

it('tells a caller the exit code and where to look', () => {
  expect(describePlatformError({ kind: 'exited', exitCode: 1 })).toContain('exit code 1');
});
