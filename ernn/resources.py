"""Find the folders that ship beside the package, in a wheel or in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """Return the path of a shipped folder such as ``"hw_templates"``."""
    for path in (_PACKAGE / "_shipped" / name, _PACKAGE.parent / name):
        if path.is_dir():
            return path
    raise FileNotFoundError(f"ernn was installed without its {name!r} folder; reinstall ernn")
