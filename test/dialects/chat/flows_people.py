"""Friends, accounts, profiles, search, favourites."""
from bert import Atom
from chat import CODE, Device, Person, next_phone, texts
from records import make, p2p

ADDED = (Atom("ok"), Atom("added"))


def error(word):
    return (Atom("error"), Atom(word))


def leave(*people):
    for person in people:
        person.device.leave()


def friends():
    """a friendship is asked for, confirmed, muted, banned, unbanned and revoked, and both sides are told"""
    ada, bob = Person(), Person()

    def act(person, other, status):
        person.device.send("Friend", phone_id=person.id, friend_id=other.id, status=status)

    act(ada, bob, "request")
    assert ada.device.record("Contact", f"ses/{ada.phone}", phone_id=bob.id, status="request")
    assert bob.device.record("Contact", f"ses/{bob.phone}", phone_id=ada.id, since=0, status="authorization")
    act(bob, ada, "confirm")
    assert bob.device.record("Contact", phone_id=ada.id, status="friend")
    answer = bob.device.io()
    assert (answer["code"], answer["data"]) == (ADDED, ADDED)
    ada.device.record("Contact", phone_id=bob.id, status="friend", since=0)
    act(ada, bob, "mute")
    assert ada.device.record("Contact", phone_id=bob.id, status="muted")
    act(ada, bob, "unmute")
    assert ada.device.record("Contact", phone_id=bob.id, status="unmuted")
    act(ada, bob, "ban")
    assert ada.device.record("Contact", phone_id=bob.id, status="banned")
    assert ada.device.io()["data"] == ADDED
    act(ada, bob, "unban")
    assert ada.device.record("Contact", phone_id=bob.id, status="unbanned")
    act(ada, bob, "revoke")
    assert ada.device.record("Contact", phone_id=bob.id, status="revoke")
    act(bob, ada, "confirm")
    assert bob.device.code() == error("contact_not_found")
    act(ada, bob, "request")
    bob.device.record("Contact", phone_id=ada.id, status="authorization")
    act(bob, ada, "revoke")
    bob.device.record("Contact", phone_id=ada.id, status="revoke")
    bob.device.send("Friend", phone_id=ada.id, friend_id=bob.id, status="ban")
    assert bob.device.code() == error("permission_denied")
    leave(ada, bob)


def late_friends():
    """the later records have a friend again after unban, and may ignore who asks"""
    ada, bob = Person("late"), Person("late")
    ada.friend(bob)
    for status, told in [("ban", "banned"), ("unban", "friend")]:
        bob.device.send("Friend", phone_id=bob.id, friend_id=ada.id, status=status)
        assert bob.device.record("Contact", phone_id=ada.id, status=told)
        assert bob.device.io()["code"] == ADDED
    carl = Person("late")
    carl.device.send("Friend", phone_id=carl.id, friend_id=ada.id, status="request")
    ada.device.record("Contact", phone_id=carl.id, status="authorization", since=0)
    ada.device.send("Friend", phone_id=ada.id, friend_id=carl.id, status="ignore")
    assert ada.device.record("Contact", phone_id=carl.id, status="ignore")
    leave(ada, bob, carl)


def presence():
    """friends are told who comes and goes"""
    ada, bob = Person(), Person("late")
    ada.friend(bob)
    bob.device.leave()
    ada.device.record("Contact", f"ac/{bob.id}", presence="offline", since=0)
    at = len(ada.device.heard)
    again = Device(bob.client_id, bob.token, era="late").connect()
    ada.device.record("Contact", f"ac/{bob.id}", presence="online", since=at)
    again.send("Presence", uid=bob.id, status="offline")
    at = len(ada.device.heard)
    ada.device.record("Contact", f"ac/{bob.id}", presence="offline", since=at)
    again.leave()
    ada.device.leave()


def roster():
    """an account is read, renamed, given a nick that nobody else has, and its friends hear of it"""
    ada, bob = Person(), Person()
    ada.friend(bob)
    ada.device.send("Roster", id=1, names="Ada", surnames="Lovelace", email="a@mail.example", status="patch")
    changed = ada.device.record("Roster", f"ses/{ada.phone}", status="patch")
    assert (changed["names"], changed["surnames"], changed["email"]) == ("Ada", "Lovelace", "a@mail.example")
    assert changed["update"] > 0
    assert bob.device.record("Contact", phone_id=ada.id, names="Ada", since=0)["surnames"] == "Lovelace"
    nick = f"ada{ada.phone}"
    ada.device.send("Roster", id=1, nick=nick, status="nick")
    assert ada.device.record("Roster", f"ses/{ada.phone}", status="nick")["nick"] == nick
    bob.device.send("Roster", id=1, nick=nick, status="nick")
    assert bob.device.code() == error("nick")
    bob.device.send("Roster", id=1, nick="a b", status="nick")
    assert bob.device.code() == error("invalid_nick")
    ada.device.send("Roster", id=1, status="get")
    whole = ada.device.record("Roster", f"actions/1/api/{ada.client_id}", status="get")
    assert [one["phone_id"] for one in whole["userlist"]] == [ada.id, bob.id]
    assert (whole["names"], whole["nick"], whole["phone"]) == ("Ada", nick, ada.phone)
    ada.device.send("Roster", id=77, status="get")
    assert ada.device.code() == error("roster_not_found")
    ada.device.send("Roster", id=1, names="Ada", status="update")
    ada.device.record("Roster", status="update")
    leave(ada, bob)


def contacts():
    """contacts are added to a roster and taken out of it"""
    ada, bob = Person(), Person()
    person = make("v1", "Contact", phone_id=bob.id)
    ada.device.send("Roster", id=1, userlist=[person], status="add")
    assert ada.device.code() == ADDED
    ada.device.send("Roster", id=1, userlist=[person], status="add")
    assert ada.device.code()[:2] == (Atom("ok2"), Atom("already_present"))
    ada.device.send("Roster", id=1, userlist=[person], status="del")
    assert ada.device.code() == (Atom("ok2"), Atom("removed"), [bob.id])
    ada.device.send("Roster", id=1, userlist=[make("v1", "Contact", phone_id="380670099999_1")], status="add")
    assert ada.device.code() == error("contacts_not_found")
    leave(ada, bob)


def accounts():
    """a phone has several accounts on one session; each writes in its own name, and one is removed"""
    ada, bob = Person(), Person()
    ada.device.send("Roster", names="Second", status="create")
    made = ada.device.record("Roster", status="create")
    assert made["id"] == 2
    ada.device.send("Roster", status="list")
    assert ada.device.code() == [1, 2]
    second = f"{ada.phone}_2"
    device = ada.another()
    device.send("Message", feed_id=p2p(second, bob.id), msg_id="s-1", from_=second, to=bob.id,
                files=[ada.desc("text", "from the second")], status="client")
    assert texts(bob.device.record("Message", msg_id="s-1")) == ["from the second"]
    bob.device.send("Message", feed_id=p2p(second, bob.id), msg_id="s-2", from_=bob.id, to=second,
                    files=[ada.desc("text", "to the second")], status="client")
    device.record("Message", msg_id="s-2", since=0)
    device.send("Roster", id=2, status="remove")
    assert device.code() == (Atom("ok"), Atom("removed"))
    device.send("Roster", status="list")
    assert device.code() == [1]
    device.leave()
    leave(ada, bob)


def profile():
    """a profile is read, kept, linked to a mailbox, and there are no buckets to lend"""
    ada = Person()
    device = ada.device
    device.send("Profile", phone=ada.phone, status="get")
    assert device.record("Profile", status="get")["rosters"][0]["id"] == 1
    feature = make("v1", "Feature", id="1", key="DEFAULT_LANGUAGE", value="English:en", group="LANGUAGE_SETTING")
    device.send("Profile", phone=ada.phone, settings=[feature], status="set")
    assert device.record("Profile", status="set")["update"] > 0
    device.send("Profile", phone=ada.phone, update=5, status="update")
    assert device.record("Profile", status="update")["update"] == 5
    device.send("Profile", phone=ada.phone, status="get")
    assert device.record("Profile", status="get")["settings"][0]["value"] == "English:en"
    mail = make("v1", "Service", id="a@mail.example", type=Atom("email"), login="a@mail.example")
    device.send("Profile", phone=ada.phone, services=[mail], status="link")
    assert device.code() == (Atom("ok"), Atom("email_sent"))
    for code, word in [("000000", error("wrong_code")), (CODE, (Atom("ok"), Atom("verified")))]:
        proof = make("v1", "Service", id="a@mail.example", type=Atom("email"), password=code)
        device.send("Profile", phone=ada.phone, services=[proof], status="email")
        assert device.code() == word, device.code()
    device.send("Profile", phone=ada.phone, status="aws")
    assert device.code() == error("aws")
    device.send("Profile", phone="380670099999", status="get")
    assert device.code() == error("not_authorized")
    device.leave()


def migration():
    """a phone moves: its accounts stay who they are, and log in by the new one"""
    ada, new = Person(), next_phone()
    ada.device.send("Profile", phone=new, update=1, status="migrate")
    assert ada.device.code() == (Atom("ok"), Atom("migration"))
    proof = make("v1", "Service", type=Atom("email"), password=CODE)
    ada.device.send("Profile", phone=new, services=[proof], status="phone")
    assert ada.device.code() == (Atom("ok"), Atom("migration"))
    old, ada.phone = ada.phone, new
    client_id, token = ada.register()
    device = Device(client_id, token).connect()
    rosters = device.record("Profile", status="init", since=0)["rosters"]
    assert [one["phone_id"] for one in rosters[0]["userlist"]] == [f"{old}_1"]
    device.leave()
    ada.device.leave()


def removal():
    """a profile that is removed is gone, its friends are told, and the phone may register anew under another number"""
    ada, bob = Person(), Person()
    ada.friend(bob)
    ada.device.send("Profile", phone=ada.phone, status="remove")
    ada.device.record("Profile", status="remove")
    bob.device.record("Contact", phone_id=ada.id, status="deleted", since=0)
    ada.device._until(lambda: ada.device.state.startswith("disconnected"), "the end of the session")
    client_id, token = ada.register()
    again = Device(client_id, token).connect()
    [new] = again.record("Profile", status="init", since=0)["rosters"]
    assert (new["id"], new["userlist"][0]["phone_id"]) == (2, f"{ada.phone}_2")
    again.leave()
    leave(ada, bob)


def person():
    """a Person is read and set; another's is read only"""
    ada, bob = Person(), Person()
    ada.device.send("Person", id=ada.id, names="Ada", surnames="L", ThemeID="dark", status="set")
    ada.device.record("Person", id=ada.id, names="Ada")
    ada.device.send("Person", id=ada.id, status="get")
    own = ada.device.record("Person", id=ada.id)
    assert (own["surnames"], own["ThemeID"], own["phonelist"]) == ("L", "dark", [ada.phone])
    bob.device.send("Person", id=ada.id, status="get")
    theirs = bob.device.record("Person", id=ada.id)
    assert theirs["names"] == "Ada" and theirs["ThemeID"] == [] and theirs["phonelist"] == []
    bob.device.send("Person", id=ada.id, names="Eve", status="set")
    assert bob.device.code() == error("not_authorized")
    leave(ada, bob)


def search():
    """people are found by nick and by the phones of an address book, a room by its id"""
    ada, bob = Person(), Person()
    nick = f"bob{bob.phone}"
    bob.device.send("Roster", id=1, nick=nick, status="nick")
    bob.device.record("Roster", status="nick")

    def found(field, value, status="contact"):
        ada.device.send("Search", id=1, ref="r1", field=field, type=Atom("=="), value=value, status=status)
        answer = ada.device.io()
        assert answer["code"] == (Atom("ok"), "r1")
        return answer["data"]

    assert [one["phone_id"] for one in found("nick", nick)["userlist"]] == [bob.id]
    assert [one["phone_id"] for one in found("phone", [bob.phone, "380670099999"])["userlist"]] == [bob.id]
    assert found("link", "no-such-room", "room")["roomlist"] == []
    ada.device.send("Search", id=1, ref="r1", field="shoes", type=Atom("=="), value="44", status="contact")
    assert ada.device.code() == error("invalid_data")
    leave(ada, bob)


def favourites():
    """a message is a favourite under a tag, and no longer"""
    ada, bob = Person(), Person()
    ada.friend(bob)
    sent = ada.device.record("Message", msg_id=ada.say(bob, "keep this"))
    ada.device.send("Tag", roster_id=ada.id, name="work", color="#ff0000", status="create")
    tag = ada.device.record("Tag", name="work")["id"]
    ada.device.send("Tag", id=tag, roster_id=ada.id, name="home", status="edit")
    ada.device.record("Tag", id=tag, name="home")
    message = make("v1", "Message", id=sent["id"], feed_id=p2p(ada.id, bob.id))
    ada.device.send("Star", roster_id=ada.id, message=message, tags=[tag], status="add")
    ada.device.record("Star", status="add")
    ada.device.send("Roster", id=1, status="get")
    whole = ada.device.record("Roster", status="get")
    [star] = whole["favorite"]
    assert star["message"]["id"] == sent["id"] and star["tags"] == [tag] and whole["tags"][0]["name"] == "home"
    ada.device.send("Star", roster_id=ada.id, message=message, tags=[], status="remove")
    ada.device.record("Star", status="remove")
    ada.device.send("Tag", id=tag, roster_id=ada.id, status="remove")
    ada.device.record("Tag", status="remove")
    ada.device.send("Roster", id=1, status="get")
    whole = ada.device.record("Roster", status="get")
    assert whole["favorite"] == [] and whole["tags"] == []
    leave(ada, bob)


FLOWS = [friends, late_friends, presence, roster, contacts, accounts, profile, migration, removal, person, search, favourites]
