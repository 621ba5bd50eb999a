// The port SearchIndex: which messages hold which words, newest first.

/** What a message has beside words. `file`: anything attached, pictures too. */
export const attachmentKinds = ["file", "link", "image"] as const;
export type AttachmentKind = (typeof attachmentKinds)[number];

/**
 * What is known of the message `seq` of `conv` as of the entry `version` of the same conversation: itself, an edit or a
 * recall. The highest version holds, in whatever order and however often they come.
 */
export type IndexedMessage = {
  conv: string;
  seq: number;
  version: number;
  /** unix ms; kept to the second at least, the earliest that was told */
  ts: number;
  from: string;
  /** null: nothing of it is found any more */
  text: string | null;
  has: readonly AttachmentKind[];
};

/** No later version makes a message findable that was put with this one. */
export const lastVersion: number = Number.MAX_SAFE_INTEGER;

/** Words that follow one another. `isPrefix`: the last one may go on. */
export type SearchTerm = { text: string; isPrefix?: boolean };

export type SearchQuery = {
  /** Only in these. */
  convs: readonly string[];
  /** All of them; a term without a word in it (`wordsOf`) finds nothing. */
  terms: readonly SearchTerm[];
  from?: string;
  has?: readonly AttachmentKind[];
  /** unix ms, whole seconds: at or after, and before */
  since?: number;
  until?: number;
  limit: number;
  /** Only what is behind this place: that of a message found before, or `next`. */
  after?: string;
};

/** `version`: the entry that says what the message holds now. `place`: for `after` of the same index and query. */
export type FoundMessage = { conv: string; seq: number; version: number; place: string };

/** `next`: the place behind which there may be more; null: these were the last. */
export type FoundPage = { messages: FoundMessage[]; next: string | null };

/** All methods throw StoreError `unavailable` or `full`. */
export interface SearchIndex {
  /** Many at once, all or some of them stored when it rejects: then they are put again. */
  put(messages: readonly IndexedMessage[]): Promise<void>;

  /**
   * Newest first, as far as messages were put in the order of their time. Some thousands of messages at most are looked
   * through: fewer than `limit`, or none, may be found before `next`. Throws `invalid_page` for an `after` that is no place.
   */
  find(query: SearchQuery): Promise<FoundPage>;

  /** Nothing that was replaced or removed is on the disk any more when it resolves, where the engine can promise that. */
  compact(): Promise<void>;

  /** Bytes on disk; 0 where the engine does not tell. */
  size(): Promise<number>;
}

/** Indexes by name (`^[a-z0-9]{1,32}$`): one is searched while another is built. */
export interface SearchIndexes {
  /** Opens it, made if it is not there. */
  open(name: string): Promise<SearchIndex>;
  list(): Promise<string[]>;
  /** Removes it from the disk; who has it open elsewhere is told `unavailable`. */
  drop(name: string): Promise<void>;
}
