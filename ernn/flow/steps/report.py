"""Write the report."""

from ernn.flow.summary import summarize
from ernn.flow.work import Work
from ernn.report.render import write_report


def run(work: Work) -> None:
    """Write the report of the run."""
    write_report(summarize(work.recipe, work.run), work.folder)
