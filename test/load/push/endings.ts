// What was started for a measurement ends with it, the last one first.
type Ending = () => unknown;

export async function withEndings<T>(work: (t: { after(end: Ending): void }) => Promise<T>): Promise<T> {
  const endings: Ending[] = [];
  try {
    return await work({ after: (end) => void endings.push(end) });
  } finally {
    for (const end of endings.toReversed()) await end();
  }
}
