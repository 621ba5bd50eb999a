// How the load generator knows a message again, in whatever form it comes: ten digits between two signs, its id and in its text.

const digits = 10;
const [first, last] = [0x3c, 0x3e];
const textBytes = 100;

/** Stands where each packet has a number of its own. */
export const mark = `<${"0".repeat(digits)}>`;
export const markedText = mark.padEnd(textBytes, "x");

/** Where the numbers of a packet stand. */
export function marksIn(packet: Buffer): number[] {
  const places: number[] = [];
  for (let at = packet.indexOf(mark); at >= 0; at = packet.indexOf(mark, at + mark.length)) places.push(at + 1);
  return places;
}

/** The packet with its number in all these places. */
export function marked(packet: Buffer, places: readonly number[], number: number): Buffer {
  const copy = Buffer.from(packet);
  const text = String(number).padStart(digits, "0");
  for (const at of places) copy.write(text, at, "latin1");
  return copy;
}

/** As a mark. */
export function markOf(number: number): string {
  return `<${String(number).padStart(digits, "0")}>`;
}

/** undefined: it is no packet of ours. */
export function numberIn(payload: Buffer): number | undefined {
  let at = payload.indexOf(first);
  // Of a binary packet any byte may be the first sign.
  while (at >= 0 && payload[at + digits + 1] !== last) at = payload.indexOf(first, at + 1);
  if (at < 0) return undefined;
  let number = 0;
  for (let digit = at + 1; digit <= at + digits; digit++) number = 10 * number + payload[digit]! - 0x30;
  return number;
}
