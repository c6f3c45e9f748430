/** Mail, news and push notices: kept, so that tests can see what was sent. Bounded. */

interface Mail {
  readonly id: number;
  readonly timeMs: number;
  readonly from: string;
  readonly fromLogin: number;
  readonly to: readonly number[];
  readonly subject: string;
  readonly body: string;
}

interface News {
  readonly id: number;
  readonly timeMs: number;
  readonly subject: string;
  readonly category: string;
  readonly language: number;
  readonly priority: number;
  readonly body: string;
}

interface Notice {
  readonly timeMs: number;
  readonly logins: readonly number[];
  readonly text: string;
}

const KEPT = 1000;

export class PostRoom {
  readonly mails: Mail[] = [];
  readonly news: News[] = [];
  readonly notices: Notice[] = [];
  #lastId = 0;

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  keep<T>(list: T[], item: T): void {
    list.push(item);
    if (list.length > KEPT) list.shift();
  }
}
