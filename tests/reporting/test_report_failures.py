"""A report that cannot be written says so, and leaves the earlier one as it was."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
import tempfile
from contextlib import nullcontext

import pytest

from pmo_analytics import reporting
from pmo_analytics.cli import main
from pmo_analytics.cli.tracked import report as asked
from pmo_analytics.loaders import write_portfolio
from pmo_analytics.reporting import folder as folders
from tests.support.told_portfolios import told_portfolio


def contents(folder) -> dict[str, str]:
    """Return the digest of each file in a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def once(make):
    """Return a function that answers as at first whenever it is asked."""
    made = []

    def answer(*asked, **options):
        if not made:
            made.append(make(*asked, **options))
        return made[0]

    return answer


@pytest.fixture(scope="module", autouse=True)
def one_report():
    """Let all commands write the same report, without pictures, worked out once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asked, "read_status", once(asked.read_status))
        patch.setattr(reporting, "status_report", once(reporting.status_report))
        patch.setattr(reporting, "drawn", lambda _draw: nullcontext({}))
        yield


@pytest.fixture(scope="module")
def words(tmp_path_factory, one_report) -> list[str]:
    """Return what asks for a report of a few projects."""
    data = tmp_path_factory.mktemp("told") / "data"
    write_portfolio(told_portfolio(3, sound=True), data)
    return ["report", str(data), "--as-of", "2026-12-31"]


@pytest.fixture(scope="module")
def written(words, tmp_path_factory):
    """Return a folder with an earlier report."""
    out = tmp_path_factory.mktemp("failing") / "out"
    assert main([*words, "--out", str(out)]) == 0
    return out


def test_without_slides_the_rest_is_written_and_the_note_says_so(
    words, tmp_path, capsys, monkeypatch
):
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.pptx").write_bytes(b"of an earlier report")
    monkeypatch.setitem(sys.modules, "pptx", None)
    assert main([*words, "--out", str(out), "--json"]) == 0
    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert not [file for file in answer["files"] if file.endswith(".pptx")]
    (note,) = answer["not_written"]
    assert "the extra 'office'" in note
    assert "of an earlier report" in note
    assert "report.pptx is not written" in " ".join(told.err.split())
    kept = json.loads((out / "manifest.json").read_text("utf-8"))
    assert kept["not_written"] == [note]
    assert {"report.html", "report.xlsx"} <= set(kept["files"])


def test_a_template_without_slides_is_refused_before_any_work(
    words, tmp_path, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, "pptx", None)
    more = ["--template", "own.pptx", "--out", str(tmp_path / "out")]
    assert main([*words, *more]) == 3
    assert "extra 'office'" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_a_folder_that_may_not_be_written_is_refused(
    words, written, tmp_path, capsys, monkeypatch
):
    before = contents(written)
    (tmp_path / "file").write_text("no folder")
    assert main([*words, "--out", str(tmp_path / "file" / "out")]) == 3

    def refused(**_options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    assert main([*words, "--out", str(written)]) == 3
    assert "Read-only file system" in " ".join(capsys.readouterr().err.split())
    assert contents(written) == before


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no limit of files")
@pytest.mark.parametrize("name", ["report.html", "report.xlsx"])
def test_a_disk_that_takes_no_more_leaves_the_earlier_report(
    words, written, capsys, name
):
    import resource

    before = contents(written)
    size = (written / name).stat().st_size // 2
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        code = main([*words, "--out", str(written)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert code == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "Cannot write to" in said
    assert os.strerror(errno.EFBIG) in said
    assert ".draft" not in said
    assert contents(written) == before
    assert not [p for p in written.parent.iterdir() if p != written]


@pytest.mark.parametrize("taken", ["report.pptx", "report.html"])
def test_a_folder_in_the_place_of_a_file_is_named(words, written, capsys, taken):
    place = written / taken
    kept = place.read_bytes()
    place.unlink()
    place.mkdir()
    before = contents(written)
    try:
        assert main([*words, "--out", str(written)]) == 3
        assert f"{taken} is a folder there" in " ".join(capsys.readouterr().err.split())
        assert contents(written) == before
        assert not (written / ".ready").exists()
    finally:
        place.rmdir()
        place.write_bytes(kept)


def test_a_file_that_another_program_holds_is_named(
    words, written, capsys, monkeypatch
):
    before = contents(written)
    monkeypatch.setattr(folders, "_is_held", lambda path: path.suffix == ".xlsx")
    assert main([*words, "--out", str(written)]) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "report.xlsx is open in another program" in said
    assert contents(written) == before
