"""`ernn import` on the command line."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ernn.console import DebugOption, explained, say


def import_(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="A network: .onnx, .keras, .pt2, or a state dict (.safetensors, .pt, .npz).",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the run to come.")],
    data: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Frames, and targets if you have them: .npz, .npy, CSV."),
    ] = None,
    random_calibration: Annotated[
        bool, typer.Option("--random-calibration", help="No data: only to see hardware.")
    ] = False,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the accelerator; SOURCE's.")
    ] = None,
    block: Annotated[
        int | None,
        typer.Option(metavar="K", help="Compress to blocks of K: 2 to 32; dense if not given."),
    ] = None,
    bits: Annotated[
        int | None, typer.Option(metavar="N", help="Of weights and activations; 12.")
    ] = None,
    part: Annotated[str | None, typer.Option(metavar="PART", help="FPGA.")] = None,
    start: Annotated[
        str | None, typer.Option(metavar="TENSOR", help="ONNX: where the hardware begins.")
    ] = None,
    end: Annotated[
        str | None, typer.Option(metavar="TENSOR", help="ONNX: where the hardware ends.")
    ] = None,
    fix: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="NAME=VALUE", help="ONNX: an input that is constant."),
    ] = None,
    describe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="State dicts: their layers, in TOML.")
    ] = None,
    run: Annotated[
        bool, typer.Option("--run", help="Go on to the report: integers, Verilog, simulation.")
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Import a network that was trained elsewhere, and check it against its own runtime.

    Says how the network was understood, the largest difference to torch, onnxruntime or Keras,
    what is folded, dropped or left to the host. DIR/source then holds a recipe for `ernn run`.
    """
    with explained(debug):
        from ernn.flow.chain import bring, load_recipe
        from ernn.flow.importing import Wanted, formats_of, require_data, write_import
        from ernn.importers.sources import Choice, import_network

        constants = dict(map(_constant, fix or []))
        quantization: dict[str, Any] = {} if bits is None else formats_of(bits)
        hardware = {} if part is None else {"part": part}
        wanted = Wanted(
            name or source.stem,
            data,
            random_calibration,
            block or 1,
            sections={"quantization": quantization, "hardware": hardware},
        )
        require_data(wanted)
        network = import_network(source, Choice(start, end, constants, describe))
        recipe = write_import(network, wanted, out, say)
        if run:
            bring("report", load_recipe(str(recipe)), out, say=say)
        else:
            say(f"next: ernn run {recipe} --out {out}")


def _constant(text: str) -> tuple[str, float]:
    name, _, value = text.rpartition("=")
    try:
        return (name, float(value)) if name else _refuse(text)
    except ValueError:
        return _refuse(text)


def _refuse(text: str) -> tuple[str, float]:
    raise typer.BadParameter(f"{text!r} is not NAME=VALUE with a number", param_hint="--input")
