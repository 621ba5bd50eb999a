// What history asks api for a page of conversations; the subject stands in subjects.ts.

/** `people.names`: what these users are called, as `by` knows them; at most `namesMost`. */
export interface NamesRequest {
  by: string;
  uids: string[];
}

/** In their order: the nick in `by`'s roster, else the profile's, else its name, else the uid. As many as a reply holds. */
export interface NamesReply {
  names: string[];
}

export const namesMost = 1_000;
