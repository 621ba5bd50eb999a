// What a look at a broker finds: of each setting whether it is as Parley needs it, and else in words what is wrong.

export interface Finding {
  /** as the broker's file names it */
  setting: string;
  /** `unseen`: the broker does not show it; `open`: with it anybody gets in or may do anything */
  state: "right" | "wrong" | "open" | "unseen";
  /** what is wrong, or why it is not seen; one sentence without its end */
  says: string;
  /** what it is for, from the file's comment */
  why: string;
  /** no step mends it: it is set in the broker's own file, or somebody else's to decide */
  byHand?: true;
}

/** One thing that setup does. */
export interface Step {
  says: string;
  run(): Promise<void>;
}

/** What is asked of a broker over its HTTP API, by its kind. */
export interface BrokerSetup {
  title: string;
  /** The version of each node. */
  versions(): Promise<string[]>;
  /** The oldest that will do, and what was wrong before it. */
  oldest: { version: string; why: string };
  inspect(): Promise<Finding[]>;
  /** What mends that; in order. */
  steps(findings: readonly Finding[]): Step[];
  /** What an operator has to know at the end. */
  remarks: string[];
}

export interface SetupTarget {
  /** where auth-webhook is, as the broker reaches it */
  hooks: string;
  hookSecret: string;
}
