"""Make or read the data of speech."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ernn.speech import kaldi, manifest, timit
from ernn.speech.corpus import build_corpus

if TYPE_CHECKING:
    from ernn.recipe import Recipe


def make_data(
    recipe: "Recipe", folder: Path, workers: int, progress: Callable[[int, int], None]
) -> str:
    """Write the three splits of a recipe's corpus; return what is in them, for a user to read."""
    speech = recipe.corpus, recipe.features, recipe.corpus_seed
    return build_corpus(*speech, folder, workers, progress)


def sources(recipe: "Recipe") -> Iterable[Path]:
    """Return the files of a user that a recipe's corpus is made from."""
    corpus = recipe.corpus
    if corpus.kind == "kaldi":
        return kaldi.sources(corpus)
    if corpus.kind == "manifest":
        return manifest.sources(corpus)
    return timit.sources(Path(corpus.path or "")) if corpus.kind == "timit" else []
