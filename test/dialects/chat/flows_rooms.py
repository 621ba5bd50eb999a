"""Rooms and their members."""
from bert import Atom
from chat import Native, Person, next_phone, texts
from http_json import http
from records import make, muc


def error(word):
    return (Atom("error"), Atom(word))


def leave(*people):
    for person in people:
        person.device.leave()


def member(person, status="member", era="v1"):
    return make(era, "Member", phone_id=person.id, status=status)


def people(era="v1"):
    return Person(era), Person(era), Person("late" if era == "v1" else "v1")


def room(ada, *others):
    name = f"lobby-{next_phone()}"
    ada.device.send("Room", id=name, name="Lobby", members=[member(one, era=ada.era) for one in others],
                    admins=[member(ada, "admin", ada.era)], type="group", status="create")
    made = ada.device.record("Room", id=name, status="create")
    return name, made


def create():
    """a room is made with its members, who are told of it, and what is said in it reaches all of them"""
    ada, bob, carl = people()
    name, made = room(ada, bob, carl)
    assert [one["phone_id"] for one in made["members"]] == sorted([bob.id, carl.id])
    assert [one["phone_id"] for one in made["admins"]] == [ada.id]
    for person in (bob, carl):
        person.device.record("Room", f"ses/{person.phone}", id=name, status="create", since=0)
    bob.device.record("Message", f"room/{name}", status="muc", since=0)
    msg_id = ada.say(name, "hello all")
    for person in (ada, bob, carl):
        heard = person.device.record("Message", f"room/{name}", msg_id=msg_id, since=0)
        assert texts(heard) == ["hello all"] and heard["to"] == name and heard["feed_id"] == muc(name)
    bob.device.send("Room", id=name, status="get")
    whole = bob.device.record("Room", f"actions/1/api/{bob.client_id}", id=name, status="get")
    assert len(whole["members"]) == 2 and whole["name"] == "Lobby"
    leave(ada, bob, carl)


def late_create():
    """the later records have the new room on the phone's topic, under a name of 107 characters"""
    ada, bob, _ = people("late")
    name = "11111111-2222-3333-4444-555555555555_" + "x" * 33 + "-" + ada.phone + "_6666666-7777-8888-9999"
    ada.device.send("Room", id=name, name="Test group", members=[member(bob, era="late")], type="group", status="create")
    ada.device.record("Room", f"ses/{ada.phone}", id=name, status="create")
    msg_id = bob.say(name, "here")
    ada.device.record("Message", f"room/{name}", msg_id=msg_id, since=0)
    leave(ada, bob)


def changes():
    """a room's name is changed, members are added and removed, leave, are banned; all are told, and only who may does it"""
    ada, bob, carl = people()
    name, _ = room(ada, bob)
    topic = f"room/{name}"
    bob.device.send("Room", id=name, name="Mine", status="patch")
    assert bob.device.code() == error("permission_denied")
    ada.device.send("Room", id=name, name="Hall", description="all of us", status="patch")
    assert bob.device.record("Room", topic, id=name, status="patch")["name"] == "Hall"
    ada.device.send("Room", id=name, members=[member(carl)], status="add")
    added = bob.device.record("Room", topic, id=name, status="add")
    assert [one["phone_id"] for one in added["members"]] == [carl.id]
    carl.device.record("Room", f"ses/{carl.phone}", id=name, since=0)
    bob.device.expect("a system line", lambda _t, one: getattr(one, "name", "") == "Message" and one["status"] == "muc" and carl.id in texts(one)[0])
    ada.device.send("Room", id=name, members=[member(carl)], status="remove")
    bob.device.record("Room", topic, id=name, status="remove")
    carl.say(name, "still here?")
    assert carl.device.code() == error("permission_denied")
    ada.device.send("Room", id=name, members=[member(carl)], status="ban")
    bob.device.record("Room", topic, id=name, status="ban")
    ada.device.send("Room", id=name, members=[member(carl)], status="unban")
    bob.device.record("Room", topic, id=name, status="unban")
    bob.device.send("Room", id=name, members=[member(bob)], status="mute")
    bob.device.record("Room", f"ses/{bob.phone}", id=name, status="mute")
    bob.device.send("Room", id=name, members=[member(bob)], status="unmute")
    bob.device.record("Room", f"ses/{bob.phone}", id=name, status="unmute")
    bob.device.send("Room", id=name, status="leave")
    ada.device.record("Room", topic, id=name, status="leave")
    ada.device.send("Room", id=name, status="delete")
    ada.device.record("Room", topic, id=name, status="delete")
    bob.device.send("Room", id=name, status="get")
    assert bob.device.code()[0] == "error"
    leave(ada, bob, carl)


def names():
    """a member's name is changed, and told in the room"""
    ada, bob, _ = people()
    name, _ = room(ada, bob)
    bob.device.send("Member", feed_id=muc(name), phone_id=bob.id, names="Bob", alias="bobby", status="patch")
    changed = bob.device.record("Member", f"room/{name}", status="patch")
    assert (changed["names"], changed["alias"], changed["phone_id"]) == ("Bob", "bobby", bob.id)
    leave(ada, bob)


def reading():
    """a cursor in a room marks it as read for the reader's devices"""
    ada, bob, _ = people()
    name, _ = room(ada, bob)
    sent = bob.device.record("Message", msg_id=ada.say(name, "one"), since=0)
    bob.device.send("History", roster_id=bob.id, feed=muc(name), entity_id=sent["id"], status="update")
    mark = bob.device.record("Room", id=name, status="last_msg")
    assert mark["unread"] == 0 and mark["last_msg"]["id"] == sent["id"]
    bob.device.send("Roster", id=1, status="get")
    [listed] = [one for one in bob.device.record("Roster", status="get")["roomlist"] if one["id"] == name]
    assert listed["unread"] == 0
    leave(ada, bob)


def joining():
    """an open room that native users made is joined, and left to nobody's harm"""
    ada, nina = Person(), Native()
    name = f"open-{nina.uid}"
    http("POST", "/rooms", {"id": name, "name": "Open", "settings": {"join": "open"}}, nina.token)
    ada.device.send("Search", id=1, ref="r", field="link", type=Atom("=="), value=name, status="room")
    assert ada.device.io()["data"]["roomlist"][0]["name"] == "Open"
    ada.device.send("Room", id=name, status="join")
    ada.device.record("Room", f"ses/{ada.phone}", id=name)
    nina.send(f"room/{name}", {"type": "text", "data": "welcome"})
    ada.device.expect("the welcome", lambda _t, one: getattr(one, "name", "") == "Message" and texts(one) == ["welcome"])
    ada.device.send("Room", id="no-such-room", status="join")
    assert ada.device.code() == error("room_not_found")
    ada.device.leave()


FLOWS = [create, late_create, changes, names, reading, joining]
