"""gdb commands for a live Kairos kernel. `make debug` loads this; `kairos` alone says what there is.

Here are the lists; what a panic would report besides is in gdb_reports.py.
"""

import sys
from pathlib import Path

import gdb

sys.path.insert(0, str(Path(__file__).resolve().parent))

from gdb_kernel import (ENDPOINT_STATES, PROCESS_STATES, THREAD_STATES, TYPE_NAMES,  # noqa: E402
                        atomic, objects, objects_of, process_of, text)
from gdb_reports import (show_history, show_holders, show_locks, show_trace,  # noqa: E402
                         show_waits)


def owners(each: gdb.Value) -> str:
    word = int(atomic(each["owners_"]))
    mask = (1 << 21) - 1
    return f"{word & mask} handles, {word >> 21 & mask} fds, {word >> 42 & mask} others"


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


VIEWS = {
    "threads": (show_threads, "", "threads: state, priority, hart, process"),
    "processes": (show_processes, "", "processes: state, threads, handles"),
    "channels": (show_channels, "", "endpoints: peer, state, messages queued, owners"),
    "objects": (show_objects, "", "all objects"),
    "handles": (show_handles, "PROCESS-ID", "the handles of a process"),
    "holders": (show_holders, "OBJECT-ID", "who holds an object, as a tree"),
    "history": (show_history, "OBJECT-ID", "the last references and transfers of an object"),
    "waits": (show_waits, "", "sleeping threads, what each waits for, and a cycle of them"),
    "trace": (show_trace, "[RECORDS]", "the last records of all harts, by time"),
    "locks": (show_locks, "", "the locks that each hart holds, in a debug kernel"),
}


def usage() -> str:
    return "\n".join(f"kairos {f'{name} {argument}':19} {what}"
                     for name, (_, argument, what) in VIEWS.items())


class Kairos(gdb.Command):
    """Looks at the kernel; `kairos` alone says at what."""

    def __init__(self) -> None:
        super().__init__("kairos", gdb.COMMAND_DATA)

    def invoke(self, argument: str, from_tty: bool) -> None:
        name, *numbers = gdb.string_to_argv(argument) or [""]
        show, wanted, _ = VIEWS.get(name, (None, "", ""))
        fits = len(numbers) == bool(wanted) or wanted.startswith("[") and not numbers
        if show is None or not fits:
            raise gdb.GdbError(usage())
        show(*(int(number, 0) for number in numbers))


Kairos()
print(usage())
