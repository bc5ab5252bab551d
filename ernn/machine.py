"""What a measurement ran on, in one line."""

import os
import platform
from importlib.metadata import version
from pathlib import Path


def describe_machine(*packages: str) -> str:
    """Return the processor, the system, and the versions of Python and of installed packages."""
    affinity = getattr(os, "sched_getaffinity", None)  # not everywhere
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    versions = [f"Python {platform.python_version()}", *(f"{p} {version(p)}" for p in packages)]
    system = f"{platform.system()} {platform.machine()}"
    return f"{_processor()}, {cores} core{'s' * (cores > 1)}, {system}, {', '.join(versions)}"


def _processor() -> str:
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text().splitlines() if cpus.exists() else []
    named = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown processor")
