/** A row of the table of commands: requests that are right, wrong, empty and about nothing that exists. */

export interface Ask {
  readonly query?: string;
  readonly body?: unknown;
}

export interface CommandRow {
  readonly path: string;
  readonly right: Ask;
  /** Return code of the right request; 0 unless said. */
  readonly retcode?: number;
  /** Matched against the whole reply. */
  readonly answer?: object;
  /** Return code without any parameter; left out where none are needed. */
  readonly none?: number;
  /** Requests that do not fit, each with its return code. */
  readonly wrong?: readonly (readonly [ask: Ask, retcode: number])[];
  /** About an object that does not exist. */
  readonly unknown?: readonly [ask: Ask, retcode: number];
  /** Return code for a manager without rights; 0 for commands that need none. */
  readonly noRight: number;
}

export const q = (query: string): Ask => ({ query });
export const b = (body: unknown): Ask => ({ body });
export const LONG_AGO = 'from=0&to=4102444800';
export const WHOLE_NUMBER = /^\d+$/u;
/** Minutes of a Wednesday of the past, server time. */
export const PAST_FROM = Date.UTC(2026, 10, 11, 12, 0, 0) / 1000;

export interface Known {
  readonly order: number;
  readonly history: number;
  readonly canceled: number;
  readonly deal: number;
  readonly position: number;
}

/** What a test framework offers to match with. */
export interface Matchers {
  readonly matching: (pattern: RegExp) => unknown;
  readonly anything: () => unknown;
}

/** A row of a command about one login. */
export const login = (path: string, more: string, row: Partial<CommandRow> = {}): CommandRow => ({
  path,
  right: q(`login=1001${more}`),
  none: 3,
  wrong: [
    [q(`login=abc${more}`), 3],
    [q(`login=0${more}`), 3],
  ],
  unknown: [q(`login=77777${more}`), 13],
  noRight: 8,
  ...row,
});
