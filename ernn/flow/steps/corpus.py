"""Make or read the speech."""

import os

from ernn.files import write_text
from ernn.flow.run_folder import SUMMARY
from ernn.flow.work import Work
from ernn.speech.corpus import build_corpus


def run(work: Work) -> None:
    """Make or read the speech."""
    recipe = work.recipe
    affinity = getattr(os, "sched_getaffinity", None)  # not everywhere
    workers = len(affinity(0)) if affinity else os.cpu_count() or 1
    with work.progress("corpus: speakers") as progress:
        summary = build_corpus(
            recipe.corpus, recipe.features, recipe.corpus_seed, work.folder, workers, progress
        )
    write_text(work.folder / SUMMARY, summary)
