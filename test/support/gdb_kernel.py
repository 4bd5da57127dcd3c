"""Reading a Kairos kernel's data from gdb: objects, threads, processes, the pieces they are made of.

Everything is read from the registry of objects (src/object/registry.cpp) through the kernel's own
debug information, so it works wherever the kernel stands still.
"""

import gdb

TYPE_NAMES = ["?", "channel", "port", "file", "memory", "process", "thread", "address space",
              "timer", "interrupt", "resource", "event", "budget"]
THREAD_STATES = ["new", "ready", "running", "blocked", "ended", "stopped"]
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


def find_object(object_id: int) -> gdb.Value:
    for each in objects():
        if int(each["id_"]) == object_id:
            return each
    raise gdb.GdbError(f"no object has the id {object_id}; see 'kairos objects'")


def as_type(type_name: str, each: gdb.Value) -> gdb.Value:
    return pointer_to(type_name, int(each))


def process_of(thread: gdb.Value):
    process = thread["surroundings_"]["process"]["object_"]
    return None if int(process) == 0 else pointer_to("Process", int(process))


def file_local(name: str) -> gdb.Value:
    """A variable that its file keeps to itself. Optimized together, several files describe it, of
    which one knows where it is."""
    for symbol in gdb.lookup_static_symbols(name):
        value = symbol.value()
        if not value.is_optimized_out:
            return value
    raise gdb.GdbError(f"{name} cannot be found")


def hart_count() -> int:
    return int(atomic(gdb.parse_and_eval("Harts::count_")))


def nanoseconds(ticks: int) -> int:
    second = int(file_local("arch::(anonymous namespace)::ticks_per_second"))
    return ticks * 1_000_000_000 // second
