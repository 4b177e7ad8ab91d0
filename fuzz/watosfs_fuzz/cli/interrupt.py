"""``watosfs-fuzz interrupt``: the power cut everywhere in mkfs, the first mount, and repair."""

import argparse
import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from watosfs_fuzz.crash.explore import Exploration, count_text
from watosfs_fuzz.crash.persistence import PERSISTENCES
from watosfs_fuzz.upkeep import fat, wfs3, wfs3_growing, wfs3_snapshots
from watosfs_fuzz.upkeep.task import Task, cut_everywhere

TASKS: dict[str, Task] = {
    task.name: task
    for tasks in (wfs3.TASKS, wfs3_snapshots.TASKS, wfs3_growing.TASKS, fat.TASKS)
    for task in tasks
}
_EXIT_FOUND = 1


def run(options: argparse.Namespace) -> int:
    """Every crash of each task; 1 when one leaves what it must not."""
    unknown = [name for name in options.task if name not in TASKS]
    if unknown:
        raise ValueError(f"no task {unknown[0]!r}; there are: {', '.join(TASKS)}")
    if options.list:
        for task in TASKS.values():
            print(f"{task.name:16}  {task.about}")
        return 0
    persistence = PERSISTENCES[options.device]
    found = {
        name: cut_everywhere(TASKS[name], options.nested, persistence, options.cap)
        for name in options.task or TASKS
    }
    if options.json:
        print(json.dumps({name: figures(e) for name, e in found.items()}, indent=1))
    else:
        show(found)
    return _EXIT_FOUND if any(e.failures for e in found.values()) else 0


def figures(exploration: Exploration) -> dict[str, object]:
    """One task for programs; counts of images are strings, as they outgrow most number types."""
    return {
        "crash_points": exploration.windows,
        "legal_crash_images": str(exploration.images),
        "images_left_out": str(exploration.images_left_out),
        "recoveries": exploration.recoveries,
        "failures": [{**asdict(f), "choice": str(f.choice)} for f in exploration.failures],
    }


def show(found: dict[str, Exploration]) -> None:
    """A table, and what is wrong below it."""
    table = Table("task", *("crash points", "images", "left out", "recoveries", "failures"))
    for name, e in found.items():
        counts = (e.windows, e.images, e.images_left_out, e.recoveries, len(e.failures))
        table.add_row(name, *map(count_text, counts))
    Console().print(table)
    for name, e in found.items():
        for failure in e.failures:
            print(f"{name}: {failure.where}, {failure.choice}: {failure.reason}")
