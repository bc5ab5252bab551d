"""Charts over block sizes, which stand at equal steps because each is twice the one before."""

from collections.abc import Callable, Sequence

from markupsafe import Markup

from ernn.report.judged import Judged
from ernn.report.model_content import BlockSearch
from ernn.report.plot import Band, Dot, Level, Panel, Series, plot
from ernn.report.svg import axis_around

_ASIDE = 0.036  # between points of the same block size


def places(blocks: Sequence[int]) -> dict[int, float]:
    """Return the share of the width at which each block size stands."""
    return {block: (index + 0.5) / len(blocks) for index, block in enumerate(blocks)}


def block_chart(
    name: str,
    title: str,
    description: str,
    blocks: Sequence[int],
    series: Sequence[Series],
    shaded: tuple[int, int] | None = None,
    level: Level | None = None,
    path: Sequence[Dot] = (),
    logarithmic: bool = False,
) -> Markup:
    """Draw values against block sizes, in one panel.

    Args:
        name, title, description: see `ernn.report.svg.chart`.
        blocks: the block sizes on the axis.
        series: dots at the `places` of their block sizes.
        shaded: first and last block size of a band.
        level: a line across.
        path: dots in the order in which a dotted line joins them.
        logarithmic: decades on the axis; every value must be positive.
    """
    values = [v for one in series for dot in one.dots for v in (dot.y, dot.low, dot.high)]
    known = [value for value in values if value is not None] + ([level.y] if level else [])
    across, half = places(blocks), 0.5 / len(blocks)
    panel = Panel(
        "",
        axis_around(known, logarithmic),
        tuple(series),
        tuple((x, "dense" if block == 1 else str(block)) for block, x in across.items()),
        "block size",
        (level,) if level else (),
        tuple(path),
    )
    bands = [Band("", across[shaded[0]] - half, across[shaded[1]] + half)] if shaded else []
    return plot(name, title, description, [panel], bands, room=200)


def aside(blocks: Sequence[int], sizes: Sequence[int]) -> Callable[[int], float]:
    """Return where the dot of a number stands: those of one block size beside each other.

    Args:
        blocks: the block sizes on the axis.
        sizes: the block size of each dot, by number.
    """
    across = places(blocks)
    return lambda number: across[sizes[number]] + _ASIDE * sizes[:number].count(sizes[number])


def search_chart(found: BlockSearch, judged: Judged) -> Markup:
    """Draw the error rates of a search, and this run's own model."""
    sizes = [trial.block for trial in found.trials] + [found.block]
    blocks = sorted({1, *sizes})
    at = aside(blocks, sizes)
    series = [
        Series(
            kind,
            tuple(
                Dot(at(number), one.score.value, one.score.low, one.score.high, told=one.words)
                for number, one in enumerate(found.trials)
                if one.cell == cell
            ),
            joined=False,
        )
        for cell, kind in found.series.items()
    ]
    own = found.score
    mine = Dot(
        at(len(sizes) - 1), own.value, own.low, own.high, "this run", chosen=True, mark="derived"
    )
    told = "; ".join(f"{one.words} {judged.figure(one.score.value)}" for one in found.trials)
    return block_chart(
        "blocks-chart",
        f"{judged.title} on the development set against the block size of the recurrent matrices",
        f"{told}; this run {judged.figure(own.value)}. The bound is {judged.figure(found.limit)}.",
        blocks,
        [*(one for one in series if one.dots), Series("own", (mine,), joined=False)],
        level=Level(found.limit, f"bound {judged.figure(found.limit)}"),
    )
