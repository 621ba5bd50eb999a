/** Collections of search indexes are `{service}_search.{name}`: no collection of documents has a dot. */
export const searchPrefix = "search.";
