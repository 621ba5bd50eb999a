// The export of an account: a ZIP, which is no JSON, so it is no method.

export const exportPath = "/account/export";

/** What is served on it. */
export const exportRoutes: readonly { verb: "GET"; path: string }[] = [{ verb: "GET", path: exportPath }];
