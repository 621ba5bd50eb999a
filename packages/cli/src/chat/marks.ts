// How far one's own messages have come: sent, stored ✓, delivered ✓✓, read. No I/O.

export interface Marks {
  sending: number;
  /** seq of the latest own message that is stored; 0: none */
  stored: number;
  /** uid → high-water marks of the others */
  others: ReadonlyMap<string, { delivered: number; read: number }>;
}

export function markText({ sending, stored, others }: Marks): string {
  if (sending > 0) return "…";
  if (stored === 0) return "";
  const readers = namesWith(others, ({ read }) => read >= stored);
  if (readers.length > 0) return `✓✓ read${others.size > 1 ? ` by ${readers.join(", ")}` : ""}`;
  const receivers = namesWith(others, ({ delivered }) => delivered >= stored);
  return receivers.length > 0 ? "✓✓" : "✓";
}

function namesWith(others: Marks["others"], has: (marks: { delivered: number; read: number }) => boolean): string[] {
  return [...others].filter(([, marks]) => has(marks)).map(([uid]) => uid);
}
