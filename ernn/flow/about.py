"""What a report says a recipe's models are judged by, and on what."""

from ernn.recipe import Recipe
from ernn.report.judged import Judged
from ernn.score import Measure
from ernn.tasks.kinds import words_of


def about(recipe: Recipe, measure: Measure) -> Judged:
    """Return what models were judged by, and the data of their recipe, in words."""
    words = words_of(recipe)
    return Judged(
        measure.name,
        measure.words,
        measure.unit,
        measure.step,
        measure.lower_is_better,
        words.data,
        words.sequences,
        words.groups,
        measure.over if measure.countable else "",
        words.notice,
        measure.wide,
    )
