// The limits that every part keeps; those that are settings have their default here.

export const limits = {
  /** bytes of one packet (a setting of the router) */
  packetBytes: 64 * 1024,
  /** levels of nesting in a packet */
  packetDepth: 16,
  /** keys and elements in a packet, all levels together */
  packetNodes: 2_000,
  /** bytes of one NATS request or reply */
  requestBytes: 512 * 1024,
  /** bytes of that which bodies do not take: the header of an append request or reply has about 200 a message */
  appendHeaderBytes: 150 * 1024,
  /** messages of one append request, and of one batch in the log */
  batchMessages: 500,
  /** messages of one page */
  pageMessages: 500,
  /** bytes of one page */
  pageBytes: 256 * 1024,
  /** members up to which a room gets live receipts, typing and presence */
  smallRoomMembers: 200,
  /** members of one room */
  roomMembers: 10_000,
  /** of one in which not every member writes: a broadcast room */
  broadcastMembers: 100_000,
  /** users who are banned, and as many who are invited or ask, of one room */
  roomOutsiders: 10_000,
  /** devices with which alone one member is in a room */
  memberDevices: 16,
  /** invite links of one room that are good */
  roomLinks: 20,
  /** rooms that are nested in one room; rooms on a message's way through such ones */
  nestedRooms: 32,
  nestedDepth: 16,
  /** accounts of one login; aliases of one account */
  loginAccounts: 8,
  accountAliases: 8,
  /** of a roster: contacts, requests and blocks, about */
  rosterContacts: 5_000,
  /** tags of one contact */
  contactTags: 20,
  /** bytes of a profile's vcard */
  vcardBytes: 8 * 1024,
  /** messages that are pinned in one conversation */
  pinnedMessages: 50,
  /** contacts who are told of a user's presence */
  presenceContacts: 10_000,
  /** edits of one message */
  messageEdits: 100,
  /** reactions to one message, of all users; of one user */
  messageReactions: 2_000,
  /** different ones of them */
  reactionKinds: 100,
  reactionsEach: 20,
  /** characters of a reaction */
  reactionCharacters: 64,
  /** messages of one thread */
  threadMessages: 2_000,
  /** options of a poll; choices of all who vote in one */
  pollOptions: 20,
  pollChoices: 5_000,
  /** characters of a quoted message that are shown with its answer */
  quoteCharacters: 200,
  /** messages of one conversation that a user deleted one by one, for itself */
  hiddenMessages: 1_000,
  /** messages that one user starred */
  stars: 1_000,
  /** drafts of one user; characters of one */
  drafts: 500,
  draftCharacters: 8_192,
  /** messages of one user that wait for their time, or failed at it; days that they may wait */
  scheduled: 200,
  scheduledDays: 366,
  /** characters of a page's address; of what a preview of it says */
  addressCharacters: 2_048,
  previewTitle: 200,
  previewDescription: 400,
  previewSite: 100,
  /** files that are told of in one answer */
  listedAttachments: 50,
  /** seconds that a message may be kept that disappears: a year */
  expirySeconds: 366 * 24 * 3_600,
} as const;
