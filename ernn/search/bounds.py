"""Between which block sizes to search, by arithmetic alone: memory from below, work from above.

Below: the planner is asked for a design of the untrained model. The smallest block size that has
one is the lower bound, for the whole model must fit the chip's memory. Above: a larger block saves
weights for ever, but its transforms grow; where a doubling saves less than `WORTH` of all
multiplications, the work is saturated.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ernn.bilinear import spectral
from ernn.errors import PlanError
from ernn.flow.fit_check import untrained
from ernn.graphs.fourier import Scale, Transform, forward, inverse
from ernn.hw.build import Target, build_plan
from ernn.hw.cost import resources
from ernn.hw.explore import make_plan
from ernn.hw.layout import Sizes
from ernn.parts.part import load_part
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import BLOCK_SIZES, Recipe
from ernn.search.space import Point, largest_block, variant

WORTH = 0.2  # what doubling a block must save of all multiplications


@dataclass(frozen=True)
class Size:
    """What one model costs, known before any training."""

    products: int  # multiplications of spectra and weights per frame, 3 for each complex bin
    transforms: int  # multiplications inside forward and inverse transforms per frame
    scales: int  # multiplications by input scales per frame
    weights: int  # stored generators and scales
    memory_blocks: int  # 36-kbit blocks of the smallest design
    missing: str  # why it cannot be built; empty if it can

    @property
    def told(self) -> dict[str, int]:
        """As a study keeps it."""
        return {"weights": self.weights, "operations": self.multiplications}

    @property
    def multiplications(self) -> int:
        """Multiplications per frame; those of the cells do not depend on the block size."""
        return self.products + self.transforms + self.scales


def measure(recipe: Recipe, point: Point, features: int, outputs: int) -> Size:
    """Count what a point costs on the recipe's part, for a corpus of so many features and phones.

    Args:
        recipe: of the search.
        point: the model.
        features: values per frame.
        outputs: of the model: phones, and the blank of CTC.
    """
    recipe = variant(recipe, point)
    model, integer = untrained(recipe, features, outputs)
    part = load_part(recipe.hardware.part)
    target = Target(recipe.name, part.name, recipe.hardware.clock_mhz, recipe.hardware.streams)
    smallest = build_plan(integer, Sizes(1, 1, 1, 1), target)
    missing, blocks = "", int(resources(smallest, part).bram36)
    try:
        make_plan(integer, recipe.hardware, recipe.name)
    except PlanError as error:
        missing = str(error)
    return Size(*_multiplications(integer), model.parameters, blocks, missing)


def _multiplications(model: IntegerModel) -> tuple[int, int, int]:
    """Return those of products, transforms and scales per frame."""
    products = transforms = scales = 0
    seen = set()  # one forward transform serves all products of the same vector
    for product in model.products:
        rows, block = len(product.bias) // product.block, product.block
        transforms += rows * rotations(inverse(block, model.twiddle_bits))
        for segment in product.segments:
            columns = segment.spectra.shape[1]
            products += segment.blocks * spectral(block).products
            if segment.scale is not None:
                scales += columns * block
            vector = (product.layer, segment.vector, segment.matrix, block)
            if vector not in seen:
                transforms += columns * rotations(forward(block, model.twiddle_bits))
            seen.add(vector)
    return products, transforms, scales


def rotations(graph: Transform) -> int:
    """Count the multiplications of a transform; a power of two is wiring."""
    factors = [abs(op.factor) for stage in graph.stages for op in stage if isinstance(op, Scale)]
    return sum(factor & (factor - 1) != 0 for factor in factors)


@dataclass(frozen=True)
class Bounds:
    """The block sizes to search, and how they were found."""

    sizes: dict[int, Size]  # of the recipe's cell, by block size, 1 (dense) included
    lower: int  # smallest block size that the part can hold; 1: even the dense model
    upper: int  # largest one that is worth its transforms and that the part can hold
    why_lower: str
    why_upper: str

    @property
    def blocks(self) -> tuple[int, ...]:
        """The block sizes to search, without 1."""
        return tuple(k for k in self.sizes if max(2, self.lower) <= k <= self.upper)

    def in_words(self) -> Iterator[str]:
        """Yield the arithmetic, a line for each block size, and both bounds."""
        for block, size in self.sizes.items():
            parts = (size.products, size.transforms, size.scales)
            counted = " + ".join(f"{count:,}" for count in parts)
            yield (
                f"blocks of {block:2}: {counted} = {size.multiplications:,} multiplications a "
                f"frame (products, transforms, scales), {size.memory_blocks:,} memory blocks"
            )
        yield f"lower bound {self.lower}: {self.why_lower}"
        yield f"upper bound {self.upper}: {self.why_upper}"


def find_bounds(
    recipe: Recipe,
    size_of: Callable[[Point], Size],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Bounds:
    """Find the bounds of the block size for a recipe's cell and part.

    Args:
        recipe: what to build; its own block sizes do not matter.
        size_of: `measure` of a point.
        progress: called with (done, total) block sizes.

    Raises:
        PlanError: no block size fits the part.
    """
    cell = recipe.model.cell
    limit = largest_block(recipe)
    blocks = [k for k in BLOCK_SIZES if k <= limit]
    sizes = {}
    for done, k in enumerate(blocks, start=1):
        sizes[k] = size_of(Point(cell, k, k))
        progress(done, len(blocks))
    fitting = [k for k, size in sizes.items() if not size.missing]
    if not fitting:
        raise PlanError(sizes[limit].missing)
    lower, part = fitting[0], load_part(recipe.hardware.part)
    why_lower = _why_lower(lower, sizes, part.name, part.bram36)
    upper, why_upper = _upper(lower, sizes)
    return Bounds(sizes, lower, upper, why_lower, why_upper)


def _why_lower(lower: int, sizes: dict[int, Size], part: str, free: int) -> str:
    held = f"{sizes[lower].memory_blocks:,} of the {free:,} memory blocks of {part}"
    if lower == 1:
        return f"the dense model itself fits: at least {held}"
    before = lower // 2
    if sizes[before].memory_blocks > free:
        reason = f"needs {sizes[before].memory_blocks:,} at least"
    else:
        reason = f"does not fit ({sizes[before].missing})"
    return f"blocks of {lower} need at least {held}; half the size {reason}"


def _upper(lower: int, sizes: dict[int, Size]) -> tuple[int, str]:
    upper = lower
    while (above := 2 * upper) in sizes:
        if sizes[above].missing:
            return upper, f"blocks of {above} cannot be built: {sizes[above].missing}"
        now, then = sizes[upper].multiplications, sizes[above].multiplications
        saved = 1 - then / now
        if saved < WORTH:
            gained = f"saves {100 * saved:.0f} % of" if saved > 0 else "does not save any of"
            return upper, (
                f"doubling blocks of {upper} {gained} the {now:,} multiplications of a frame (to "
                f"{then:,}), less than the {100 * WORTH:.0f} % that a doubling must be worth"
            )
        upper = above
    last = (
        f"the last doubling still saves {100 * saved:.0f} % of the multiplications"
        if (upper > lower)
        else "there is no larger one"
    )
    return upper, f"blocks of {upper} are the largest that the model or the hardware takes; {last}"
