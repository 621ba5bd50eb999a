// Ids that sort by time and never repeat within a device: ULIDs, monotonic within a millisecond.

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A maker of ULIDs (26 characters); each is greater than the one before, even when the clock goes back. */
export function startUlids(now: () => number = Date.now): () => string {
  let lastMs = 0;
  let digits: number[] = [];
  return () => {
    const ms = now();
    if (ms > lastMs) {
      lastMs = ms;
      digits = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte % 32);
      // Room to count upwards within the millisecond.
      digits[0] = 0;
    } else {
      increment(digits);
    }
    return encodeTime(lastMs) + digits.map((digit) => alphabet[digit]).join("");
  };
}

function increment(digits: number[]): void {
  let at = digits.length - 1;
  while (digits[at] === 31) digits[at--] = 0;
  digits[at] = (digits[at] ?? 0) + 1;
}

function encodeTime(ms: number): string {
  let text = "";
  for (let rest = ms; text.length < 10; rest = Math.floor(rest / 32)) text = alphabet[rest % 32] + text;
  return text;
}
