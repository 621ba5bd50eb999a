"""The flows of mqtt-chat's page, each by what it guarantees, with people of its own."""
import functools

import groups
import people
import side_by_side
import talk

FLOWS = [
    ("texts go both ways on the short topics of programs, with all fields that these want", talk.short_topics),
    ("the page's long topics and its alias mean the same, and each device is told in the form of its filter", talk.long_topics),
    ("a sender is who it logged in as, and nobody hears what is another's, whatever it subscribes", talk.sender_is_who_it_is),
    ("contents of programs come out as they went in, native ones as programs read them, edits and the like in words", talk.contents),
    ("messages whose ids are numbers that come again are all stored, and their receipts name them so", talk.numbers_as_ids),
    ("a message that is sent again with its id is stored once", talk.same_id_twice),
    ("what is refused is said by parley, an encrypted payload is carried as it is, and no connection ends", talk.refusals),
    ("a message larger than the server takes is confirmed by MQTT 3.1.1, and parley says that it was not sent", talk.too_large),
    ("a receipt marks a message as delivered and is told to its sender; seen on one device is told to the others", talk.receipts),
    ("a receipt after a reconnect finds its message", talk.receipts_after_a_while),
    ("all devices of a user have its messages, its own to others as well", talk.several_devices),
    ("a device that was away gets what it missed, each message once and in order", talk.away),
    ("a program without storage is shown the last messages and asks for older ones", talk.no_storage),
    ("signalling of a call reaches the other side on its topic", talk.calls),
    ("a bot of the Node SDK echoes and confirms", talk.a_bot),
    ("friends see who is there by connections and Wills, as L and F; a stranger does not", people.presence),
    ("the same on the page's topics", people.presence_in_full),
    ("a device that says it is off looks so until it says otherwise or connects anew", people.words_of_presence),
    ("the Will of a connection that was replaced makes nobody look off", people.a_taken_over_connection),
    ("friends are told of profiles and of their changes, in the form of their filters", people.profiles),
    ("chat states are taken in both forms and told with the fields of both", people.chat_states),
    ("chat states go over the page's topics and its alias", people.chat_states_in_full),
    ("a device in the background is told nothing ephemeral, and how its friends are when it is back", people.client_state),
    ("a group lives from its first list to its last member by what its clients publish", groups.a_group),
    ("the same on the page's topics of groups", groups.a_group_in_full),
    ("who is no member reads, writes and changes nothing of a group", groups.rights),
    ("who publishes another list of members than is so is told the true one", groups.lists_that_are_not_so),
    ("a room with native members is a group to those who speak mqtt-chat", groups.with_native_members),
    ("messages of groups wait for a device that is away, and so does an invitation", groups.away_from_a_group),
    ("chat states in a group reach its members", groups.states_in_a_group),
    ("a device hears the packets of a group that it has filters for; one that subscribes others what came since", groups.parts_of_a_group),
]


def names(prefix):
    return lambda name: f"{prefix}.{name}"


if __name__ == "__main__":
    side_by_side.run([(title, functools.partial(flow, names(f"f{at}"))) for at, (title, flow) in enumerate(FLOWS)])
