"""Every flow of the documents of chat, each with people of its own."""
import flows_files
import flows_people
import flows_rooms
import flows_sessions
import flows_talk
import side_by_side

MODULES = (flows_sessions, flows_talk, flows_people, flows_rooms, flows_files)

if __name__ == "__main__":
    side_by_side.run([(flow.__doc__, flow) for module in MODULES for flow in module.FLOWS])
