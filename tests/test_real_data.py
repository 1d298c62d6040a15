"""The main job on data that nobody here made."""

from __future__ import annotations

import pandas as pd
import pytest

from pmo_analytics.errors import DataError, PmoWarning
from pmo_analytics.loaders import read_portfolio
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.optimizing import optimize
from tests.support.clock import AMPLE
from tests.support.counts import ALL
from tests.support.instances import ppssp_portfolio
from tests.support.real_data import GMPP, gmpp_folder, mknap_portfolios, real

pytestmark = pytest.mark.usefixtures("warm_module")


# Three of them take longer than the other four together; the last is the largest.
# There one process proves what several do in the others.
@pytest.mark.parametrize("number", range(7) if ALL else (0, 1, 2, 6))
def test_mknap1_optima_are_proved(number):
    portfolio, optimum = list(mknap_portfolios(real("mkp/mknap1.txt")))[number]
    threads = 1 if number == 6 else None
    plan = optimize(portfolio, limits=SolveLimits(seconds=AMPLE, threads=threads))
    assert plan.report is not None
    assert plan.report.status == "optimal"
    assert plan.report.certified
    assert plan.objective == pytest.approx(optimum, abs=1e-6)


def test_ppssp_gets_a_certified_plan():
    path = real("ppssp/PI_1_1000_25_0.25_0.01.json")
    plan = optimize(ppssp_portfolio(path), limits=SolveLimits(seconds=AMPLE, gap=0.25))
    assert plan.report is not None
    assert plan.report.certified
    assert plan.violations.empty
    assert plan.report.certified_bound is not None
    # Published: Gurobi 893,555.816 with a final bound of 900,397.137.
    assert plan.report.certified_bound >= 893_555.8
    assert 700_000 < plan.objective < 900_400
    assert plan.report.gap is not None
    assert plan.report.gap <= 0.25


def test_uk_major_projects_under_a_cut_budget(tmp_path):
    """Rows with exempt or missing figures are left out, each one named."""
    money = gmpp_folder(real(GMPP), tmp_path, share=0.6)
    with pytest.raises(DataError, match="Exempt"):
        read_portfolio(tmp_path)
    with pytest.warns(PmoWarning, match="row_left_out"):
        portfolio = read_portfolio(tmp_path, bad_rows="drop")
    raw = pd.read_csv(tmp_path / "projects.csv", dtype="str")
    left_out = portfolio.problems[portfolio.problems["rule"] == "row_left_out"]
    assert set(left_out["source"]) == {"projects.csv", "spend.csv"}
    assert left_out["row"].notna().all()
    named = set(left_out.loc[left_out["table"] == "projects", "row"])
    kept = set(portfolio.projects["project"])
    # Every project of the file is either in the portfolio or named as left out.
    assert len(kept) + len(named) == len(raw)
    assert 150 < len(kept) < 200
    # No figure is lost on the way: blank here is blank in the file.
    given = raw.set_index("project")["value"].loc[portfolio.projects["project"]]
    assert (portfolio.projects["value"].isna().to_numpy() == given.isna()).all()
    assert portfolio.projects["duration"].between(1, 60).all()
    plan = optimize(portfolio, limits=SolveLimits(seconds=AMPLE, gap=1e-3))
    assert plan.report is not None
    assert plan.report.certified
    assert plan.report.gap is not None
    assert plan.report.gap <= 1e-3
    assert plan.budget["spend"].iat[0] <= money + 1e-6
    assert 20 < len(plan.starts) < len(kept)
