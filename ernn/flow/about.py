"""What a report says a recipe's models are judged by, and on what."""

from ernn.recipe import Recipe
from ernn.report.judged import Judged
from ernn.tasks.kinds import measure_of, words_of


def about(recipe: Recipe) -> Judged:
    """Return the measure and the data of a recipe, in words."""
    measure, words = measure_of(recipe), words_of(recipe)
    return Judged(
        measure.name,
        measure.words,
        measure.unit,
        measure.step,
        measure.lower_is_better,
        words.data,
        words.sequences,
        words.groups,
        measure.over,
        words.notice,
    )
