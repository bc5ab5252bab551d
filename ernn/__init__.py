"""ernn: block-circulant recurrent networks, from speech to a bit-exact FPGA accelerator.

The library's names are below, and `ernn.api` describes them. They are loaded when they are used, so
that `import ernn` is light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ernn.api import fit as fit
    from ernn.api import generate as generate
    from ernn.api import load_recipe as load_recipe
    from ernn.api import plan as plan
    from ernn.api import quantize as quantize
    from ernn.api import run_recipe as run_recipe
    from ernn.api import simulate as simulate
    from ernn.api import write_recipe as write_recipe
    from ernn.compressed import CompressedModel as CompressedModel
    from ernn.errors import ErnnError as ErnnError
    from ernn.flow.build import build as build
    from ernn.flow.package import package as package
    from ernn.flow.synth import synth as synth
    from ernn.hw.plan import HardwarePlan as HardwarePlan
    from ernn.importers.keras.file import from_keras as from_keras
    from ernn.importers.onnx.network import from_onnx as from_onnx
    from ernn.importers.torch.module import from_torch as from_torch
    from ernn.importers.torch.state_dict import from_state_dict as from_state_dict
    from ernn.quant.integer_model import IntegerModel as IntegerModel
    from ernn.recipe import Recipe as Recipe
    from ernn.run.simulate import Simulation as Simulation

__version__ = "0.1.0"

_HOMES = {
    "fit": "ernn.api",
    "generate": "ernn.api",
    "load_recipe": "ernn.api",
    "plan": "ernn.api",
    "quantize": "ernn.api",
    "run_recipe": "ernn.api",
    "simulate": "ernn.api",
    "write_recipe": "ernn.api",
    "CompressedModel": "ernn.compressed",
    "ErnnError": "ernn.errors",
    "build": "ernn.flow.build",
    "package": "ernn.flow.package",
    "synth": "ernn.flow.synth",
    "HardwarePlan": "ernn.hw.plan",
    "from_keras": "ernn.importers.keras.file",
    "from_onnx": "ernn.importers.onnx.network",
    "from_state_dict": "ernn.importers.torch.state_dict",
    "from_torch": "ernn.importers.torch.module",
    "IntegerModel": "ernn.quant.integer_model",
    "Recipe": "ernn.recipe",
    "Simulation": "ernn.run.simulate",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ernn' has no attribute {name!r}")
    from ernn.extras import extras_explained

    with extras_explained():
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
