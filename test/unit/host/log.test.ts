import { expect, test } from 'vitest';
import { createLog } from '../../../container/host/log.ts';

function written(level: 'debug' | 'info', write: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = [];
  const now = (): number => Date.UTC(2026, 10, 21);
  write(createLog({ level, secrets: ['S3cretApi!', 'x'], write: (line) => lines.push(line), now }));
  return lines;
}

test('one JSON line for each event, at or above the level', () => {
  const lines = written('info', (log) => {
    log.debug('hidden');
    log.warn('shown', { status: 503, reason: null });
  });
  expect(lines).toEqual([
    '{"time":"2026-11-21T00:00:00.000Z","level":"warn","event":"shown","status":503,"reason":null}',
  ]);
});

test('fields that are not on the list are not written, whatever they hold', () => {
  const fields = { status: 200, password: 'hunter2', headers: { authorization: 'Bearer k' }, url: '/?password=p' };
  const [line = ''] = written('info', (log) => log.info('request', fields));
  expect(JSON.parse(line)).toEqual(expect.objectContaining({ status: 200 }));
  expect(line).not.toMatch(/hunter2|Bearer|password/);
});

test('known secrets are cut out of every text, stack and cause', () => {
  const cause = new Error('sent S3cretApi! away');
  const error = new TypeError('bad S3cretApi!', { cause });
  const [line = ''] = written('info', (log) =>
    log.error('failed', { error, reason: 'it was S3cretApi!', faults: ['S3cretApi!'] }),
  );
  expect(line).not.toContain('S3cretApi!');
  expect(line).toContain('[redacted]');
  expect(line).toContain('TypeError');
});
