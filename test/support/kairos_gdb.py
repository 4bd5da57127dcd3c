"""gdb commands for a live Kairos kernel: threads, processes, handles, channels, objects.

`make debug` loads this. Everything is read from the registry of objects (src/object/registry.cpp)
through the kernel's own debug information, so the commands work wherever the kernel stands still.
"""

import gdb

TYPE_NAMES = ["?", "channel", "port", "file", "memory", "process", "thread", "address space",
              "timer", "interrupt", "resource", "event", "budget"]
THREAD_STATES = ["new", "ready", "running", "blocked", "ended"]
PROCESS_STATES = ["new", "running", "ending", "ended"]
ENDPOINT_STATES = ["open", "closing", "closed"]


def pointer_to(type_name: str, address: int) -> gdb.Value:
    return gdb.Value(address).cast(gdb.lookup_type(type_name).pointer())


def offset_of(type_name: str, field: str) -> int:
    return next(f for f in gdb.lookup_type(type_name).fields() if f.name == field).bitpos // 8


def atomic(value: gdb.Value) -> gdb.Value:
    """The value inside a std::atomic, however deep the library keeps it."""
    while value.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT:
        # A static member has no position.
        value = value[next(f for f in value.type.strip_typedefs().fields() if hasattr(f, "bitpos"))]
    return value


def text(value: gdb.Value) -> str:
    return value.string(errors="replace")


def tree_nodes(root: gdb.Value):
    """The nodes of a TreeBase, in order."""
    path, node = [], root
    while path or int(node) != 0:
        while int(node) != 0:
            path.append(node)
            node = node["left"]
        node = path.pop()
        yield node
        node = node["right"]


def objects():
    """Every object in the registry, by rising id."""
    shards = gdb.parse_and_eval("ObjectRegistry::Shard::shards")
    first, last = shards.type.range()
    offset = offset_of("Object", "registry_node_")
    found = []
    for index in range(first, last + 1):
        for node in tree_nodes(shards[index]["objects"]["root_"]):
            found.append(pointer_to("Object", int(node) - offset))
    return sorted(found, key=lambda each: int(each["id_"]))


def objects_of(type_name: str, kind: str):
    return [pointer_to(type_name, int(each)) for each in objects()
            if TYPE_NAMES[int(each["type_"])] == kind]


def owners(each: gdb.Value) -> str:
    word = int(atomic(each["owners_"]))
    mask = (1 << 21) - 1
    return f"{word & mask} handles, {word >> 21 & mask} fds, {word >> 42 & mask} others"


def process_of(thread: gdb.Value):
    process = thread["surroundings_"]["process"]["object_"]
    return None if int(process) == 0 else pointer_to("Process", int(process))


def show_threads() -> None:
    print(f"{'id':>6} {'state':8} {'prio':>4} {'hart':>4}  process / thread")
    for thread in objects_of("Thread", "thread"):
        process = process_of(thread)
        owner = "kernel" if process is None else f"{int(process['id_'])} {text(process['name_'])}"
        print(f"{int(thread['id_']):>6} {THREAD_STATES[int(atomic(thread['state_']))]:8} "
              f"{int(atomic(thread['priority_'])):>4} {int(atomic(thread['home_'])):>4}  "
              f"{owner} / {text(thread['name_'])}")


def show_processes() -> None:
    print(f"{'id':>6} {'state':8} {'threads':>7} {'handles':>7}  name")
    for process in objects_of("Process", "process"):
        print(f"{int(process['id_']):>6} {PROCESS_STATES[int(atomic(process['state_']))]:8} "
              f"{int(process['thread_count_']):>7} {int(atomic(process['handles_']['used_'])):>7}  "
              f"{text(process['name_'])}")


def show_channels() -> None:
    print(f"{'id':>6} {'peer':>6} {'state':8} {'queued':>6}  owners")
    for end in objects_of("Endpoint", "channel"):
        pair = end["pair_"]
        peer = int(pair["ids"][1 - int(end["side_"])])
        print(f"{int(end['id_']):>6} {peer:>6} {ENDPOINT_STATES[int(end['state_'])]:8} "
              f"{int(end['queue_']['count_']):>6}  {owners(end)}")


def show_handles(process_id: int) -> None:
    for process in objects_of("Process", "process"):
        if int(process["id_"]) == process_id:
            break
    else:
        raise gdb.GdbError(f"no process has the id {process_id}; see 'kairos processes'")
    table = process["handles_"]
    per_chunk = 4096 // gdb.lookup_type("HandleTable::Slot").sizeof
    print(f"{'handle':>10} {'rights':>6}  object")
    for chunk in range(int(table["chunk_count_"])):
        slots = atomic(table["chunks_"][chunk])
        for index in range(per_chunk):
            word = int(atomic(slots[index]["word"]))
            if word == 0:
                continue
            each = atomic(slots[index]["object"]).dereference()
            value = int(slots[index]["generation"]) << 12 | chunk * per_chunk + index
            print(f"{value:#10x} {word & 0xffff:#06x}  "
                  f"{TYPE_NAMES[int(each['type_'])]} {int(each['id_'])}")


def show_objects() -> None:
    print(f"{'id':>6} {'type':13} {'references':>10}  owners")
    for each in objects():
        print(f"{int(each['id_']):>6} {TYPE_NAMES[int(each['type_'])]:13} "
              f"{int(atomic(each['references_'])):>10}  {owners(each)}")


class Kairos(gdb.Command):
    """Looks at the kernel: kairos threads | processes | channels | objects | handles PROCESS-ID"""

    def __init__(self) -> None:
        super().__init__("kairos", gdb.COMMAND_DATA)

    def invoke(self, argument: str, from_tty: bool) -> None:
        words = gdb.string_to_argv(argument)
        views = {"threads": show_threads, "processes": show_processes,
                 "channels": show_channels, "objects": show_objects}
        if len(words) == 1 and words[0] in views:
            views[words[0]]()
        elif len(words) == 2 and words[0] == "handles":
            show_handles(int(words[1], 0))
        else:
            raise gdb.GdbError(self.__doc__)


Kairos()
print("kairos threads | processes | channels | objects | handles PROCESS-ID")
