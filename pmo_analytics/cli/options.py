"""The options of the commands, in their words of help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PathArgument = Annotated[
    Path, typer.Argument(help="Folder of CSV files with portfolio.toml, or a workbook.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print exactly one JSON line on stdout.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for the result files.")
]


def _xml_name(path: Path | None) -> Path | None:
    """Refuse a file of another kind before anything is searched."""
    if path is not None and path.suffix.lower() != ".xml":
        raise typer.BadParameter(f"{path}: the name must end in .xml.")
    return path


MspdiOption = Annotated[
    Path | None,
    typer.Option(
        "--mspdi",
        callback=_xml_name,
        help="Also write the plan for Microsoft Project (.xml).",
    ),
]
IntoOption = Annotated[
    Path | None,
    typer.Option(
        "--into",
        help="Folder for copies of the Microsoft Project files that were read, with "
        "the dates of the plan and all else as it is.",
    ),
]
StrictOption = Annotated[
    bool,
    typer.Option(help="Overloads of work that cannot be moved count as broken rules."),
]
SecondsOption = Annotated[
    float, typer.Option(min=0.1, max=1e6, help="Wall clock of the search.")
]
# Of the verbs with one search.
AllSecondsOption = Annotated[
    float,
    typer.Option(
        min=0.1,
        max=1e6,
        help="Wall clock of the search; of the command, reading and writing included, "
        "where reading takes longer than a second.",
    ),
]
GapOption = Annotated[
    float, typer.Option(min=0.0, help="Stop at this gap, 0.01 = 1 %.")
]
WorkOption = Annotated[
    int | None,
    typer.Option(min=1, help="Stop after so many nodes, for equal answers."),
]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Local processes; default one per core.")
]
ClusterOption = Annotated[
    str, typer.Option(help="Address of a Dask scheduler, tcp://HOST:8786.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of the search.")]
ChartsOption = Annotated[bool, typer.Option(help="Draw the charts.")]

# Of `optimize`.
ThreadsOption = Annotated[
    int | None, typer.Option(min=1, help="Processes at work at once.")
]
SolverOption = Annotated[
    str, typer.Option(help="Solver that PuLP knows: highs, gurobi, cbc ...")
]
FlexOption = Annotated[
    bool, typer.Option("--flex", help="Capacity may be bought: the table flex.")
]
WeighOption = Annotated[
    bool,
    typer.Option(
        "--weigh-by-probability", help="Worth counts times projects.probability."
    ),
]
RecordOption = Annotated[
    Path | None,
    typer.Option(help="Plan of record: its folder, or the schedule.csv of a plan."),
]
FreezeOption = Annotated[
    int, typer.Option(min=0, help="Periods in which the plan of record holds.")
]
ChangePriceOption = Annotated[
    float, typer.Option(min=0.0, help="Price of each changed project.")
]
MovePriceOption = Annotated[
    float, typer.Option(min=0.0, help="Price of each period a project moves.")
]
ThenOption = Annotated[
    list[str] | None,
    typer.Option(help="Second objective: earliest_finish, fewest_changes."),
]
ValueLossOption = Annotated[
    float,
    typer.Option(min=0.0, max=0.9999, help="What those may cost, 0.01 = 1 %."),
]
OverloadChanceOption = Annotated[
    float | None,
    typer.Option(
        min=0.01, max=0.99, help="Accepted chance of overload, role by period."
    ),
]
SearchFileOption = Annotated[
    Path | None,
    typer.Option(
        "--search", help="TOML file: its section 'search' changes how it searches."
    ),
]
RiskUncertaintyOption = Annotated[
    Path | None,
    typer.Option(help="TOML file on what is uncertain, for the chance."),
]

# Of `level`.
MeasureOption = Annotated[
    str, typer.Option(help="What is minimised: makespan or delay.")
]
SchedulesOption = Annotated[
    int | None,
    typer.Option(min=1, help="Stop after so many schedules, for equal answers."),
]

# Of `explain` and `frontier`.
PlanOption = Annotated[
    Path | None,
    typer.Option(help="schedule.csv of the plan asked about; default: solve first."),
]
ProjectOption = Annotated[
    list[str] | None,
    typer.Option(help="Why is it not in? May be given several times; default all."),
]
InfeasibleOption = Annotated[
    bool, typer.Option("--infeasible", help="Why is there no plan at all?")
]
RolesOption = Annotated[
    bool, typer.Option("--roles", help="What is one FTE of each role worth?")
]
ValuesOption = Annotated[
    bool,
    typer.Option(
        "--values",
        help="How far may values and the discount rate move without changing it?",
    ),
]
OverOption = Annotated[
    str, typer.Option(help="budget, capacity, spend, projects or finish.")
]
OfOption = Annotated[str, typer.Option(help="One budget or role; default all.")]
PointsOption = Annotated[int, typer.Option(min=2, max=200, help="How many levels.")]
LevelsOption = Annotated[
    str, typer.Option(help="The levels themselves, such as 0.8,0.9,1.")
]

# Of `forecast`.
HorizonOption = Annotated[
    int | None, typer.Option(min=1, max=1200, help="Periods; default all.")
]
FuturesOption = Annotated[
    int | None,
    typer.Option(
        min=100,
        max=100_000,
        help="How many futures; default 2000, fewer of very many roles.",
    ),
]
ScopeOption = Annotated[
    str,
    typer.Option(
        help="Whose load: pipeline (candidates by their probability), committed "
        "(projects that are sure to come), or plan (that of --record)."
    ),
]
WhyOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ROLE",
        help="Say where the forecast of this role comes from; may be given several "
        "times.",
    ),
]
ModelOption = Annotated[
    str, typer.Option(help="Model of time series, such as theta or combination.")
]
ChanceOption = Annotated[
    float, typer.Option(min=0.01, max=0.99, help="Accepted chance of overload.")
]
LeadOption = Annotated[
    int, typer.Option(min=0, max=60, help="Periods until somebody hired works.")
]
RampOption = Annotated[
    int, typer.Option(min=0, max=60, help="Periods until who is new works in full.")
]
StoreOption = Annotated[
    str, typer.Option(help="SQLite file or database URL that remembers forecasts.")
]

# Of `simulate`.
DatesOption = Annotated[
    Path | None,
    typer.Option(help="schedule.csv of a plan; default the planned dates."),
]
UncertaintyOption = Annotated[
    Path | None, typer.Option(help="TOML file that says what is uncertain.")
]
DrawsOption = Annotated[
    int, typer.Option(min=20, max=1_000_000, help="How many futures.")
]
MethodOption = Annotated[str, typer.Option(help="lhs, sobol or random.")]
