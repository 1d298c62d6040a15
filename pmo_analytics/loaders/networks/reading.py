"""Planning files of any kind become networks: which reader a file is for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Literal, NamedTuple

from pmo_analytics.errors import (
    ConfigError,
    DataError,
    has_errors,
    listing,
    problems_table,
)
from pmo_analytics.loaders.findings import Place, Problem, Unreadable
from pmo_analytics.loaders.networks.extracts import is_extract
from pmo_analytics.loaders.networks.sheets import is_sheet
from pmo_analytics.loaders.networks.tabular import WORKBOOKS
from pmo_analytics.networks import Network

_HEAD_BYTES = 4096


class Reader(NamedTuple):
    """One kind of planning file.

    Parameters
    ----------
    name
        What people call it.
    endings
        Of its files, lower case.
    recognises
        Whether a file is one, from its path and its first bytes.
    home
        `module:function` under `loaders.networks`: Path -> list of networks; it raises
        `Unreadable` for a file that it refuses.
    together
        Files of one folder are one thing, which any of them stands for.
    """

    name: str
    endings: tuple[str, ...]
    recognises: Callable[[Path, bytes], bool]
    home: str
    together: bool = False

    def read(self, path: Path) -> list[Network]:
        """Return the networks of a file."""
        module, _, function = self.home.partition(":")
        place = f"pmo_analytics.loaders.networks.{module}"
        return list(getattr(import_module(place), function)(path))


def _holds(*marks: bytes) -> Callable[[Path, bytes], bool]:
    """Return whether the first bytes hold a mark, in one or two bytes a character."""

    def recognises(_: Path, head: bytes) -> bool:
        plain = head.replace(b"\0", b"")
        return any(mark in plain for mark in marks)

    return recognises


def _told_by_its_ending(_: Path, __: bytes) -> bool:
    return True


# A new kind of planning file is a module beside this one and its line here; the first
# that recognises a file reads it.
READERS: tuple[Reader, ...] = (
    Reader(
        "Microsoft Project XML (MSPDI)",
        (".xml",),
        _holds(b"schemas.microsoft.com/project"),
        "mspdi.reading:read_mspdi",
    ),
    Reader(
        "Primavera P6 XML (PMXML)",
        (".xml", ".pmxml"),
        _holds(b"APIBusinessObjects"),
        "primavera.pmxml:read_pmxml",
    ),
    Reader(
        "Primavera P6 (XER)",
        (".xer",),
        _holds(b"ERMHDR", b"%T\t"),
        "primavera.xer:read_xer",
    ),
    Reader(
        "Microsoft Project (.mpp) and other tools, through mpxj",
        (".mpp", ".mpt", ".mpx", ".pp", ".gan", ".pod", ".planner", ".pep"),
        _told_by_its_ending,
        "through_mpxj:read_through_mpxj",
    ),
    Reader(
        "extracts of Project Online (OData)",
        (".json", ".csv", ".xlsx", ".xlsm"),
        is_extract,
        "extracts:read_extracts",
        together=True,
    ),
    Reader(
        "spreadsheet exports of P6 and Microsoft Project",
        (".csv", ".xlsx", ".xlsm", ".xls"),
        is_sheet,
        "sheets:read_sheets",
    ),
)


def reader_of(path: Path) -> Reader | None:
    """Return the reader of a file, None for a file that is no planning file."""
    suffix = path.suffix.lower()
    candidates = [r for r in READERS if suffix in r.endings]
    if not candidates:
        return None
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    return next((r for r in candidates if r.recognises(path, head)), None)


def read_networks(
    path: str | Path | Iterable[str | Path],
    *,
    bad_files: Literal["raise", "drop"] = "raise",
) -> list[Network]:
    """Read the activity networks of planning files.

    Microsoft Project XML, XER of P6, extracts of Project Online (JSON, CSV, workbooks)
    and spreadsheet exports are told by their content; .mpp, .mpx, .pp, .gan, .pod and
    .planner are read through mpxj (extra `mpxj`, needs Java).

    Parameters
    ----------
    path
        A file, a folder (every planning file in it and in its folders, by name), or a
        list of either. A file with several projects gives several networks.
    bad_files
        `drop` reads the others where a file cannot be used; each then stands as a
        problem in the first network that was read.

    Returns
    -------
    list of Network
        In the order of the files, then of the projects in them. `balance` of each says
        what was used and what is listed, `problems` what is wrong in the file.

    Raises
    ------
    DataError
        If a path does not exist, holds no planning file, or a file cannot be used; it
        lists every such file.
    """
    if bad_files not in ("raise", "drop"):
        raise ConfigError(f"bad_files is 'raise' or 'drop', not {bad_files!r}.")
    given = [path] if isinstance(path, str | Path) else list(path)
    problems: list[Problem] = []
    files = [(file, Path(one)) for one in given for file in _files(Path(one), problems)]
    return read_files(files, problems, bad_files)


def read_files(
    files: Iterable[tuple[Path, Path]],
    problems: list[Problem],
    bad_files: Literal["raise", "drop"] = "raise",
) -> list[Network]:
    """Return the networks of files; each comes with the folder that was asked for.

    A folder between the two is kept as field `folder` of a network: its program, where
    no code says one.
    """
    networks: list[Network] = []
    done: set[tuple[str, Path]] = set()
    for file, root in files:
        try:
            found = _read(file, done)
        except Unreadable as error:
            problems.append(Place("network", file.name).unreadable(error))
            continue
        between = file.relative_to(root).parts[:-1] if root in file.parents else ()
        for network in found:
            fields = {**network.fields, "folder": between[0]} if between else None
            networks.append(network.replace(fields=fields) if fields else network)
    found = problems_table(problems)
    if has_errors(found) and (bad_files == "raise" or not networks):
        raise DataError(found)
    if len(found):
        first = networks[0]
        told = problems_table([*first.problems.to_dict("records"), *problems])
        networks[0] = first.replace(problems=told)
    return networks


def _read(file: Path, done: set[tuple[str, Path]]) -> list[Network]:
    try:
        reader = reader_of(file)
        if reader is None:
            raise Unreadable(
                "unsupported_file",
                f"{_packed(file)}This is no planning file that can be read: "
                f"{', '.join(r.name for r in READERS)}.",
            )
        if reader.together and file.suffix.lower() not in WORKBOOKS:
            place = reader.home, file.resolve().parent
            if place in done:
                return []
            done.add(place)
        return reader.read(file)
    except OSError as error:
        raise Unreadable(
            "unreadable_file",
            "The file cannot be opened. Check its rights, and that no other program "
            "locks it.",
            found=error.strerror or "",
        ) from error


def planning_files(folder: Path) -> list[Path]:
    """Return the planning files of a folder and of the folders in it, by name."""
    return [file for file in _candidates(folder) if reader_of(file) is not None]


def _packed(file: Path) -> str:
    return "Unpack it first. " if file.suffix.lower() == ".zip" else ""


def _candidates(folder: Path, *others: str) -> list[Path]:
    """Return files that could be planning files, by their endings."""
    endings = {ending for reader in READERS for ending in reader.endings} | {*others}
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.suffix.lower() in endings
        and not file.name.startswith((".", "~"))
        and file.is_file()
    ]


def _files(path: Path, problems: list[Problem]) -> list[Path]:
    if path.is_file():
        return [path]
    place = Place("network", path.name or str(path))
    if not path.is_dir():
        fix = "There is no such file or folder. Check the path."
        problems.append(place.error("missing_file", found=str(path), fix=fix))
        return []
    files = planning_files(path)
    if not files:
        fix = "The folder holds no planning file. Readable are: "
        fix += f"{', '.join(reader.name for reader in READERS)}."
        problems.append(place.error("missing_file", found=str(path), fix=fix))
    elif left := [file.name for file in _candidates(path, ".zip") if file not in files]:
        fix = "These files of the folder are not read: they are empty, damaged at the "
        fix += "beginning, packed, or of another kind. Unpack or export them again, or "
        fix += "take them out."
        found = listing(left)
        problems.append(place.warning("unsupported_file", found=found, fix=fix))
    return files
