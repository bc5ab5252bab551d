"""Whether data are of a network that was trained elsewhere."""

from ernn.compressed import CompressedModel
from ernn.errors import CorpusError
from ernn.tasks.task import Task


def require_fitting(name: str, network: CompressedModel, task: Task) -> None:
    """Refuse data that are not of a network.

    Raises:
        CorpusError: frames of another width, or targets of other outputs.
    """
    if task.features != network.features:
        raise CorpusError(
            f"frames of {task.features} values",
            given=f"{name} takes {network.features}",
            remedy="give frames as they enter the part that becomes hardware",
        )
    if task.targets != "none" and task.outputs != network.labels:
        raise CorpusError(
            f"targets of {task.outputs} outputs",
            given=f"{name} has {network.labels}",
            remedy="name a class, or give a number, for each of its outputs; for a single one "
            "that tells two classes apart, floats 0.0 and 1.0",
        )
