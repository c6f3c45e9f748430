import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Death, Heartbeat, HEARTBEAT_TIMINGS, type PortLook } from '../../../../worker/holder/heartbeat.ts';

const { frozenAfterMs, lookTimeoutMs, pingEveryMs, portGoneAfterMs } = HEARTBEAT_TIMINGS;

/** A process as its watcher sees it. */
class Watched {
  answersPings = true;
  port: PortLook = 'answers';
  pings = 0;
  looks = 0;
  quiet = 0;
  deaths: { death: Death; atMs: number }[] = [];
  readonly startedAtMs = Date.now();
  readonly heartbeat = new Heartbeat({
    timings: HEARTBEAT_TIMINGS,
    now: Date.now,
    ping: () => {
      this.pings += 1;
      if (this.answersPings) this.heartbeat.heard();
    },
    look: async (timeoutMs) => {
      this.looks += 1;
      if (this.port === 'silent') await new Promise((resolve) => setTimeout(resolve, timeoutMs));
      return this.port;
    },
    onQuietChannel: () => (this.quiet += 1),
    onDead: (death) => this.deaths.push({ death, atMs: Date.now() - this.startedAtMs }),
  });
}

let watched: Watched;
beforeEach(() => {
  vi.useFakeTimers();
  watched = new Watched();
  watched.heartbeat.start();
});
afterEach(() => {
  watched.heartbeat.stop();
  vi.useRealTimers();
});

it('a process that answers is asked every second and never looked at', async () => {
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watched).toMatchObject({ pings: 60, looks: 0, deaths: [] });
});

it('one that is silent on channel and port is dead after ten seconds, and within thirteen; told once', async () => {
  watched.answersPings = false;
  watched.port = 'silent';
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watched.deaths.map(({ death }) => death)).toEqual(['frozen']);
  expect(watched.deaths[0]?.atMs).toBeGreaterThanOrEqual(frozenAfterMs);
  expect(watched.deaths[0]?.atMs).toBeLessThanOrEqual(frozenAfterMs + lookTimeoutMs + pingEveryMs);
});

it('one that pauses for eight seconds lives', async () => {
  watched.answersPings = false;
  watched.port = 'silent';
  await vi.advanceTimersByTimeAsync(8_000);
  watched.answersPings = true;
  watched.port = 'answers';
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watched.deaths).toEqual([]);
});

it('one whose port answers lives, and its silent channel is renewed', async () => {
  watched.answersPings = false;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(watched.deaths).toEqual([]);
  expect(watched.quiet).toBeGreaterThan(5);
});

it('one that no longer listens is dead within seven seconds of silence, five of suspicion', async () => {
  watched.answersPings = false;
  watched.port = 'refused';
  await vi.advanceTimersByTimeAsync(500);
  watched.heartbeat.suspect();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watched.deaths.map(({ death }) => death)).toEqual(['port gone']);
  expect(watched.deaths[0]?.atMs).toBeLessThanOrEqual(500 + portGoneAfterMs + pingEveryMs);
});

it('a watcher that stood still itself asks again first', async () => {
  watched.answersPings = false;
  watched.port = 'silent';
  await vi.advanceTimersByTimeAsync(5_000);
  // Watcher and process were stopped together for forty seconds, a look being under way.
  vi.setSystemTime(Date.now() + 40_000);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(watched.deaths).toEqual([]);
  watched.answersPings = true;
  watched.port = 'answers';
  await vi.advanceTimersByTimeAsync(30_000);
  expect(watched.deaths).toEqual([]);
});
