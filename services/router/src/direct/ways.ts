// How copies for each topic go now: past the broker or through it, and what is under way.

export interface Way {
  readonly topic: string;
  /** with the edge, and not finished */
  handed: number;
  /** on their way to the broker */
  atBroker: number;
  /** the edge has not refused one since it was asked, and has none late */
  isDirect: boolean;
  /** performance.now(): the edge is not asked before */
  askAt: number;
  /** What is to be done, in this order, when nothing is on its way to the broker any more. `isCut`: a session ended with some of it. */
  readonly waiting: ((isCut: boolean) => void)[];
  /** the broker may lack some that the next holder of its packet publishes */
  isCut: boolean;
}

export interface Ways {
  of(topic: string): Way;
  /** Before several are asked for: what is idle may go. */
  makeRoom(): void;
  /** The edge is gone, and what it was given goes through the broker. */
  forgetDirect(): void;
}

const keptMax = 200_000;

export function openWays(): Ways {
  const ways = new Map<string, Way>();
  let forgetAt = keptMax;

  // One under way counts for the order of the next; of the others nothing is lost, they are asked about again.
  function makeRoom(): void {
    if (ways.size < forgetAt) return;
    for (const [topic, { handed, atBroker }] of ways) if (handed === 0 && atBroker === 0) ways.delete(topic);
    forgetAt = Math.max(keptMax, 2 * ways.size);
  }

  return {
    of(topic) {
      let way = ways.get(topic);
      if (way === undefined) {
        way = { topic, handed: 0, atBroker: 0, isDirect: false, askAt: 0, waiting: [], isCut: false };
        ways.set(topic, way);
      }
      return way;
    },
    makeRoom,
    forgetDirect() {
      for (const way of ways.values()) {
        way.handed = 0;
        way.isDirect = false;
      }
    },
  };
}
