/** The part of a simulator that a bridge needs to know. */
export interface SimulatorAddress {
  readonly port: number;
  readonly host: string;
  readonly certificateSha256: string;
}

/** Settings of a bridge that signs in at it as manager 1000, with its certificate pinned. */
export const simulatorVariables = ({ host, port, certificateSha256 }: SimulatorAddress) => ({
  MT5_SERVER: `${host}:${port}`,
  MT5_LOGIN: '1000',
  MT5_PASSWORD: 'Password1',
  MT5_TLS: `pin:${certificateSha256}`,
});
