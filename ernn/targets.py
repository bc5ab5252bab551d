"""What a model can be trained on, by kind: when it has to tell something, and what."""

from typing import Final, Literal

# steps, sequence: a class at each step, or one for the whole sequence, told at its end.
# order: classes in the order in which they come, without times.
# step_values, sequence_values: numbers instead of a class.
# none: nothing is known but the frames; a model is trained on the outputs of another one.
Targets = Literal["steps", "sequence", "order", "step_values", "sequence_values", "none"]

AT_END = ("sequence", "sequence_values")  # one target for a whole sequence
CLASSES = ("steps", "sequence", "order")

UNTOLD: Final = -1  # in the place of a class: nothing is wanted at this step
