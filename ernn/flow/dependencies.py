"""What a step depends on: the code that it reaches by import, and the data that this code reads.

Nothing is listed by hand. From the module of a step every import statement inside ernn is followed,
those inside functions too, those for type checkers not. A name is followed to the module that
defines it, so that a package which only gathers names adds nothing. Data files are those beside a
module that asks for its own `__file__` (the ones that the statement names, or all), and the shipped
folders that it asks `ernn.resources` for.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import ernn

PACKAGE = "ernn"
_FINDER = f"{PACKAGE}.resources"  # finds what others name: it reads nothing of its own


@dataclass(frozen=True)
class Tree:
    """Where the source is."""

    home: Path  # of the package
    shipped: Path  # of the folders that ship beside it

    @classmethod
    def own(cls) -> "Tree":
        """Return the tree of the ernn that runs, from a wheel or a checkout."""
        home = Path(ernn.__file__).resolve().parent
        beside = home / "_shipped"
        return cls(home, beside if beside.is_dir() else home.parent)

    def file_of(self, module: str) -> Path | None:
        """Return the file of a module of ernn; None if there is no such module."""
        path = self.home.joinpath(*module.split(".")[1:])
        found = (path.with_suffix(".py"), path / "__init__.py")
        return next((file for file in found if file.is_file()), None)


@dataclass(frozen=True)
class _Source:
    """What the text of a module says."""

    imports: list[tuple[str, str | None]] = field(default_factory=list)  # module, name in it
    bound: dict[str, tuple[str, str | None]] = field(default_factory=dict)  # by the name here
    beside: list[tuple[str, ...]] = field(default_factory=list)  # strings of a use of __file__
    shipped: list[str] = field(default_factory=list)  # folders


class Code:
    """The source of ernn as it was when this was made; each file is read once."""

    def __init__(self, tree: Tree | None = None) -> None:
        self.tree = tree or Tree.own()
        self._files: dict[str, Path | None] = {}
        self._sources: dict[Path, _Source] = {}
        self._hashes: dict[Path, str] = {}

    def depends_on(self, *modules: str) -> dict[str, str]:
        """Return the SHA-256 of every file that modules reach, by its path in ernn."""
        reached, tree = self._reached(modules), self.tree
        names = {path: path.relative_to(tree.home).as_posix() for path in reached.values()}
        for name, path in reached.items():
            for data, top in self._data(name, path):
                names[data] = data.relative_to(top).as_posix()
        for path in names.keys() - self._hashes.keys():
            self._hashes[path] = file_hash(path)
        return {names[path]: self._hashes[path] for path in sorted(names, key=names.__getitem__)}

    def _reached(self, modules: Iterable[str]) -> dict[str, Path]:
        """Return the files of modules and of all that they import, by name."""
        reached: dict[str, Path] = {}
        waiting = list(modules)
        while waiting:
            name = waiting.pop()
            path = self._file(name)
            if name in reached or path is None:
                continue
            reached[name] = path
            waiting += [self._definer(*found) for found in self._source(path).imports]
        return reached

    def _definer(self, module: str, name: str | None) -> str:
        """Return the module that a name comes from: itself a module, or defined, or passed on."""
        if name is None:
            return module
        if self._file(f"{module}.{name}"):
            return f"{module}.{name}"
        path = self._file(module)
        passed_on = self._source(path).bound.get(name) if path else None
        return self._definer(*passed_on) if passed_on else module

    def _data(self, module: str, path: Path) -> Iterator[tuple[Path, Path]]:
        """Yield the data files that a module reads, and the folder that their names begin in."""
        source, tree = self._source(path), self.tree
        if module != _FINDER:
            for words in source.beside:
                named = [path.parent / word for word in words if (path.parent / word).exists()]
                for place in named or [path.parent]:
                    yield from ((file, tree.home) for file in _files(place))
        for name in source.shipped:
            yield from ((file, tree.shipped) for file in _files(tree.shipped / name))

    def _file(self, module: str) -> Path | None:
        if module not in self._files:
            self._files[module] = self.tree.file_of(module)
        return self._files[module]

    def _source(self, path: Path) -> "_Source":
        if path not in self._sources:
            self._sources[path] = _parsed(path.read_text(encoding="utf-8"))
        return self._sources[path]


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(place: Path) -> list[Path]:
    """Return a file, or those below a folder, without modules of ernn and what Python leaves."""
    if place.is_file():
        return [place]
    inside = (place / "__init__.py").is_file()
    return [
        file
        for file in place.rglob("*")
        if file.is_file()
        and "__pycache__" not in file.parts
        and not (inside and file.suffix == ".py")
    ]


@cache
def _parsed(text: str) -> _Source:
    source = _Source()
    tree = ast.parse(text)
    for statement in _statements(tree.body):
        _add_imports(statement, source)
    for name, (module, inner) in _top_level(tree.body):
        source.bound[name] = (module, inner)
    if "__file__" in text or _FINDER in text:
        _add_data(tree, source)
    return source


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield all statements, inner ones too, but those for type checkers."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            yield from _statements(statement.orelse)
            continue
        for inner in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, inner, []))
        for handler in getattr(statement, "handlers", []):
            yield from _statements(handler.body)
        for case in getattr(statement, "cases", []):
            yield from _statements(case.body)


def _add_imports(statement: ast.stmt, source: _Source) -> None:
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            if alias.name.partition(".")[0] == PACKAGE:
                source.imports.append((alias.name, None))
    elif isinstance(statement, ast.ImportFrom) and statement.module:
        if statement.module.partition(".")[0] == PACKAGE:
            source.imports.extend((statement.module, alias.name) for alias in statement.names)


def _top_level(body: list[ast.stmt]) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """Yield the names that a module has from other modules of ernn."""
    for statement in body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            if statement.module.partition(".")[0] == PACKAGE:
                for alias in statement.names:
                    yield alias.asname or alias.name, (statement.module, alias.name)


def _add_data(tree: ast.Module, source: _Source) -> None:
    finders = {here for here, found in source.bound.items() if found == (_FINDER, "folder")}
    for statement in _statements(tree.body):
        if hasattr(statement, "body"):
            continue  # its inner statements come by themselves
        if any(isinstance(one, ast.Name) and one.id == "__file__" for one in ast.walk(statement)):
            source.beside.append(tuple(_strings(statement)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in finders:
                source.shipped.extend(_strings(node))


def _strings(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value:
            yield one.value
