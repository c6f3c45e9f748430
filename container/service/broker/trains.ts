import { LRUCache } from 'lru-cache';
import type { BridgeError } from '../../contract/errors.ts';
import type { Command, ManyForm, Reply, Train } from '../../session/upstream.ts';
import { Fields, payloadObjects } from '../../webapi/fields.ts';
import type { WireObject, WireValue } from '../../webapi/fields.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import type { Query } from './broker.ts';
import { exactBody } from './exact-body.ts';
import { replyError } from './upstream-errors.ts';

/**
 * Which reads have a form for many, and how the answer to many is told apart (mt5-webapi §3.3, §3.6): by the item's own
 * Login or ticket, never by its place, since batches leave out what they have nothing about.
 */
interface FormForMany {
  readonly batch: string;
  readonly by: 'login' | 'ticket' | 'symbol';
  /** The field that tells whose a row is. */
  readonly field: string;
  /** What the single form would answer; `undefined` = the rows do not tell. */
  readonly answer: (rows: readonly WireObject[], query: ReadonlyMap<string, string>) => WireValue | undefined;
}

/** An account with more rows than this keeps others waiting for its own. */
const LONG_ROWS = 500;
/** Windows longer than this may hold years of everybody. */
const LONGEST_WINDOW_SECONDS = 31 * 86_400;
const ACCOUNTS_REMEMBERED = 5_000;

const only = (rows: readonly WireObject[]): WireValue | undefined => rows[0];
/** The first page is told by the whole only where it holds the whole: in which order pages come is not documented. */
const firstPage = (rows: readonly WireObject[], query: ReadonlyMap<string, string>): WireValue | undefined =>
  rows.length <= Number(query.get('total')) ? rows : undefined;
const total = (rows: readonly WireObject[]): WireValue => ({ Total: String(rows.length) });

function groupOf([user]: readonly WireObject[]): WireValue | undefined {
  const group = user && new Fields(user).text('Group');
  return group === undefined ? undefined : { Group: group };
}

const single = (kind: string, field: string): FormForMany => ({
  batch: `${kind}/get_batch`,
  by: 'ticket',
  field,
  answer: only,
});

const NUMBER = /^\d{1,20}$/;
/** One symbol, neither a mask nor a list; a hundred of them fit into the 4096 characters of a list (mt5-webapi §3.5). */
const PLAIN_SYMBOL = /^[^,*!\s]{1,31}$/;

const FORMS: Readonly<Record<string, FormForMany>> = {
  'user/get': { batch: 'user/get_batch', by: 'login', field: 'Login', answer: only },
  'user/group': { batch: 'user/get_batch', by: 'login', field: 'Login', answer: groupOf },
  'user/account/get': { batch: 'user/account/get_batch', by: 'login', field: 'Login', answer: only },
  'order/get': single('order', 'Order'),
  'history/get': single('history', 'Order'),
  'deal/get': single('deal', 'Deal'),
  'position/get_batch': { ...single('position', 'Position'), answer: (rows) => rows },
  // Not `tick/last`: whoever goes on from its `trans_id` needs the one of his own answer.
  'tick/last_group': { batch: 'tick/last_group', by: 'symbol', field: 'Symbol', answer: (rows) => rows },
  ...Object.fromEntries(
    ['position', 'order', 'history', 'deal'].flatMap((kind) => {
      const form = { batch: `${kind}/get_batch`, by: 'login', field: 'Login' } as const;
      return [
        [`${kind}/get_page`, { ...form, answer: firstPage }],
        [`${kind}/get_total`, { ...form, answer: total }],
      ];
    }),
  ),
};

export interface TrainFormsOptions {
  /** Whether this build has shown not to have a command. */
  readonly lacks: (path: string) => boolean;
  readonly onLacking: (path: string, error: BridgeError) => void;
}

export class TrainForms {
  readonly #options: TrainFormsOptions;
  /** `batch login` of those with long lists. */
  readonly #long = new LRUCache<string, true>({ max: ACCOUNTS_REMEMBERED });

  constructor(options: TrainFormsOptions) {
    this.#options = options;
  }

  /** The form for many of a read; `undefined` = it travels by itself. */
  of(path: string, query: Query): ManyForm | undefined {
    const form = FORMS[path];
    if (!form || this.#options.lacks(form.batch)) return undefined;
    const asked = new Map(query);
    const item = asked.get(form.by);
    // What is asked for several at once, or for a part of a list, has no single form.
    if (item === undefined || !(form.by === 'symbol' ? PLAIN_SYMBOL : NUMBER).test(item)) return undefined;
    if ((asked.get('offset') ?? '0') !== '0') return undefined;
    const window = query.filter(([name]) => ![form.by, 'offset', 'total'].includes(name));
    if (!isShort(window) || this.#long.has(`${form.batch} ${item}`)) return undefined;
    return {
      key: JSON.stringify([form.batch, form.by, window]),
      item,
      train: this.#train(form, window),
      answer: (rows) => {
        const value = form.answer(rows as readonly WireObject[], asked);
        return value === undefined ? undefined : new PartOfReply(value);
      },
    };
  }

  #train(form: FormForMany, window: Query): Train {
    const { batch, by } = form;
    return {
      name: batch,
      command: (items): Command => ({ path: batch, query: [[by, items.join(',')], ...window] }),
      arrived: (reply, items) => this.#arrived(form, reply, new Set(items)),
      isUsable: () => !this.#options.lacks(batch),
      isTooMany: ({ retcode }) => retcode === RETCODE.ERR_FREQUENT || retcode === RETCODE.ERR_PARTIAL,
    };
  }

  #arrived(form: FormForMany, reply: Reply, items: ReadonlySet<string>): ReturnType<Train['arrived']> {
    const { batch } = form;
    if (reply.retcode === RETCODE.ERR_NOTFOUND) return new Map();
    const error = replyError(reply, { path: batch });
    if (error?.code === 'broker_unsupported') {
      this.#options.onLacking(batch, error);
      return 'singles';
    }
    if (reply.retcode === undefined) return 'singles';
    if (reply.retcode !== RETCODE.OK) return 'halves';
    let parts: Map<string, WireObject[]>;
    try {
      parts = partsOf(reply, form, items);
    } catch {
      // Each is told what is wrong with its own.
      return 'singles';
    }
    for (const [item, part] of parts) if (part.length > LONG_ROWS) this.#long.set(`${batch} ${item}`, true);
    return parts;
  }
}

function isShort(window: Query): boolean {
  const named = new Map(window);
  const [from, to] = [named.get('from'), named.get('to')];
  return (from === undefined && to === undefined) || Number(to) - Number(from) <= LONGEST_WINDOW_SECONDS;
}

/** The rows by whose they are. @throws BridgeError `broker_malformed` */
function partsOf(reply: Reply, { batch, field }: FormForMany, items: ReadonlySet<string>): Map<string, WireObject[]> {
  const parts = new Map<string, WireObject[]>();
  for (const row of payloadObjects(exactBody(reply, batch))) {
    const whose = new Fields(row).text(field);
    if (whose === undefined || !items.has(whose)) continue;
    const part = parts.get(whose);
    if (part) part.push(row);
    else parts.set(whose, [row]);
  }
  return parts;
}

/** What the single form would have answered, decoded already. */
export class PartOfReply implements Reply {
  readonly status = 200;
  readonly contentType = 'application/json';
  readonly bytes = new Uint8Array();
  readonly retcode = RETCODE.OK;
  readonly retcodeText = 'Done';
  readonly body: WireObject;

  constructor(answer: WireValue) {
    this.body = { retcode: '0 Done', answer };
  }

  json(): Record<string, unknown> {
    return this.body;
  }
}
