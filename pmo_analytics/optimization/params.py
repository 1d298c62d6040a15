"""The numbers that decide a search, by the search that they belong to.

They were chosen by measurement and are the same for everybody unless told otherwise:
`optimize(params=SearchParams(ruin=...))`. What differs from the defaults is kept in the
report of a plan. None of them changes what a plan, a bound or a proof means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.optimization.numbers_given import (
    Params,
    Range,
    count,
    moved_to,
    share,
)


@dataclass(frozen=True)
class StartParams(Params):
    """How a search begins, and what it keeps back for its end.

    Parameters
    ----------
    shakes
        Tries of the greedy with a shaken order where the plain one finds no plan.
    repairs
        Projects of a refused plan that are left out in turn.
    checks, readings
        How long the proof of a bound may take: in checks of a plan, and in readings of
        the portfolio by the checker.
    """

    shakes: int = count(30, 0)
    repairs: int = count(20, 0)
    checks: float = 3.0
    readings: float = 2.5


@dataclass(frozen=True)
class RaceParams(Params):
    """Who works on a question, and who makes way for whom.

    Parameters
    ----------
    patience
        Seconds that the solver works alone before a search joins in; a search has
        machine code to load before it begins.
    look
        Seconds between two looks around when nothing is reported.
    still, still_share, far
        A solver whose bound stands still for so many seconds and this share of the
        time, this far from the best plan, makes way for another search.
    apart
        One that is this far from it when its cuts are made makes way at once.
    small
        Up to so many options a bound that stands still often moves again.
    proof_after, proof_share
        A proof by branches joins in after so many seconds, or this share of the time;
        after as long again the solver makes way for it if its bound is the worse one.
    tree
        Seconds to wait for branches that prove the gap asked for to be told of.
    most_cores
        Processes at most, where nobody says how many.
    most_uses
        Uses of limited things that all processes together may hold.
    """

    patience: float = 0.3
    look: float = 0.5
    still: float = 5.0
    still_share: float = share(0.1)
    far: float = 0.002
    apart: float = 0.05
    small: int = count(2000, 0)
    proof_after: float = 3.0
    proof_share: float = share(0.05)
    tree: float = 10.0
    most_cores: int = count(8)
    most_uses: int = count(8_000_000)


@dataclass(frozen=True)
class ProofParams(Params):
    """A proof by branches beside the solver, and the time to check it.

    Parameters
    ----------
    look
        Seconds between two words about the bound.
    first_tree, alone_first
        Seconds until the branches are told first; the same of a process that is the
        only one.
    searched
        Share of the time of a proof in which a better plan is sought, where the process
        is the only one.
    last_word
        Seconds that it takes to tell of the branches at the end.
    checked, checked_cuts
        Share of a search that the checker is left: with branches, and with cuts alone.
    nodes_a_second, fewest_nodes
        Nodes that the checker walks in a second, and that a proof may have anyway.
    """

    look: float = 0.3
    first_tree: float = 4.0
    alone_first: float = 1.0
    searched: float = 0.3
    last_word: float = 0.3
    checked: float = share(0.09)
    checked_cuts: float = share(0.05)
    nodes_a_second: int = count(780)
    fewest_nodes: int = count(1_400)


@dataclass(frozen=True)
class BranchingParams(Params):
    """The tree of branches, and how it grows.

    Parameters
    ----------
    afresh
        A plan that is better by this share of the gap makes the tree begin again.
    cuts, exceeded, most_cuts
        Cliques added for one node, by how much it exceeds each, and cuts of the whole
        tree: more of them make smaller trees, but slower ones.
    cut_from
        Nodes from which on a tree is worth them.
    gain
        Share of a node's gap that cuts have to close for it to wait for its turn again.
    most_prices
        Prices of a node, on average: they make the length of the certificate.
    """

    afresh: float = share(0.5)
    cuts: int = count(20, 0)
    exceeded: float = 0.05
    most_cuts: int = count(500, 0)
    cut_from: int = count(300, 0)
    gain: float = share(0.01)
    most_prices: int = count(150)


@dataclass(frozen=True)
class AlternationParams(Params):
    """How a search divides its time between the searches that take turns.

    Parameters
    ----------
    first_cycle, growth
        Seconds of the first cycle, and how each next one grows: a slow cooling finds
        more, a fast one finds it sooner.
    exact, least_exact, most_exact
        Time that the exact models get after a cycle, in lengths of it: the first time,
        and within what it follows from who of the two finds more.
    exact_after, least_after, most_after
        The same where branches can prove an optimum.
    longest_anew
        Seconds of the longest cycle; elsewhere one begins again with the first then.
    first_whole, to_begin, soon
        Seconds of the first cycle of annealing the whole plan, from and to; so many
        options take one second, twice as many four; and the share of the time it takes
        at most.
    slower, polished
        How each next one grows, and the share of it in which its plan is repacked.
    apart
        By what share one cooled from nothing may be worse where heated ones count.
    counted, moved
        Rounds of a cycle, or moves of annealing, where those are counted and not
        seconds.
    walk, relaxed
        Time for the plans near the relaxation, where they are few, in lengths of a
        cycle; and seconds for each of their relaxations.
    """

    first_cycle: float = 2.0
    growth: float = 1.5
    exact: float = 0.25
    least_exact: float = 0.1
    most_exact: float = 1.0
    exact_after: float = 0.5
    least_after: float = 0.25
    most_after: float = 1.0
    longest_anew: float = 10.0
    first_whole: Range = (0.5, 10.0)
    to_begin: int = count(3_000)
    soon: float = share(0.1)
    slower: float = 1.08
    polished: float = share(0.2)
    apart: float = share(0.02)
    counted: int = count(2_000)
    moved: int = count(200_000)
    walk: float = 4.0
    relaxed: float = 10.0


@dataclass(frozen=True)
class TurnsParams(Params):
    """Whose turn it is of the searches: those that reached most get more time.

    Parameters
    ----------
    favour
        Time of annealing for each of another search that reaches as much.
    near, better, follow, rarely
        How a search is paid: 1 for a plan as good as the best one, e times less for
        each share of it by which it is worse, for a better one up to this much more;
        how fast its weight follows; and how rarely at least each search is tried.
    """

    favour: float = 4.0
    near: float = 0.005
    better: float = 2.0
    follow: float = share(0.4)
    rarely: float = share(0.08)


@dataclass(frozen=True)
class RepackingParams(Params):
    """Repacking: ruin and recreate, cooled over a cycle.

    Temperatures are how much worse a plan may get and be kept, in projects of average
    worth.

    Parameters
    ----------
    hottest, first_heat, coldest
        Temperature at the begin of a cycle, of the first one, and at the end as a
        share of that at the begin.
    cool
        Temperature at the begin of repacking what another search has made.
    many
        Plans of more projects than this get colder cycles.
    from_best
        The first and then each so many-th cycle begins with the best plan.
    refills
        Plans made afresh when prices come.
    told
        Seconds between plans told of.
    """

    hottest: float = 2.0
    first_heat: float = 0.3
    coldest: float = 0.02
    cool: float = 0.1
    many: int = count(100)
    from_best: int = count(4)
    refills: int = count(8, 0)
    told: float = 0.3


@dataclass(frozen=True)
class RebuildingParams(Params):
    """Rebuilding: dives for a part of the plan, one after the other.

    Parameters
    ----------
    root, first_dive, dive
        Time for the relaxation that is dived into, and for the first dive, as shares
        of what is left; and for each other one, in lengths of a cycle.
    warm, anew
        Temperature at the begin, drawn from this range, as in repacking; and how often
        it begins with nothing.
    polish, longest_polish, whole
        Seconds of each repacking in it for every project, and at most, and how much
        longer it takes after a whole dive.
    rounds, longest, at_once
        Dives that it should have time for within a share of what is left; and the share
        of a cycle that a whole dive may take.
    slow
        Where a part takes more seconds than this, a dive for half of the plan is made.
    kept
        Share of the best plan that other dives leave as it is, drawn from this range.
    """

    root: float = share(0.15)
    first_dive: float = share(0.2)
    dive: float = 0.5
    warm: Range = (0.1, 0.7)
    anew: float = share(0.3)
    polish: float = 6e-4
    longest_polish: float = 0.5
    whole: float = 10.0
    rounds: int = count(150)
    longest: float = share(0.1)
    at_once: float = share(0.4)
    slow: float = 0.5
    kept: Range = (0.5, 0.95)


@dataclass(frozen=True)
class LnsParams(Params):
    """Large neighbourhood search: parts of a plan by exact models.

    Parameters
    ----------
    first_size, first_share
        Options of the first small models: so many, or this share of them all.
    wanted_seconds, longest_seconds
        What a small model should take, sizes adapt to it; and what it may take.
    nodes, few_nodes
        Nodes of a small model, and where no clock runs.
    thin
        Options of a project that take part in a thin small model.
    most_moved, others
        Small models in which the whole plan may move have at most so many options of
        it, and so many others at first.
    """

    first_size: float = 400.0
    first_share: float = share(0.4)
    wanted_seconds: float = 1.0
    longest_seconds: float = 4.0
    nodes: int = count(3000)
    few_nodes: int = count(100)
    thin: int = count(4)
    most_moved: int = count(500)
    others: float = 40.0


@dataclass(frozen=True)
class AnnealingParams(Params):
    """Annealing of the whole plan, what is broken at a rising price.

    Temperatures and prices are in projects of median worth.

    Parameters
    ----------
    members, enough
        Plans that are cooled side by side where branches can prove an optimum, at most,
        each with so many moves for every option; one elsewhere.
    hot, cold, reheated
        Temperature from and to; how far the best plan is heated up in every second
        cycle, as a share of the way from cold to hot: all drawn from ranges.
    cheap, dear
        Price of a rule broken by its largest use, from and to, drawn from these ranges.
    step
        How much more a rule costs that is broken at all, as such a use; drawn as well.
    link
        Least price of a dependency that is not served.
    paired, stays
        Share of the moves in which a second project leaves or moves, and how often it
        is a move.
    drawn, blur
        Share of the moves in which the option is drawn by the prices of the relaxation,
        and how much worth it takes to be e times as likely.
    out
        How often a project that is in leaves.
    """

    members: int = count(128, 2)
    enough: float = 60.0
    hot: Range = (0.3, 0.5)
    cold: Range = (0.06, 0.1)
    reheated: Range = (0.3, 0.7)
    cheap: Range = (0.5, 2.0)
    dear: Range = (5.0, 8.0)
    step: Range = (0.05, 0.1)
    link: float = 2.0
    paired: float = share(0.7)
    stays: float = share(0.5)
    drawn: float = share(0.5)
    blur: float = 1.5
    out: float = share(0.3)


@dataclass(frozen=True)
class DivingParams(Params):
    """Dives into the relaxation, and rebuilding a part of a plan by them.

    Parameters
    ----------
    many_uses
        Uses from which on interior point is the faster way to the first relaxation.
    at_once
        Share of the divided projects that may be fixed at once where time is short.
    leaves, few, many
        How much of a plan leaves: a share of it, drawn from this range; at least and in
        large plans at most so many projects.
    stray
        How far dives stray from what the relaxation likes, at most.
    blur
        Periods by which the order of who leaves is blurred.
    """

    many_uses: int = count(30_000, 0)
    at_once: float = share(0.25)
    leaves: Range = (0.1, 0.5)
    few: int = count(8)
    many: int = count(30)
    stray: float = 0.3
    blur: float = 4.0


@dataclass(frozen=True)
class NearParams(Params):
    """Going through all plans near the relaxation, where they are few.

    Parameters
    ----------
    options, rows, choices, numbers
        Sizes that this is tried on: options, rows that may run short, choices that lose
        less than the gap (powers of ten), and numbers of projects.
    first, step
        Plans that lose little come first: so many choices, and each time so many more
        (powers of ten).
    """

    options: int = count(4_000, 0)
    rows: int = count(40, 0)
    choices: float = 17.0
    numbers: int = count(60)
    first: float = 9.0
    step: float = 0.7


@dataclass(frozen=True)
class SearchParams:
    """The numbers that decide a search.

    Parameters
    ----------
    start, race
        The first plan; solvers side by side.
    proof, branching
        How long bounds are proved; branches of the proof.
    alternation, turns
        How long the searches work, and which of them does.
    repacking, rebuilding, lns, annealing, diving, near
        The searches themselves.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> pmo.SearchParams.of({"annealing": {"members": 64}}).changed()
    {'annealing': {'members': 64}}
    """

    start: StartParams = StartParams()
    race: RaceParams = RaceParams()
    proof: ProofParams = ProofParams()
    branching: BranchingParams = BranchingParams()
    alternation: AlternationParams = AlternationParams()
    turns: TurnsParams = TurnsParams()
    repacking: RepackingParams = RepackingParams()
    rebuilding: RebuildingParams = RebuildingParams()
    lns: LnsParams = LnsParams()
    annealing: AnnealingParams = AnnealingParams()
    diving: DivingParams = DivingParams()
    near: NearParams = NearParams()

    def __post_init__(self) -> None:
        for one in fields(self):
            given = getattr(self, one.name)
            if type(given) is not type(one.default):
                wanted = type(one.default).__name__
                raise ConfigError(
                    f"SearchParams.{one.name} is {wanted}, not {given!r}."
                )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> SearchParams:
        """Return params with some numbers given: name of a search -> name -> number.

        Numbers of `alternation` of `turns`, `repacking` and `rebuilding` are taken
        by their old names too, with a DeprecationWarning.

        Raises
        ------
        ConfigError
            If there is no such search or number, or it cannot be that.
        """
        moved = {"turns": TurnsParams, "repacking": RepackingParams}
        moved["rebuilding"] = RebuildingParams
        given = moved_to(given, "alternation", moved)
        kinds: dict[str, Any] = {one.name: type(one.default) for one in fields(cls)}
        parts: dict[str, Any] = {}
        for name, numbers in given.items():
            if name not in kinds:
                raise ConfigError(
                    f"There are no numbers of '{name}'{closest(name, kinds)}. There "
                    f"are: {', '.join(kinds)}."
                )
            if not isinstance(numbers, Mapping):
                raise ConfigError(f"'{name}' is a table of numbers, not {numbers!r}.")
            parts[name] = kinds[name].of(numbers)
        return cls(**parts)

    def changed(self) -> dict[str, dict[str, Any]]:
        """Return what differs from the defaults, ready for JSON: what `of` takes."""
        own = {one.name: getattr(self, one.name).changed() for one in fields(self)}
        return {name: numbers for name, numbers in own.items() if numbers}


DEFAULTS = SearchParams()
