"""What a panic report says of a kernel, said in gdb of one that lives: who waits for whom, what
happened last, who holds locks; the history of an object, and who holds it.
"""

import gdb

from gdb_kernel import (TYPE_NAMES, as_type, atomic, file_local, find_object, hart_count,
                        nanoseconds, objects, objects_of, process_of, text)

REFERENCE_EVENTS = ["init", "get", "put", "last put"]
TRANSFER_EVENTS = ["take", "enqueue", "deliver", "install", "restore", "drop"]
RIGHTS = ["read", "write", "transfer", "duplicate", "wait", "manage", "map", "execute", "signal"]
BLOCKED, ENDED = 3, 4  # ThreadState
NEVER = (1 << 64) - 1  # Instant
OWNED_BY_DESCRIPTOR = 1  # OwnerClass


# ---- Who holds an object ------------------------------------------------------------------------

def holders(each: gdb.Value):
    """The nodes of an object's delegation tree, parents first, each with its depth."""
    stack = [(each["first_root_"], 0)]
    while stack:
        node, depth = stack.pop()
        if int(node) == 0:
            continue
        stack.append((node["next_sibling_"], depth))
        ghost = bool(node["ghost_"])
        if not ghost:
            yield node, depth
        stack.append((node["first_child_"], depth + (not ghost)))


def process_name(process_id: int) -> str:
    for each in objects_of("Process", "process"):
        if int(each["id_"]) == process_id:
            return f"process {process_id} '{text(each['name_'])}'"
    return f"process {process_id}"


def process_holding(cap: gdb.Value) -> int:
    """The id of the process in whose table it is; 0 for none."""
    table = atomic(cap["table_"])
    if int(table) == 0 or int(table["process_"]) == 0:
        return 0
    return int(table["process_"]["id_"])


def place_of(cap: gdb.Value) -> str:
    lies_in = int(atomic(cap["lies_in_"]))
    if cap["is_derivation_"]:
        return f"mapped in address space {lies_in}"
    process = process_holding(cap)
    if process == 0:
        sender = int(atomic(cap["traveller_of_"]))
        where = f"in the queue of {lies_in}" if lies_in else "on its way"
        return f"{where}, sent by {process_name(sender)}" if sender else where
    value = int(cap["value_"])
    descriptor = int(cap["owner_"]) == OWNED_BY_DESCRIPTOR
    return f"{process_name(process)}: {f'fd {value}' if descriptor else f'handle {value:#x}'}"


def rights_of(cap: gdb.Value) -> str:
    bits = int(cap["rights_"]["bits_"])
    return "|".join(name for bit, name in enumerate(RIGHTS) if bits >> bit & 1) or "no rights"


def show_holders(object_id: int) -> None:
    for cap, depth in holders(find_object(object_id)):
        print(f"{'  ' * depth}{place_of(cap)}, {rights_of(cap)}")


# ---- History ------------------------------------------------------------------------------------

def ring_events(ring: gdb.Value):
    """What is in an EventRing (src/base/event_ring.h), oldest first, as words of 60 bits."""
    slots = ring["slots_"]
    events = slots.type.range()[1] + 1
    words = slots[0].type.range()[1] + 1
    end = int(atomic(ring["next_"]))
    for number in range(max(0, end - events), end):
        found = [int(atomic(slots[number % events][word])) for word in range(words)]
        lap = (number // events + 1) & 15
        if all(word & 15 == lap for word in found):
            yield [word >> 4 for word in found]


def show_history(object_id: int) -> None:
    """The fields are packed as in src/object/history.cpp."""
    each = find_object(object_id)
    print(f"{TYPE_NAMES[int(each['type_'])]} {object_id}, "
          f"{int(atomic(each['references_']))} references")
    history = each["history_"]
    if int(history) == 0:
        return
    print("references:")
    for first, second in ring_events(history["references_"]):
        print(f"  {nanoseconds(first >> 8):>12} ns  {REFERENCE_EVENTS[first & 3]:8} "
              f"{second & 0xffffff} references, by thread {second >> 24} on hart {first >> 3 & 31}")
    transfers = atomic(history["transfers_"])
    if int(transfers) == 0:
        return
    print("transfers of its handles:")
    for first, second, to in ring_events(transfers.dereference()):
        print(f"  {nanoseconds(first >> 3):>12} ns  {TRANSFER_EVENTS[first & 7]:8} "
              f"from process {second >> 12} to {to}, rights {second & 0xfff:#x}")


# ---- Who waits for whom -------------------------------------------------------------------------

class Wait:
    """A sleeping thread, and the processes that can end its sleep."""

    def __init__(self, thread: gdb.Value, by_id: dict[int, gdb.Value]) -> None:
        process = process_of(thread)
        self.process = 0 if process is None else int(process["id_"])
        self.thread = (f"thread {int(thread['id_'])} '{text(thread['name_'])}' "
                       f"of {process_name(self.process)}")
        source = thread["waiter_"]["source_"]
        self.what = text(source["what_"])
        self.object = int(source["owner_"].dereference()) if int(source["owner_"]) else 0
        self.peer = 0
        self.holders: list[int] = []
        if self.object in by_id:
            self.follow(by_id[self.object], by_id)

    def follow(self, each: gdb.Value, by_id: dict[int, gdb.Value]) -> None:
        kind = TYPE_NAMES[int(each["type_"])]
        if kind == "process":
            self.holders = [self.object]
        elif kind == "thread":
            process = process_of(as_type("Thread", each))
            self.holders = [] if process is None else [int(process["id_"])]
        elif kind == "channel":
            end = as_type("Endpoint", each)
            self.peer = int(end["pair_"]["ids"][1 - int(end["side_"])])
            if self.peer in by_id:
                found = {process_holding(cap) for cap, _ in holders(by_id[self.peer])}
                self.holders = sorted(found - {0})

    def __str__(self) -> str:
        line = f"{self.thread} waits for {self.what}"
        if self.object:
            line += f" of object {self.object}"
        if self.peer:
            line += f", peer {self.peer}"
        if self.holders:
            line += ", from process " + " or ".join(map(str, self.holders))
        return line


def processes_that_may_move() -> set[int]:
    """Those with a thread that does something, or will of itself."""
    found = set()
    for thread in objects_of("Thread", "thread"):
        process, state = process_of(thread), int(atomic(thread["state_"]))
        deadline = int(atomic(thread["waiter_"]["deadline_"]))
        if process is not None and state != ENDED and (state != BLOCKED or deadline != NEVER):
            found.add(int(process["id_"]))
    return found


def find_cycle(waits: list[Wait]) -> list[Wait]:
    """Threads of which each waits for the process of the next one, and the last for the first's.
    Who may still move in one of these processes may end that, so there is none then."""
    moving = processes_that_may_move()
    waits = [wait for wait in waits if wait.process not in moving]
    done: set[int] = set()
    for start in range(len(waits)):
        path = [(start, iter(range(len(waits))))]
        while path:
            at, others = path[-1]
            for other in others:
                if waits[other].process not in waits[at].holders:
                    continue
                on_path = [place for place, _ in path]
                if other in on_path:
                    return [waits[place] for place in on_path[on_path.index(other):]]
                if other not in done:
                    path.append((other, iter(range(len(waits)))))
                    break
            else:
                done.add(at)
                path.pop()
    return []


def show_waits() -> None:
    by_id = {int(each["id_"]): each for each in objects()}
    waits = [Wait(thread, by_id) for thread in objects_of("Thread", "thread")
             if int(atomic(thread["state_"])) == BLOCKED]
    for wait in waits:
        print(wait)
    cycle = find_cycle(waits)
    if cycle:
        print("cycle: " + " -> ".join(wait.thread for wait in [*cycle, cycle[0]]))


# ---- What happened last -------------------------------------------------------------------------

def records_of(ring: gdb.Value, most: int):
    """The last records of a TraceRing (src/trace/ring.h), as words."""
    slots, mask = ring["slots_"], int(ring["mask_"])
    if int(slots) == 0:
        return
    end = int(atomic(ring["next_"]))
    begun = int(atomic(ring["begun_"]))
    for number in range(max(0, end - min(most, mask + 1)), end):
        if begun <= number + mask + 1:  # its slot is not being written again
            words = slots[number & mask]["words"]
            yield [int(atomic(words[place])) for place in range(8)]


def show_trace(most: int = 48) -> None:
    infos = gdb.parse_and_eval("kTraceEvents")
    rings = file_local("(anonymous namespace)::rings")["slots_"]
    records = [words for hart in range(hart_count())
               for words in records_of(rings[hart]["value"], most)]
    records.sort(key=lambda words: words[1])
    for _, ticks, header, thread, *values in records[-most:]:
        info = infos[header >> 16 & 0xffff]
        names = [text(info["values"][place]) for place in range(4)]
        shown = " ".join(f"{name.lstrip('#%-$@!?')}={value:#x}"
                         for name, value in zip(names, values) if name)
        print(f"{nanoseconds(ticks):>12} ns hart {header >> 32} thread {thread}: "
              f"{text(info['name'])} {shown}")


# ---- Locks --------------------------------------------------------------------------------------

def show_locks() -> None:
    """A release does not keep book of them: it holds none, as far as this tells."""
    for index in range(hart_count()):
        hart = gdb.parse_and_eval("Harts::harts_")[index]
        held = [str(hart["held_ranks"][place]).removeprefix("LockRank::k")
                for place in range(int(hart["held_count"]))]
        print(f"hart {index}: {', '.join(held) or 'no lock'}")
