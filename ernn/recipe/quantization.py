"""The section of the integer model."""

from typing import Annotated

from pydantic import Field, model_validator

from ernn.recipe.section import Count, LearningRate, Section

BITS = range(4, 17)  # of weights and activations


class QuantizationRecipe(Section):
    """Bits of the integer model, signs included."""

    weight_bits: Annotated[int, Field(ge=BITS[0], le=BITS[-1])] = 12
    activation_bits: Annotated[int, Field(ge=BITS[0], le=BITS[-1])] = 12
    state_bits: Annotated[int, Field(ge=6, le=18)] = 16
    activation_error: Annotated[float, Field(ge=1e-4, le=0.1)] = 2e-3  # of sigmoid and tanh
    row_scales: bool = False  # a power of two for each row, or block row, of the weights
    calibration_utterances: Count = 16
    search: bool = False  # choose the four above: the smallest within [task] bound
    search_bits_min: Annotated[int, Field(ge=6, le=16)] = 6
    search_bits_max: Annotated[int, Field(ge=6, le=16)] = 16
    fine_tune_updates: Annotated[int, Field(ge=0, le=1_000_000)] = 0  # in the integers' arithmetic
    fine_tune_learning_rate: LearningRate = 1e-3

    @model_validator(mode="after")
    def _consistent(self) -> "QuantizationRecipe":
        if self.search_bits_min > self.search_bits_max:
            raise ValueError(
                f"search_bits_min = {self.search_bits_min} is above "
                f"search_bits_max = {self.search_bits_max}"
            )
        return self
