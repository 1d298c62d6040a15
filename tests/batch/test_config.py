"""The configuration of a batch: everything wrong is named at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmo_analytics.batch.config import read_config
from pmo_analytics.errors import ConfigError
from tests.support.places import ROOT


def written(folder: Path, text: str) -> Path:
    path = folder / "batch.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_shows_every_key():
    config = read_config(ROOT / "data" / "batch.toml")
    assert config.portfolio == ROOT / "data" / "example"
    assert config.forecast.periods == 12
    text = (ROOT / "data" / "batch.toml").read_text(encoding="utf-8")
    for section in (
        config,
        config.forecast,
        config.optimize,
        config.status,
        config.report,
    ):
        for key in vars(section):
            assert f"{key} = " in text or f"[{key}]" in text


def test_defaults_and_paths(tmp_path):
    text = 'portfolio = "p"\nstore = "m.db"\n[optimize]\nseconds = 5\n'
    config = read_config(written(tmp_path, text))
    assert config.portfolio == tmp_path / "p"
    assert config.store == str(tmp_path / "m.db")
    assert config.optimize.seconds == 5.0
    assert config.report.charts
    away = 'portfolio = "p"\nstore = "postgresql+psycopg://h/d"\n'
    assert read_config(written(tmp_path, away)).store == "postgresql+psycopg://h/d"


def test_the_numbers_of_the_search(tmp_path):
    text = 'portfolio = "p"\n[search]\nannealing.members = 64\n'
    config = read_config(written(tmp_path, text))
    assert config.search.changed() == {"annealing": {"members": 64}}


def test_everything_wrong_is_named_at_once(tmp_path):
    text = (
        'portfolo = "p"\nseed = true\n[forecast]\ndrawz = 5\nchance = 2.0\n'
        '[optimise]\nx = 1\n[optimize]\ncapacity = "p0"\nseconds = "long"\n'
        "[search.race]\nlock = 1\n"
    )
    with pytest.raises(ConfigError) as caught:
        read_config(written(tmp_path, text))
    said = str(caught.value)
    for part in (
        "portfolo is unknown (did you mean 'portfolio'?)",
        "portfolio is missing",
        "seed has to be a whole number, not True",
        "[forecast] drawz is unknown (did you mean 'draws'?)",
        "[forecast] chance has to be 0.01 .. 0.99",
        "optimise is unknown (did you mean 'optimize'?)",
        "[optimize] capacity is 'known' or p1 .. p99",
        "[optimize] seconds has to be a number",
        "[search] RaceParams has no 'lock' (did you mean 'look'?)",
    ):
        assert part in said


@pytest.mark.parametrize(
    "text",
    [
        '[store]\nurl = "postgresql://me:secret@host/db"\n',
        'store = ["postgresql://me:secret@host/db"]\n',
        'seed = "postgresql://me:secret@host/db"\n',
        'postgresql = "postgresql://me:secret@host/db"\n',
    ],
)
def test_an_address_in_the_wrong_place_tells_no_password(tmp_path, text):
    with pytest.raises(ConfigError) as caught:
        read_config(written(tmp_path, f'portfolio = "p"\n{text}'))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["portfolio = ", "\x00", "portfolio = [1"])
def test_what_is_no_toml(tmp_path, text):
    with pytest.raises(ConfigError, match="is not TOML"):
        read_config(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="Cannot read"):
        read_config(tmp_path / "none.toml")
