// Rooms as methods answer them.
export function roomOf(id: string, createdBy: string, more: object = {}) {
  const names = { id, conv: `room/${id}`, name: "Tea", nick: "Tea", group: "", avatar: "" };
  return { ...names, createdBy, createdAt: 1, settings: {}, role: "owner" as const, ...more };
}
