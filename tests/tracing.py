"""Run a chain and tell which files of ernn each step really used: python tracing.py RECIPE OUT.

Prints JSON: {step: files}, each file as in the step's key: modules whose functions were called,
and data files that were opened, by a step's own run. What only an import executes is not counted.
"""

import json
import os
import sys
import threading
from collections import defaultdict
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from ernn.flow.chain import STEPS, load_recipe
from ernn.flow.dependencies import Tree
from ernn.flow.engine import Chain, Step

TREE = Tree.own()
SHIPPED = ("hw_templates", "sim", "asr_models", "vivado_scripts")


class Trace:
    """What was used while a step ran."""

    def __init__(self) -> None:
        self.step: str | None = None
        self.importing = 0
        self.seen: set[str] = set()  # in this step: a profiler has to be fast
        self.used: dict[str, set[str]] = defaultdict(set)
        sys.addaudithook(self._opened)

    def run(self, step: Step):
        """Return a step's run with its name noted while it lasts."""

        def traced(work) -> None:
            module = import_module(step.module)
            self.step = step.name
            self.seen.clear()
            sys.setprofile(self._called)
            threading.setprofile(self._called)
            try:
                module.run(work)
            finally:
                sys.setprofile(None)
                threading.setprofile(None)
                self.step = None

        return traced

    def _called(self, frame, event, _) -> None:
        code = frame.f_code
        if event not in ("call", "return") or code.co_filename in self.seen:
            return
        if code.co_name == "<module>":
            self.importing += 1 if event == "call" else -1
        elif event == "call" and not self.importing:
            self.seen.add(code.co_filename)
            self._use(code.co_filename)

    def _opened(self, event: str, arguments) -> None:
        path = arguments[0] if event == "open" else None
        if str(path).endswith(".py"):
            return
        if self.step and isinstance(path, str | Path) and "__pycache__" not in str(path):
            self._use(str(Path(path).resolve()))

    def _use(self, file: str) -> None:
        if self.step is None:
            return
        for top, inside in ((TREE.home, None), (TREE.shipped, SHIPPED)):
            prefix = f"{top}{os.sep}"
            if file.startswith(prefix):
                name = file.removeprefix(prefix)
                if inside is None or name.partition(os.sep)[0] in inside:
                    if Path(file).is_file():
                        self.used[self.step].add(name)
                    return


def main(recipe: str, out: str) -> None:
    """Run the chain of a recipe and print what each step used."""
    os.sched_getaffinity = lambda _: {0}  # no worker processes: they are not traced
    trace = Trace()
    steps = tuple(replace(step, run=trace.run(step)) for step in STEPS)
    Chain(steps, load_recipe(recipe), Path(out), lambda line: print(line, file=sys.stderr)).bring(
        "report"
    )
    print(json.dumps({step: sorted(files) for step, files in trace.used.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
