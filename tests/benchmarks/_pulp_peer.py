"""A peer in a process of its own: the plain PuLP model with HiGHS, CBC or SCIP.

Run as `python _pulp_peer.py JOB.npz`. Solvers have their own settings but for the
clock, the threads (SCIP has one) and a relative gap of zero.
"""

from __future__ import annotations

import math
import re
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pulp

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.pulp_sink import Model, build_model
from tests.benchmarks import _peer

# CBC gives its plan as a file after it ends, so it has to end a little earlier.
_CBC_FINISH = 0.03
_NUMBER = r"(-?\d[\d.]*(?:e[+-]?\d+)?)"
# PuLP hands CBC the negated objective to minimise.
_CBC_PLAN = re.compile(
    rf"Integer solution of {_NUMBER} found|improved solution from \S+ to {_NUMBER}"
)
_CBC_BOUND = re.compile(
    rf"best possible {_NUMBER}|Root node pass .* objective {_NUMBER}"
    rf"|Continuous objective value is {_NUMBER}"
)


def _solve(options: Options, job: dict[str, Any], tell: _peer.Teller) -> None:
    model = build_model(options)
    tell("built")
    if job["solver"] == "scip":
        _solve_scip(model, job, tell)
        return
    solver = _cbc if job["solver"] == "cbc" else _highs
    stats = model.problem.solve(solver(model, job, tell))
    chosen = None
    if stats.has_solution:
        values = np.array([v.varValue or 0.0 for v in model.x])
        chosen = np.flatnonzero(values > 0.5).tolist()
    bound = stats.best_bound
    if stats.status == pulp.LpSolveStatus.Optimal and bound is None:
        bound = stats.objective
    tell(
        "solved",
        status=stats.status.name,
        chosen=chosen,
        bound=float(bound) if bound is not None and abs(bound) < 1e20 else None,
    )


def _highs(model: Model, job: dict[str, Any], tell: _peer.Teller) -> Any:
    import highspy

    kinds = highspy.cb.HighsCallbackType

    def hear(kind: Any, _message: str, data: Any, _input: Any, _own: Any) -> None:
        if kind == kinds.kCallbackMipImprovingSolution:
            values = np.asarray(data.mip_solution)[: len(model.x)]
            tell("plan", chosen=np.flatnonzero(values > 0.5).tolist())
        tell.better_bound(float(data.mip_dual_bound))

    return pulp.HiGHS(
        msg=False,
        timeLimit=tell.left(job["seconds"]),
        # None: as many as HiGHS finds right, which is half of the cores.
        threads=job["threads"],
        gapRel=0.0,
        callbackTuple=(hear, None),
        callbacksToActivate=[
            kinds.kCallbackMipImprovingSolution,
            kinds.kCallbackMipLogging,
        ],
    )


def _cbc(_model: Model, job: dict[str, Any], tell: _peer.Teller) -> Any:
    log = Path(job["folder"]) / "cbc.log"
    threading.Thread(target=_follow_cbc, args=(log, tell), daemon=True).start()
    return pulp.COIN_CMD(
        msg=False,
        timeLimit=round(tell.left(job["seconds"]) * (1 - _CBC_FINISH), 1),
        threads=job["threads"],
        logPath=str(log),
    )


def _follow_cbc(log: Path, tell: _peer.Teller) -> None:
    """Tell of every plan and bound in CBC's log while it grows."""
    rest, at, best = "", 0, -math.inf
    while True:
        time.sleep(0.1)
        if not log.exists():
            continue
        with log.open(encoding="utf-8", errors="replace") as file:
            file.seek(at)
            rest += file.read()
            at = file.tell()
        *lines, rest = rest.split("\n")
        for line in lines:
            objective, bound = read_cbc_line(line)
            if objective is not None:
                best = max(best, objective)
                tell("plan", objective=objective)
            if bound is not None and bound < best - 1e-6 * max(1.0, abs(best)):
                # Told as it is, but no reason to keep back the next, better one.
                tell("bound", bound=bound)
            elif bound is not None:
                tell.better_bound(bound)


def read_cbc_line(line: str) -> tuple[float | None, float | None]:
    """Return the objective and the bound that a line of CBC's log speaks of."""

    def value(found: re.Match[str] | None) -> float | None:
        text = next(filter(None, found.groups()), None) if found else None
        # 1e50 stands for none.
        return -float(text) if text and abs(float(text)) < 1e20 else None

    return value(_CBC_PLAN.search(line)), value(_CBC_BOUND.search(line))


def _solve_scip(model: Model, job: dict[str, Any], tell: _peer.Teller) -> None:
    """Hand the model over as an LP file, as PuLP's SCIP_CMD does, and listen.

    PuLP's SCIP_PY hands over term by term, which was measured to take 9 seconds for
    71,000 coefficients, against 0.05 seconds for the file.
    """
    from pyscipopt import SCIP_EVENTTYPE, Eventhdlr
    from pyscipopt import Model as Scip

    path = str(Path(job["folder"]) / "model.lp")
    model.problem.writeLP(path)
    scip = Scip()
    scip.hideOutput()
    scip.readProblem(path)
    by_name = {column.name: column for column in scip.getVars()}
    columns = [by_name[variable.name] for variable in model.x]
    kinds = (SCIP_EVENTTYPE.BESTSOLFOUND, SCIP_EVENTTYPE.DUALBOUNDIMPROVED)

    def best() -> list[int] | None:
        plan = scip.getBestSol() if scip.getNSols() else None
        if plan is None:
            return None
        return [k for k, x in enumerate(columns) if scip.getSolVal(plan, x) > 0.5]

    class Listener(Eventhdlr):
        """Tells of every better plan and bound."""

        def eventinit(self) -> None:
            for kind in kinds:
                self.model.catchEvent(kind, self)

        def eventexit(self) -> None:
            for kind in kinds:
                self.model.dropEvent(kind, self)

        def eventexec(self, event: Any) -> None:
            if event.getType() == SCIP_EVENTTYPE.BESTSOLFOUND:
                tell("plan", chosen=best())
            tell.better_bound(_finite(scip.getDualbound()))

    # Kept in a name of its own: SCIP does not keep it alive.
    listener = Listener()
    scip.includeEventhdlr(listener, "listener", "better plans and bounds")
    scip.setParam("limits/time", tell.left(job["seconds"]))
    scip.optimize()
    bound = _finite(scip.getDualbound())
    tell(
        "solved",
        status=scip.getStatus(),
        chosen=best(),
        bound=bound if bound < math.inf else None,
    )


def _finite(bound: float) -> float:
    """Return a bound of SCIP; 1e20 stands for none."""
    return bound if abs(bound) < 1e20 else math.inf


def _scip_version() -> str:
    import pyscipopt

    return f"SCIP {pyscipopt.Model().version()}, PuLP {pulp.__version__}"


def _cbc_version() -> str:
    if not pulp.COIN_CMD(msg=False).available():
        raise ImportError("there is no CBC: pulp[cbc] is not installed")
    return f"CBC of cbcbox {version('cbcbox')}, PuLP {pulp.__version__}"


def _highs_version() -> str:
    return f"HiGHS {version('highspy')}, PuLP {pulp.__version__}"


if __name__ == "__main__":
    versions = {
        "highs": _highs_version,
        "highs_all": _highs_version,
        "cbc": _cbc_version,
        "scip": _scip_version,
    }
    _peer.run(versions, _solve)
