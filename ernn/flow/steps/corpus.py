"""Make or read the data."""

import os
from importlib import import_module

from ernn.files import write_text
from ernn.flow.run_folder import SUMMARY
from ernn.flow.work import Work
from ernn.tasks.kinds import KINDS


def run(work: Work) -> None:
    """Make or read the data."""
    affinity = getattr(os, "sched_getaffinity", None)  # not everywhere
    workers = len(affinity(0)) if affinity else os.cpu_count() or 1
    with work.progress("corpus: done") as progress:
        make_data = import_module(KINDS[work.recipe.task.kind].data).make_data
        summary: str = make_data(work.recipe, work.folder, workers, progress)
    write_text(work.folder / SUMMARY, summary)
