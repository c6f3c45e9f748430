import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { advise, cronsText, type JournalItem } from '../../../scripts/tune/advice.ts';
import { cronLines } from '../../../scripts/tune/crons.ts';
import { demandOf } from '../../../scripts/tune/demand.ts';
import { CALENDAR, DAY_MS, HOUR_MS, MINUTE_MS, trace } from '../../../scripts/sleep/traces.ts';
import { nextFiring } from '../../../worker/holder/policy/cron.ts';
import { TradingHours } from '../../../worker/holder/policy/trading-hours.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const main = path.resolve(import.meta.dirname, '../../../scripts/tune/main.ts');

const tune = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, [main, ...args]).then(
    (told) => ({ code: 0, ...told }),
    (failed: { code: number; stdout: string; stderr: string }) => failed,
  );

it('crons are those of the calendar, summer and winter, and each broker has minutes of its own', () => {
  const options = { fromMs: NOW, everyMinutes: 5 };
  expect(cronLines(CALENDAR, { ...options, offsetMinutes: 0 })).toEqual([
    '*/5 20-23 * * SUN',
    '*/5 * * * MON-THU',
    '*/5 0-21 * * FRI',
  ]);
  expect(cronLines(CALENDAR, { ...options, offsetMinutes: 6 })[1]).toBe('1-59/5 * * * MON-THU');
  const always = { ...CALENDAR, markets: [{ symbols: [], hours: [[0, 10_080]] as [number, number][], holidays: [] }] };
  expect(cronLines(always, { ...options, offsetMinutes: 0 })).toEqual(['*/5 * * * *']);
});

it('a cron fires in the five minutes before every open of a year', () => {
  const lines = cronLines(CALENDAR, { fromMs: NOW, everyMinutes: 5, offsetMinutes: 3 });
  const trading = new TradingHours(CALENDAR);
  let opens = 0;
  for (let atMs = NOW; atMs < NOW + 365 * DAY_MS; opens++) {
    const window = trading.currentOrNext(atMs);
    if (window === undefined) break;
    const beforeMs = window.openMs - 5 * MINUTE_MS - 1;
    const firings = lines.map((line) => nextFiring(line, beforeMs) ?? Infinity);
    expect(Math.min(...firings)).toBeLessThanOrEqual(window.openMs);
    atMs = window.closeMs;
  }
  expect(opens).toBeGreaterThan(50);
});

it('advises no cold hit in trading hours for the least money, and a larger container where one was killed for memory', () => {
  const demand = demandOf(trace('office CRM', 1), 'a log');
  const kill: JournalItem = {
    atMs: NOW - HOUR_MS,
    event: 'crash',
    reason: 'The program ended with exit code 137 (killed).',
  };
  const facts = { id: 'main', calendar: CALENDAR, demand, journal: [] };
  const advice = advise(facts, 0, NOW);
  expect(advice).toMatchObject({ sleepPolicy: 'calendar', instanceType: 'basic', chosen: { coldInTrading: 0 } });
  expect(advice.chosen.usd).toBe(
    Math.min(...advice.rows.filter((row) => row.coldInTrading === 0).map(({ usd }) => usd)),
  );
  const second = advise({ ...facts, id: 'second', journal: [kill] }, 1, NOW);
  expect(second).toMatchObject({ instanceType: 'standard-1', why: expect.stringContaining('137') });
  expect(cronsText([advice, second])).toContain('"*/5 * * * MON-THU","*/5 0-21 * * FRI","1-59/5 20-23 * * SUN"');
});

it('the program: help, a journal, and what it cannot read', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tune-'));
  try {
    const file = path.join(folder, 'journal.json');
    const items = [
      { at: '', atMs: NOW, event: 'start', reason: 'request', instanceId: null, epoch: null, phasesMs: null },
    ];
    writeFileSync(file, JSON.stringify({ items }));
    const [help, told, nothing, wrong] = await Promise.all([
      tune('--help'),
      tune('--journal', file),
      tune(),
      tune('--journal', main),
    ]);
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('--journal FILE') });
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(/"SLEEP_AFTER": "\d+m"/);
    expect(told.stdout).toContain('"crons": ["*/5 20-23 * * SUN"');
    expect(told.stdout).toMatch(/Expected a month: .* cold hits in trading hours, .* hours awake, \d+\.\d\d USD/);
    expect(nothing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('either --url with --key, or --journal'),
    });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('is not what was expected') });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
