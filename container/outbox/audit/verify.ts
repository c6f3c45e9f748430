import { type AuditRecord, DAY_TYPE, type DayHead, EMPTY_CHAIN, hashedText, parseLine } from './record.ts';
import { type Digests, WEB_DIGESTS } from '../digests.ts';
import { isDaySigned } from './signing.ts';
import { readObjectKey } from './store.ts';

export interface AuditFault {
  /** The object, and the line in it, from 1. */
  readonly key: string;
  readonly line: number;
  /** Number of the record; null where it cannot be read. */
  readonly seq: number | null;
  readonly fault: string;
}

export interface AuditVerdict {
  readonly objects: number;
  readonly records: number;
  /** Numbers of records whose event was erased. */
  readonly erased: readonly number[];
  /** The last record. */
  readonly head: { readonly seq: number; readonly hash: string };
  /** That the days are signed with. */
  readonly publicKey: string | null;
  readonly faults: readonly AuditFault[];
}

export interface AuditExpectation {
  /** Hash of a record, kept elsewhere: it must be there. */
  readonly head?: string | undefined;
  /** The key of the days, from `GET /v1/audit/head`, kept elsewhere. */
  readonly publicKey?: string | undefined;
  /** What came before this day was removed in order (`2026-11-28`). */
  readonly since?: string | undefined;
}

/**
 * Goes through the objects of one audit in the order of their keys, and names every record that is altered, and every place
 * where some are missing or out of order.
 */
export class AuditVerifier {
  readonly #expected: AuditExpectation;
  readonly #digests: Digests;
  readonly #faults: AuditFault[] = [];
  readonly #erased: number[] = [];
  #objects = 0;
  #records = 0;
  #last: Pick<AuditRecord, 'seq' | 'hash'> | undefined;
  #day = '';
  #publicKey: string | null;
  #hasHead: boolean;

  constructor(expected: AuditExpectation = {}, digests: Digests = WEB_DIGESTS) {
    this.#expected = expected;
    this.#digests = digests;
    this.#publicKey = expected.publicKey ?? null;
    this.#hasHead = expected.head === undefined || expected.head === EMPTY_CHAIN.hash;
  }

  async add(key: string, text: string): Promise<void> {
    this.#objects += 1;
    const named = readObjectKey(key);
    const lines = text.split('\n');
    const rest = lines.pop();
    const say = (line: number, seq: number | null, fault: string): void =>
      void this.#faults.push({ key, line, seq, fault });
    if (!named) say(1, null, 'the object’s name is not one of the audit');
    if (rest !== '') say(lines.length + 1, null, 'the object does not end with a whole line');
    if (lines.length === 0) say(1, named?.seq ?? null, 'the object is empty');
    for (const [i, line] of lines.entries()) {
      const record = parseLine(line);
      if (!record) {
        const expected = this.#last && this.#last.seq + 1;
        say(i + 1, expected ?? null, 'the line is not a record as it was written');
        // The next one is measured by its own words.
        this.#last = expected === undefined ? undefined : { seq: expected, hash: '' };
        continue;
      }
      if (i === 0 && named && named.seq !== record.seq)
        say(1, record.seq, `the object’s name says that it begins with record ${named.seq}`);
      await this.#record(record, named?.day ?? '', (fault) => say(i + 1, record.seq, fault));
    }
  }

  end(): AuditVerdict {
    const { head } = this.#expected;
    const last = this.#last ?? EMPTY_CHAIN;
    if (!this.#hasHead)
      this.#faults.push({
        key: '',
        line: 0,
        seq: last.seq,
        fault: `no record has the hash ${String(head)}: what came after record ${last.seq} was cut off, or the record was altered`,
      });
    return {
      objects: this.#objects,
      records: this.#records,
      erased: this.#erased,
      head: { seq: last.seq, hash: last.hash },
      publicKey: this.#publicKey,
      faults: this.#faults,
    };
  }

  async #record(record: AuditRecord, day: string, say: (fault: string) => void): Promise<void> {
    this.#records += 1;
    this.#follow(record, day, say);
    const { seq, prev, digest, hash, event } = record;
    if (event === null) this.#erased.push(seq);
    else if ((await this.#digests.sha256(JSON.stringify(event))) !== digest)
      say('the event is not the one that was written');
    if ((await this.#digests.sha256(hashedText(seq, prev, digest))) !== hash)
      say('number, digest or hash is not what was written');
    if (event?.['type'] === DAY_TYPE) await this.#closing(event as DayHead, say);
    else if (day !== this.#day && this.#day !== '') say(`a new day begins without the head of ${this.#day}`);
    this.#day = day;
    if (hash === this.#expected.head) this.#hasHead = true;
    this.#last = { seq, hash };
  }

  #follow({ seq, prev }: AuditRecord, day: string, say: (fault: string) => void): void {
    const last = this.#last;
    if (!last) {
      const mayBegin = seq === 1 ? prev === EMPTY_CHAIN.hash : day === this.#expected.since;
      if (!mayBegin) say(`the audit begins with this record of ${day}: those before it are missing`);
      return;
    }
    if (seq === last.seq + 1) {
      if (last.hash !== '' && prev !== last.hash) say(`it does not follow record ${last.seq} as that one is now`);
    } else if (seq > last.seq + 1) say(`records ${last.seq + 1} to ${seq - 1} are missing before it`);
    else say(`it stands after record ${last.seq}: the order was changed`);
    if (day < this.#day) say(`it stands in an object of ${day}, after ${this.#day}`);
  }

  async #closing(closed: DayHead, say: (fault: string) => void): Promise<void> {
    const last = this.#last;
    if (last && last.hash !== '' && (closed.seq !== last.seq || closed.hash !== last.hash || closed.day !== this.#day))
      say(`the day’s head says that ${closed.day} ended with record ${closed.seq}`);
    this.#publicKey ??= closed.publicKey;
    if (closed.publicKey !== this.#publicKey) say('the day is signed with another key');
    if (!(await isDaySigned(closed, this.#publicKey))) say('the signature of the day’s head is not right');
  }
}
