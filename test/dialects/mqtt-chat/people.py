"""Who is there, what friends are called, and who writes just now."""
from http_api import Account
from mqtt_chat import LONG, SHORT, Device, eventually


def friends(name, **options):
    ada, bob = Account(name("ada")), Account(name("bob"))
    ada.befriend(bob)
    return ada, bob, Device(ada.uid, **options).connect(), Device(bob.uid, **options)


def sees(device, friend, word):
    """Told now or before, once or again."""
    device.wait("presence", friend.uid, lambda told: told == word)


def presence(name, names=SHORT):
    """By Last Will, whose payload nobody sees; told to whoever subscribes, and at each change."""
    _, _, ada, bob = friends(name, names=names)
    Account(name("eve"))
    eve = Device(name("eve")).connect()
    for friend in (ada, eve):
        friend.subscribe(f"{bob.uid}/{names['friend']}")
    sees(ada, bob, "F")
    bob.connect()
    sees(ada, bob, "L")
    web = Device(bob.uid, f"{bob.uid}/web", names=names).connect()
    bob.lose()
    web.leave()
    sees(ada, bob, "F")
    bob.connect()
    sees(ada, bob, "L")
    late = Device(ada.uid, f"{ada.uid}/late", names=names).connect()
    late.subscribe(f"{bob.uid}/{names['friend']}")
    sees(late, bob, "L")
    told = {payload for topic, payload in ada.heard if topic == ada.topic(bob.uid, "presence")}
    assert told == {"L", "F"}, told
    assert "L" not in [payload for _, payload in eve.heard], eve.heard


def presence_in_full(name):
    presence(name, LONG)


def words_of_presence(name):
    """A device that says that it is off looks so while it is connected, until it says otherwise or connects anew."""
    _, _, ada, bob = friends(name)
    bob.connect()
    ada.subscribe(f"{bob.uid}/s/+")
    sees(ada, bob, "L")
    for word, told in (("F", "F"), ("L", "L"), ("Offline", "F"), ("Online", "L"), ("F", "F")):
        bob.publish(f"{bob.uid}/s/l", word, qos=0, retain=True)
        sees(ada, bob, told)
    bob.leave()
    bob.connect()
    sees(ada, bob, "L")


def a_taken_over_connection(name):
    """The Will of a connection that was replaced makes nobody look off who is there."""
    _, _, ada, bob = friends(name)
    bob.connect()
    ada.subscribe(f"{bob.uid}/s/+")
    sees(ada, bob, "L")
    again = Device(bob.uid).connect()
    bob.client.loop_stop()
    ada.send(bob.uid, "still there?")
    again.wait_text("still there?")
    late = Device(ada.uid, f"{ada.uid}/late").connect()
    late.subscribe(f"{bob.uid}/s/l")
    eventually(lambda: (f"{bob.uid}/s/l", "L") in late.heard, lambda: f"{late.heard}")
    assert (f"{bob.uid}/s/l", "F") not in late.heard, late.heard


def profiles(name):
    _, bob_account, ada, bob = friends(name)
    full = Device(ada.uid, f"{ada.uid}/full", names=LONG).connect()
    bob.connect()
    bob.publish(f"{bob.uid}/s/p", {"name": "Bob B.", "status": "at tea"})
    eventually(lambda: bob_account.call("GET", "/profile")["name"] == "Bob B.", "the profile stays as it was")
    ada.subscribe(f"{bob.uid}/s/+")
    full.subscribe(f"{bob.uid}/self/+")
    assert ada.wait("profile", bob.uid) == bob.uid
    shown = full.wait("profile", bob.uid)
    assert (shown["name"], shown["status"]) == ("Bob B.", "at tea"), shown
    bob_account.call("PUT", "/profile", {"name": "Bobby"})
    assert ada.wait("profile", bob.uid) == bob.uid
    full.wait("profile", bob.uid, lambda one: one["name"] == "Bobby")
    bob.publish(f"{ada.uid}/s/p", {"name": "not yours"})
    assert "not yours" in bob.wait("messages", where=lambda one: one["s"] == "parley")["m"]


def chat_states(name, names=SHORT):
    _, _, ada, bob = friends(name, names=names)
    bob.connect()
    forms = ({"i": bob.uid, "c": "COMPOSING"}, {"id": bob.uid, "chatStateValues": "COMPOSING"})
    for form in forms:
        bob.publish(bob.topic(ada.uid, "chatstate"), form, qos=0)
        told = {"i": bob.uid, "c": "COMPOSING", "id": bob.uid, "chatStateValues": "COMPOSING"}
        assert ada.wait("chatstate") == told
    bob.publish(f"{ada.uid}/chatstate", {"i": bob.uid, "c": "PAUSED"}, qos=0)
    assert ada.wait("chatstate")["c"] == "PAUSED"


def chat_states_in_full(name):
    chat_states(name, LONG)


def client_state(name):
    """In the background nothing ephemeral comes; messages do. Back, presence comes as it is by then."""
    _, _, ada, bob = friends(name)
    ada.subscribe(f"{bob.uid}/s/+")
    sees(ada, bob, "F")
    for off, on in (
        (lambda: ada.publish(f"{ada.uid}/o/c", {"i": ada.uid, "c": "INACTVE"}),
         lambda: ada.publish(f"{ada.uid}/o/c", {"i": ada.uid, "c": "ACTIVE"})),
        (lambda: ada.publish(f"{ada.native}/state", {"active": False}),
         lambda: ada.publish(f"{ada.native}/state", {"active": True})),
    ):
        off()
        before = len(ada.heard)
        bob.connect()
        bob.publish(f"{ada.uid}/o/c", {"i": bob.uid, "c": "COMPOSING"}, qos=0)
        bob.send(ada.uid, "a message")
        ada.wait_text("a message")
        assert [topic for topic, _ in ada.heard[before:]] == [f"{ada.uid}/o/m"], ada.heard[before:]
        on()
        sees(ada, bob, "L")
        bob.leave()
        sees(ada, bob, "F")
