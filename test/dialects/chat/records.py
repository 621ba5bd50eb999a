"""The records of chat, by the documents (v1) and by the header of the later programs (late)."""
from bert import Atom

V1 = {
    "Auth": "client_id dev_key user_id phone token type sms_code attempts services push os created last_online",
    "Message": "id container feed_id prev next msg_id from to created files type edit_msg seenby status",
    "Desc": "id mime payload size filename info",
    "Contact": "phone_id avatar names surnames nick email vox_id reader unread last_msg update settings presence status",
    "Roster": "id names surnames email nick userlist roomlist favorite tags phone avatar update status",
    "Profile": "phone services rosters settings update balance presence status",
    "Room": "id name description settings members admins data type tos tos_update unread last_msg update created status",
    "Member": "id container feed_id prev next feeds phone_id avatar names surnames alias email vox_id reader update "
    "settings presence status",
    "Person": "id names surnames username phonelist alias avatar localize NotificationSettings SoundSettings ThemeID "
    "voxImplantID voxImplantLogin voxImplantPassword BlockUsers balance isParticipants status",
    "Friend": "phone_id friend_id status",
    "Search": "id ref field type value status",
    "Star": "roster_id message tags status",
    "Tag": "id roster_id name color status",
    "Typing": "author room",
    "History": "roster_id feed size entity_id data status",
    "Feature": "id key value group",
    "Service": "id type data login password expiration status",
    "Loc": "x y z",
    "Cursor": "feed side position",
    "io": "code data",
}
LATE = {
    **V1,
    "Auth": "client_id dev_key user_id phone token type sms_code attempts services settings push os created last_online",
    "Desc": "id mime payload parentid data",
    "Message": "id container feed_id prev next msg_id from to created files type link seenby repliedby mentioned status",
    "Contact": "phone_id avatar names surnames nick reader unread last_msg update created settings services presence status",
    "Member": "id container feed_id prev next feeds phone_id avatar names surnames alias reader update settings services "
    "presence status",
    "Room": "id name links description settings members admins data type tos tos_update unread mentions readers last_msg "
    "update created status",
    "Friend": "phone_id friend_id settings status",
    "Star": "id client_id roster_id message tags status",
    "Tag": "roster_id name color status",
    "Typing": "phone_id comments",
    "Presence": "uid status",
    "Ack": "table id",
}
ATOMS = {"type", "status", "container", "os", "presence"}
DEFAULTS = {"container": Atom("chain"), "update": 0, "unread": 0, "reader": 0, "balance": 0}


class Rec(dict):
    """A record that was read: fields by name, texts as text."""

    def __init__(self, name, fields):
        super().__init__(fields)
        self.name = name


def make(era, name, /, **fields):
    names = (V1 if era == "v1" else LATE)[name].split()
    unknown = set(fields) - {one.rstrip("_") for one in names} - {"from_"}
    assert not unknown, f"{name} has no {unknown}"
    values = [_value(name, one, fields.get("from_" if one == "from" else one)) for one in names]
    return (Atom(name), *values)


def _value(record, name, value):
    if value is None:
        return DEFAULTS.get(name, []) if record != "Auth" else []
    if name in ATOMS and isinstance(value, str) and not (record == "Desc"):
        return Atom(value)
    return value


def read(term, era):
    """The term with its records by name; binaries that are text as text."""
    if isinstance(term, bytes):
        try:
            return term.decode()
        except UnicodeDecodeError:
            return term
    if isinstance(term, list):
        return [read(one, era) for one in term]
    if not isinstance(term, tuple):
        return term
    fields = [read(one, era) for one in term]
    name = fields[0] if fields else ""
    names = (V1 if era == "v1" else LATE).get(name, "").split() if isinstance(name, Atom) else []
    if not names or len(names) != len(fields) - 1:
        known = isinstance(name, Atom) and name in LATE and name not in ("Auth",)
        assert not known, f"{name} with {len(fields) - 1} fields is not of the set {era}"
        return tuple(fields)
    return Rec(name, dict(zip(names, fields[1:])))


def p2p(one, other):
    return (Atom("p2p"), *sorted([one, other]))


def muc(room):
    return (Atom("muc"), room)
