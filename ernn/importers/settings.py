"""The [model] section of an imported network: what a recipe has to say of it."""

from typing import Any

from ernn.compressed import CompressedLayer, CompressedModel
from ernn.errors import ModelFileError
from ernn.graphs.reads import vector_name


def model_settings(model: CompressedModel, block: int = 1) -> dict[str, Any]:
    """Return the keys of [model] that describe a dense model.

    Args:
        model: without padding.
        block: size for every matrix of the layers; 1 leaves them dense.

    Raises:
        ModelFileError: a recipe cannot describe its layers together.
    """
    recurrent = [layer.kind for layer in model.layers if layer.kind.recurrent]
    resets = {cell.reset for cell in recurrent if cell.reset}
    if len(resets) > 1:
        raise ModelFileError(
            "the network has GRUs with the reset gate before and after the product",
            allowed="one kind in a network",
            remedy="import the two parts as networks of their own",
        )
    lstms = [layer for layer in model.layers if "peepholes" in layer.kind.parameters]
    peepholes = {"peepholes" in layer.parameters for layer in lstms}
    if len(peepholes) > 1:
        raise ModelFileError(
            "some LSTM layers of the network have peepholes and some have none",
            allowed="all or none",
            remedy="give the others peepholes of zeros",
        )
    cell = recurrent[0].called
    settings: dict[str, Any] = {"cell": cell, "peepholes": peepholes == {True}}
    if resets:
        settings["reset"] = resets.pop()
    if model.output is None:
        settings["output_layer"] = False
    if model.output_reads:
        settings["output_inputs"] = [vector_name(vector) for vector in model.output_reads]
    return {**settings, "layers": [_layer(layer, cell, block) for layer in model.layers]}


def _layer(layer: CompressedLayer, cell: str, block: int) -> dict[str, Any]:
    own: dict[str, Any] = {"hidden": layer.hidden, "block": block}
    if layer.kind.called != cell:
        own["cell"] = layer.kind.called
    if layer.kind.activations:
        own["cell_activation"] = layer.cell_activation
    if layer.options.projection:
        own["projection"] = layer.output
    if layer.reads:
        own["inputs"] = [vector_name(vector) for vector in layer.reads]
    return own
