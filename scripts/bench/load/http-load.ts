/** The load process: takes jobs over IPC, one at a time. Knows HTTP/1.1 and clocks, nothing of MetaTrader. */
import { randomUUID } from 'node:crypto';
import { LatencyHistogram } from '../measure/latency-histogram.ts';
import { HttpCaller, type Answer } from './http-caller.ts';
import type { LoadJob, LoadResult } from './job.ts';

/** Unanswered for so long after the end = failed. */
const DRAIN_MS = 5_000;
/** Node's timers tick in whole milliseconds; a request that the timer alone delayed by less than this was sent in time. */
const TIMER_TICK_MS = 1.6;

class Tally {
  readonly histogram = new LatencyHistogram();
  readonly failures: Record<string, number> = {};
  firstFailure: string | undefined;
  answerBytes = 0;
  /** Outcomes are counted only while this is true. */
  counting = false;
  readonly #expectedStatus: number | undefined;

  constructor({ expectedStatus }: Pick<LoadJob, 'expectedStatus'>) {
    this.#expectedStatus = expectedStatus;
  }

  note(outcome: Answer | Error, latencyMs: number): void {
    if (!this.counting) return;
    if (!(outcome instanceof Error) && this.#isExpected(outcome.status)) {
      this.histogram.recordMs(latencyMs);
      this.answerBytes = outcome.bytes;
      return;
    }
    const kind =
      outcome instanceof Error
        ? ((outcome as NodeJS.ErrnoException).code ?? outcome.message)
        : `HTTP ${outcome.status}`;
    this.fail(kind, outcome instanceof Error ? outcome.message : outcome.text);
  }

  #isExpected(status: number): boolean {
    return this.#expectedStatus === undefined ? status >= 200 && status < 300 : status === this.#expectedStatus;
  }

  fail(kind: string, text = kind): void {
    this.failures[kind] = (this.failures[kind] ?? 0) + 1;
    this.firstFailure ??= text;
  }
}

/** Gives each caller its requests in turn, ready for the wire. */
function requestWriter(job: LoadJob, callers: number): (caller: number) => Buffer | string {
  const { host } = new URL(job.url);
  const wires = job.requests.map(({ method, path, body }) => {
    const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: keep-alive'];
    for (const [name, value] of Object.entries(job.headers)) lines.push(`${name}: ${value}`);
    if (body !== undefined)
      lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body, 'latin1')}`);
    return { head: lines.join('\r\n'), rest: `\r\n\r\n${body ?? ''}` };
  });
  const ready = wires.map(({ head, rest }) => Buffer.from(head + rest, 'latin1'));
  const sent: number[] = [];
  return (caller) => {
    const round = sent[caller] ?? 0;
    sent[caller] = round + 1;
    // Callers own their requests: two that ask at once never ask for the same, unless there are more of them than requests.
    const own = Math.max(1, Math.ceil((wires.length - caller) / callers));
    const turn = (caller + (round % own) * callers) % wires.length;
    const wire = wires[turn];
    if (!wire) throw new Error('no requests');
    return job.newKeyEach ? `${wire.head}\r\nIdempotency-Key: ${randomUUID()}${wire.rest}` : (ready[turn] ?? '');
  };
}

async function run(job: LoadJob): Promise<LoadResult> {
  const tally = new Tally(job);
  const url = new URL(job.url);
  const count = job.kind === 'burst' ? job.callers : job.connections;
  const callers = Array.from({ length: count }, () => new HttpCaller(url, job.ca));
  const write = requestWriter(job, count);
  const cpu = process.cpuUsage();
  const measured =
    job.kind === 'paced'
      ? await paced(job, callers, write, tally)
      : job.kind === 'saturated'
        ? await saturated(job, callers, write, tally)
        : await burst(job, callers, write, tally);
  const { user, system } = process.cpuUsage(cpu);
  for (const caller of callers) caller.close();
  return {
    answered: tally.histogram.count,
    durationMs: measured,
    histogram: tally.histogram.encode(),
    failures: tally.failures,
    generatorCpuMs: (user + system) / 1000,
    answerBytes: tally.answerBytes,
    ...(tally.firstFailure === undefined ? {} : { firstFailure: tally.firstFailure }),
  };
}

type Write = (caller: number) => Buffer | string;
type JobOf<Kind extends LoadJob['kind']> = Extract<LoadJob, { kind: Kind }>;

/**
 * Resolves with the measured milliseconds, once nothing is under way any more: what is left behind would be paid for by the
 * next measurement, where the server cannot drop it.
 */
function saturated(job: JobOf<'saturated'>, callers: HttpCaller[], write: Write, tally: Tally): Promise<number> {
  return new Promise((resolve) => {
    let running = true;
    let underWay = 0;
    let onIdle: (() => void) | undefined;
    callers.forEach((caller, index) => {
      const next = (): void => {
        if (!running) return;
        const sentAtMs = performance.now();
        underWay++;
        caller.send(write(index), (outcome) => {
          if (--underWay === 0) onIdle?.();
          tally.note(outcome, performance.now() - sentAtMs);
          // A refused connection fails at once: not to be repeated in the same turn of the loop.
          if (outcome instanceof Error) setTimeout(next, 20);
          else next();
        });
      };
      next();
    });
    setTimeout(() => {
      tally.counting = true;
      const beganAtMs = performance.now();
      setTimeout(() => {
        running = false;
        tally.counting = false;
        const measuredMs = performance.now() - beganAtMs;
        const finish = (): void => {
          clearTimeout(giveUp);
          resolve(measuredMs);
        };
        const giveUp = setTimeout(finish, DRAIN_MS);
        if (underWay === 0) finish();
        else onIdle = finish;
      }, job.durationMs);
    }, job.warmUpMs);
  });
}

function paced(job: JobOf<'paced'>, callers: HttpCaller[], write: Write, tally: Tally): Promise<number> {
  return new Promise((resolve) => {
    const free = callers.map((_, index) => index);
    /** Requests whose time has come and which have no free connection yet, by their intended time. */
    const due: { readonly intendedAtMs: number; readonly counts: boolean }[] = [];
    const beganAtMs = performance.now();
    const countFromMs = beganAtMs + job.warmUpMs;
    const endAtMs = countFromMs + job.durationMs;
    let scheduled = 0;
    let underWay = 0;
    tally.counting = true;

    const dispatch = (): void => {
      while (due.length > 0 && free.length > 0) {
        const request = due.shift();
        const index = free.shift();
        const caller = index === undefined ? undefined : callers[index];
        if (!request || index === undefined || !caller) return;
        underWay++;
        caller.send(write(index), (outcome) => {
          underWay--;
          free.push(index);
          if (request.counts) tally.note(outcome, performance.now() - request.intendedAtMs);
          dispatch();
        });
      }
    };
    const timer = setInterval(() => {
      const nowMs = performance.now();
      for (;;) {
        const intendedAtMs = beganAtMs + (scheduled * 1000) / job.ratePerSecond;
        if (intendedAtMs > nowMs || intendedAtMs >= endAtMs) break;
        scheduled++;
        const inTime = nowMs - intendedAtMs < TIMER_TICK_MS;
        due.push({ intendedAtMs: inTime ? nowMs : intendedAtMs, counts: intendedAtMs >= countFromMs });
      }
      dispatch();
      const over = nowMs >= endAtMs && due.length === 0 && underWay === 0;
      if (!over && nowMs < endAtMs + DRAIN_MS) return;
      clearInterval(timer);
      for (let left = due.length + underWay; left > 0; left--) tally.fail('deadline');
      tally.counting = false;
      resolve(endAtMs - countFromMs);
    }, 1);
  });
}

function burst(job: JobOf<'burst'>, callers: HttpCaller[], write: Write, tally: Tally): Promise<number> {
  return new Promise((resolve) => {
    tally.counting = true;
    let open = callers.length;
    const beganAtMs = performance.now();
    const finish = (): void => {
      clearTimeout(timer);
      tally.counting = false;
      resolve(performance.now() - beganAtMs);
    };
    const timer = setTimeout(() => {
      for (; open > 0; open--) tally.fail('deadline');
      finish();
    }, job.deadlineMs);
    callers.forEach((caller, index) =>
      caller.send(write(index), (outcome) => {
        tally.note(outcome, performance.now() - beganAtMs);
        if (--open === 0) finish();
      }),
    );
  });
}

process.on('message', (job: LoadJob) => {
  run(job).then(
    (result) => process.send?.(result),
    (error: unknown) =>
      process.send?.({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
