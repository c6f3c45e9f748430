/** How an account stands with its margin, as the server declares it. */
export interface AccountMargin {
  readonly login: number;
  readonly activation: 'none' | 'margin_call' | 'stop_out';
  /** When it was declared, epoch ms; null = it is not. */
  readonly sinceMs: number | null;
  readonly group?: string | undefined;
  /** Decimals; when it was declared. The level is percent. */
  readonly equity: string | null;
  readonly margin: string | null;
  readonly marginLevel: string | null;
}

/** A deal by which the server closed a position of an account in stop-out; decimals, lots. */
export interface ClosedByStopOut {
  readonly login: number;
  readonly group?: string | undefined;
  readonly ticket: string;
  readonly position: string | null;
  readonly symbol: string | null;
  readonly volume: string | null;
  readonly price: string | null;
  readonly profit: string | null;
  readonly comment: string | null;
}

export interface MarginApi {
  /** Logins that are told to be in margin call or stop-out. */
  known(): Promise<readonly number[]>;
  /** Tells of those that are not as they were told last. */
  saw(accounts: readonly AccountMargin[]): Promise<void>;
  closed(deals: readonly ClosedByStopOut[]): Promise<void>;
}
