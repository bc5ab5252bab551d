"""Take the dense model from a network that was trained elsewhere and imported by `ernn import`."""

from pathlib import Path

from ernn.compressed import CompressedLayer, CompressedModel
from ernn.errors import RecipeError
from ernn.files import write_text
from ernn.flow.fitting import require_fitting
from ernn.flow.run_folder import SUMMARY
from ernn.flow.score import save_float_score, task_of
from ernn.flow.work import Work
from ernn.graphs.reads import read_in_words
from ernn.recipe import LayerRecipe, ModelRecipe
from ernn.train.acoustic import AcousticModel


def run(work: Work) -> None:
    """Take the network; leave it, padded for the recipe's blocks, and its score behind."""
    recipe, task = work.recipe, task_of(work)
    assert recipe.source.path is not None  # the recipe checked it
    path = Path(recipe.source.path)
    if not path.is_file():
        raise RecipeError(
            f"[source] path = {path}",
            given="there is no such file",
            remedy="paths in a recipe are from the folder in which ernn is called: call it there, "
            "or mend the path",
        )
    network = CompressedModel.load(path)
    _require_alike(path, network, recipe.model)
    require_fitting(str(path), network, task)
    model = AcousticModel(recipe.model, network.features, network.labels, recipe.seed)
    model.take(network)
    model.save(work.run.dense_model)
    save_float_score(work, model.predict)
    write_text(work.folder / SUMMARY, network.meta.get("import", f"the network of {path}") + "\n")


def _require_alike(path: Path, network: CompressedModel, model: ModelRecipe) -> None:
    """Refuse a recipe whose [model] is another one than the network."""
    asked = [_asked(model, layer) for layer in model.layers]
    given = [_given(layer) for layer in network.layers]
    if model.output_layer:
        asked.append("output layer")
    if network.output is not None:
        given.append("output layer")
    asked = [name + read_in_words(model.sources(n), n) for n, name in enumerate(asked)]
    given = [name + read_in_words(network.sources(n), n) for n, name in enumerate(given)]
    if asked != given:
        raise RecipeError(
            f"[model] has the layers {', '.join(asked)}",
            allowed=f"those of {path}: {', '.join(given)}",
            remedy="write [model] as `ernn import` did; block sizes are yours to choose",
        )


def _asked(model: ModelRecipe, layer: LayerRecipe) -> str:
    options = model.options_of(layer)
    return _in_words(model.cell_of(layer).name, layer.hidden, layer.projection, options)


def _given(layer: CompressedLayer) -> str:
    projection = layer.output if layer.options.projection else 0
    return _in_words(layer.cell, layer.hidden, projection, layer.options)


def _in_words(cell: str, hidden: int, projection: int, options) -> str:
    kinds = (f"{cell} of {hidden}", options.cell_activation)
    more = (projection and f"projected to {projection}", options.peepholes and "with peepholes")
    return " ".join([*kinds, *filter(None, more)])
