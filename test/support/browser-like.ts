/** Opens a stream as a browser does, which cannot set headers; resolves with the subprotocol that was selected. */
export function openAsBrowser(url: string, protocols: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, [...protocols]);
    socket.addEventListener('error', () => reject(new Error('the stream did not open')));
    // The first message is the acknowledgement of the key.
    socket.addEventListener('message', ({ data }) => {
      const { type } = JSON.parse(String(data)) as { type: string };
      const { protocol } = socket;
      socket.close();
      if (type === 'ack') resolve(protocol);
      else reject(new Error(`the first message is ${type}`));
    });
  });
}
