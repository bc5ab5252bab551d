"""Results of networks as tables in Markdown; a network that was not run says so."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from networks.known import KNOWN

Result = Mapping[str, Any]
Results = Mapping[str, Result]

MISSING = "not run"
END = "<!-- end -->"


def taken(results: Results) -> str:
    """Return what became hardware and what stays outside."""
    head = ("network", "package", "becomes hardware", "weights", "largest", "stays on the host")

    def cells(result: Result) -> Iterator[Sequence[str]]:
        parts = result["parts"]
        layers = "; ".join(_named(parts, name, one["layers"]) for name, one in parts.items())
        weights = sum(one["weights"] for one in parts.values())
        largest = max(one["largest_weight"] for one in parts.values())
        difference = max(one["difference"] for one in parts.values())
        yield (
            *(result["package"], layers, f"{weights:,}", f"{largest:.2g}"),
            *(result["host"], f"{difference:.1e}"),
        )

    return _table((*head, "largest difference to the source"), results, cells)


def scores(results: Results) -> str:
    """Return the scores of the integer models."""
    kinds = ("float", "12 bits", "8 bits")

    def cells(result: Result) -> Iterator[Sequence[str]]:
        yield from _scores(result, kinds, result["data"])

    return _table(("network", "measure", *kinds, "on"), results, cells)


def rows(results: Results) -> str:
    """Return what a binary point of its own for every row of the weights changes."""
    kinds = [f"weights {bits} by {of}" for bits in (8, 6) for of in ("product", "row")]
    head = [f"{bits} bits, by {of}" for bits in (8, 6) for of in ("product", "row")]
    last = ("words compared, 8 bits by row", "latency in cycles", "LUTs")

    def cells(result: Result) -> Iterator[Sequence[str]]:
        own = result.get("rows", {})
        joined = {**result, "scores": {**result.get("scores", {}), **own}}
        made = [(one["by product"], one["by row"]) for one in own.get("hardware", {}).values()]
        words = [row["words"] for _, row in made if "words" in row]
        told = (
            f"{sum(words):,}" if words else "not simulated",
            " + ".join(f"{a['latency_cycles']} → {b['latency_cycles']}" for a, b in made),
            " + ".join(f"{a['used']['lut']:,} → {b['used']['lut']:,}" for a, b in made),
        )
        yield from _scores(joined, ("float", *kinds), *told)

    return _table(("network", "measure", "float", *head, *last), results, cells)


def hardware(results: Results) -> str:
    """Return the accelerators."""
    head = (
        *("network", "part", "cycles a frame", "latency, µs", "words compared"),
        *("energy a frame, µJ", "frames/s to keep up with", "smallest part, 12 bits", "8 bits"),
    )

    def cells(result: Result) -> Iterator[Sequence[str]]:
        for name, found in result.get("hardware", {}).items():
            latency = found["latency_cycles"] / found["clock_mhz"]
            low, typical, high = (
                _short(found["energy_uj"][one]) for one in ("low", "typical", "high")
            )
            words = f"{found['words']:,}" if "words" in found else "not simulated"
            small = found["smallest"]
            yield (
                _named(result["parts"], name, found["part"]),
                *(f"{found['cycles']:,.0f}", f"{latency:,.2f}", words),
                f"{typical} ({low} to {high})",
                *(f"{result['frames_per_second']:,.10g}", *map(_smallest, small.values())),
            )

    return _table(head, results, cells)


def summary(results: Results) -> str:
    """Return a line for each network: what most want to know."""
    head = (
        *("network", "difference to its source", "measure", "float", "12 bits", "8 bits"),
        *("latency, µs", "words compared", "smallest part that keeps up, 12 bits"),
    )

    def cells(result: Result) -> Iterator[Sequence[str]]:
        made = result.get("hardware", {}).values()
        measure, *_ = _scores(result, ("float", "12 bits", "8 bits"))
        difference = max(one["difference"] for one in result["parts"].values())
        words = [one["words"] for one in made if "words" in one]
        yield (
            f"{difference:.1e}",
            *measure,
            " + ".join(f"{one['latency_cycles'] / one['clock_mhz']:.2f}" for one in made)
            or MISSING,
            f"{sum(words):,}" if words else "not simulated",
            " + ".join((one["smallest"]["12 bits"] or {"part": "none"})["part"] for one in made),
        )

    return _table(head, results, cells)


def compressed(results: Results) -> str:
    """Return what is left of networks that were compressed, and what that costs them."""
    head = (
        *("network", "compressed to", "weights", "left dense", "measure", "dense", "float"),
        *("12 bits", "worse than dense, float", "12 bits", "updates, ADMM + retraining", "seconds"),
    )
    lines = [head, ["---"] * len(head)]
    for name, known in KNOWN.items():
        made = results.get(name, {}).get("compressed", {})
        texts = (*known.compressed, *(text for text in made if text not in known.compressed))
        for index, text in enumerate(texts):
            found = list(_compressed(made[text], results[name])) if text in made else []
            found = found or [(MISSING, *[""] * (len(head) - 3))]
            titles = [(known.title if not index else "", f"`{text}`"), ("", "")]
            lines += [[*titles[row > 0], *cells] for row, cells in enumerate(found)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _compressed(result: Result, network: Result) -> Iterator[Sequence[str]]:
    """Yield a line of cells for each measure."""
    parts = result["parts"].values()
    dense, kept = (sum(one[key] for one in parts) for key in ("dense_weights", "weights"))
    free = sorted({name for one in parts for name, size in one["blocks"].items() if size == 1})
    updates = (f"{one['updates']['admm']:,} + {one['updates']['retrain']:,}" for one in parts)
    seconds = (f"{one['seconds']:,.0f}" for one in parts)
    first = (f"{kept:,} of {dense:,}", ", ".join(free) or "nothing")
    last = ("; ".join(updates), " + ".join(seconds))
    for index, one in enumerate(network["measures"]):
        unit, digits = f", {one['unit']}" * bool(one["unit"]), one["digits"]
        values = [result["scores"][kind][index] for kind in ("float", "12 bits")]
        yield (
            *(first if not index else ("", "")),
            one["name"] + unit,
            f"{network['scores']['float'][index]:.{digits}f}",
            *(_within(value, digits) for value in values),
            *(_within(value["loss"], digits, "+") if "loss" in value else "" for value in values),
            *(last if not index else ("", "")),
        )


def _within(value: Result, digits: int, sign: str = "") -> str:
    """Return a value with its interval, where it has one."""
    told = f"{value['value']:{sign}.{digits}f}"
    if "low" not in value:
        return told
    return f"{told} [{value['low']:{sign}.{digits}f}, {value['high']:{sign}.{digits}f}]"


TABLES = (taken, scores, rows, hardware, compressed, summary)


def filled(page: str, results: Results) -> str:
    """Return a page with its tables made anew, each behind a comment with its name."""
    for make in TABLES:
        mark = f"<!-- {make.__name__} -->"
        before, found, behind = page.partition(mark)
        if found:
            behind = behind.partition(END)[2]
            page = f"{before}{mark}\n\n{make(results)}\n\n{END}{behind}"
    return page


def _scores(result: Result, kinds: Sequence[str], *more: str) -> Iterator[Sequence[str]]:
    found = result.get("scores", {})
    for index, one in enumerate(result["measures"]):
        unit = f", {one['unit']}" * bool(one["unit"])
        values = [
            f"{found[kind][index]:.{one['digits']}f}" if kind in found else MISSING
            for kind in kinds
        ]
        yield (one["name"] + unit, *values, *(text if not index else "" for text in more))


def _smallest(found: Result | None) -> str:
    if found is None:
        return "none"
    return f"{found['part']} ({_short(found['energy_uj']['typical'])} µJ)"


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _named(parts: Mapping[str, Any], name: str, text: str) -> str:
    """Say which part of a network it is, where there are several."""
    return f"{name}: {text}" if len(parts) > 1 else text


def _table(head: Sequence[str], results: Results, cells) -> str:
    lines = [head, ["---"] * len(head)]
    for name, known in KNOWN.items():
        made = list(cells(results[name])) if name in results else []
        lines += [[known.title if not i else "", *one] for i, one in enumerate(made)]
        if not made:
            lines.append([known.title, MISSING, *[""] * (len(head) - 2)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
