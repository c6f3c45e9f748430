import { topicEntry } from '../contract/frames.ts';
import { missedBy } from './missed.ts';
import { jsonList } from './chunk.ts';
import type { Member } from './member.ts';
import type { StreamCore } from './stream-core.ts';

/** Items of one frame of a snapshot: 4 MB of positions, far below the 32 MiB of a message on Cloudflare. */
const SNAPSHOT_ITEMS = 5_000;
/** Items of one frame when a client is brought up to date. */
const CATCH_UP_ITEMS = 500;

/**
 * Sends the snapshot that a member is owed, once all of it is loaded: one snapshot tells of everything asked for. A live
 * member that asked for more goes on receiving deltas meanwhile.
 */
export function serve(core: StreamCore, member: Member): void {
  const { connection, log, group } = member;
  if (member.owed.size === 0 || connection.isLagging || !log.isReady(member.owed)) return;
  if (core.missed.isOwed(member)) return;
  core.flush();
  if (connection.isLagging) return;
  const slices = log.slicesOf(member.owed, group);
  member.owed.clear();
  const rows: string[] = [];
  const stale: string[] = [];
  for (const slice of slices) {
    for (const { json } of slice.entities.values()) rows.push(json);
    if (slice.mark === 'stale') stale.push(slice.key);
  }
  let prev = group.seqOf(member);
  group.remove(member);
  group.add(member);
  member.state = 'live';
  member.seq = log.seq;
  if (member.gap !== undefined) {
    core.counters.gaps++;
    core.gaps.note(log.name, member.gap);
    const data = JSON.stringify({ reason: member.gap, sinceMs: member.since?.sinceMs ?? null });
    connection.send({ type: 'gap', topic: log.name, seq: log.seq, prev, data });
    member.gap = undefined;
    prev = log.seq;
    const missed = missedBy(member);
    for (let at = 0; at < missed.length; at += CATCH_UP_ITEMS) {
      const rows = jsonList(missed.slice(at, at + CATCH_UP_ITEMS));
      connection.send({ type: 'delta', topic: log.name, seq: prev, prev, data: rows });
    }
    member.since = undefined;
  }
  sendSnapshot(member, prev, rows);
  if (stale.length > 0) sendMark(member, 'stale', stale);
}

/** A large one goes on in deltas. Until the last of them its sequence is 0: who resumes there has to be given it anew. */
function sendSnapshot({ connection, log }: Member, prev: number, rows: readonly string[]): void {
  const topic = log.name;
  const seqAt = (end: number): number => (end < rows.length ? 0 : log.seq);
  let end = SNAPSHOT_ITEMS;
  connection.send({ type: 'snapshot', topic, seq: seqAt(end), prev, data: jsonList(rows.slice(0, end)) });
  for (; end < rows.length; end += SNAPSHOT_ITEMS) {
    const data = jsonList(rows.slice(end, end + SNAPSHOT_ITEMS));
    connection.send({ type: 'delta', topic, seq: seqAt(end + SNAPSHOT_ITEMS), prev: 0, data });
  }
}

/**
 * Sends what a live member missed since its `seq`, from the ring, one by one or only the latest of each.
 * Where the ring no longer has it: what stands now, if that is the same to the client; else a gap; else the end.
 */
export function catchUp(core: StreamCore, member: Member, mode: 'every' | 'latest'): void {
  const { log, group, connection } = member;
  if (member.state !== 'live') return;
  const from = group.seqOf(member);
  if (group.lastSeq <= from) return;
  if (log.ring.floor > from) {
    const { behind } = topicEntry(log.name);
    if (behind === 'latest') {
      const rows: string[] = [];
      for (const key of group.keys)
        for (const { json, seq } of log.slices.get(key)?.entities.values() ?? []) if (seq > from) rows.push(json);
      sendDelta(member, group.lastSeq, rows);
    } else if (behind === 'snapshot')
      owe(member, 'the client was slower than the buffer', connection.laggingSinceMs, core.options.now());
    else core.closeSlow(connection);
    return;
  }
  const rows = new Map<string, string>();
  let at = from;
  let count = 0;
  for (const entry of log.ring.since(from)) {
    // Entities of one frame only: the latest of each within it is enough in either mode's order.
    for (const change of entry.changes) {
      if (!group.keys.has(change.key)) continue;
      const row = mode === 'latest' ? `${change.key}\n${change.id}` : String(count++);
      if (rows.has(row)) core.counters.conflated++;
      rows.set(row, change.json);
    }
    at = entry.seq;
    if (mode === 'latest' || rows.size < CATCH_UP_ITEMS) continue;
    sendDelta(member, at, [...rows.values()]);
    rows.clear();
    if (!connection.isWritable()) return;
  }
  sendDelta(member, Math.max(at, group.lastSeq), [...rows.values()]);
}

/** The whole subscription from the start, declared as a gap. */
export function owe(member: Member, reason: string, sinceMs: number | undefined, nowMs: number): void {
  const seq = member.group.seqOf(member);
  member.group.remove(member);
  member.group.add(member);
  member.seq = seq;
  member.state = 'waiting';
  member.owed = new Set(member.selectors);
  member.gap = reason;
  // One that waits still has missed more, not less; one that lags was not told what was published meanwhile.
  const toldUntilMs = Math.min(member.since?.toldUntilMs ?? Infinity, member.connection.laggingSinceMs ?? nowMs);
  const fromMs = Math.min(member.since?.sinceMs ?? Infinity, sinceMs ?? Infinity, toldUntilMs);
  const byTime = member.since?.byTime ?? false;
  member.since =
    sinceMs === undefined && !member.since
      ? undefined
      : { sinceMs: fromMs, toldUntilMs, byTime, isAsked: false, rows: undefined };
}

function sendDelta(member: Member, seq: number, rows: readonly string[]): void {
  if (rows.length === 0) return;
  const prev = member.group.seqOf(member);
  member.group.remove(member);
  member.group.add(member);
  member.seq = seq;
  member.connection.send({ type: 'delta', topic: member.log.name, seq, prev, data: jsonList(rows) });
}

function sendMark(member: Member, type: 'stale' | 'live', symbols: readonly string[]): void {
  const seq = member.group.seqOf(member);
  member.connection.send({ type, topic: member.log.name, seq, prev: seq, data: JSON.stringify({ symbols }) });
}

export function sendMarks(member: Member, sinceMs: number): void {
  const marked: Record<'stale' | 'live', string[]> = { stale: [], live: [] };
  for (const key of member.group.keys) {
    const slice = member.log.slices.get(key);
    if (slice && slice.markedAtMs >= sinceMs) marked[slice.mark].push(key);
  }
  if (marked.stale.length > 0) sendMark(member, 'stale', marked.stale);
  if (marked.live.length > 0) sendMark(member, 'live', marked.live);
}
