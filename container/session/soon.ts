/** Work that is done once, when whoever waited for an answer has gone on, however often it is asked for meanwhile. */
export function soon(work: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    process.nextTick(() => {
      isDue = false;
      work();
    });
  };
}
