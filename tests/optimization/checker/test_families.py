"""A family in one place: how it is written, found broken, charged, and explained."""

from __future__ import annotations

import pytest

from pmo_analytics.optimization.bounds.certificate_entries import ENTRIES as NAMED
from pmo_analytics.optimization.checker.families.registry import ENTRIES, FAMILIES
from pmo_analytics.optimization.model.families import CLAUSES
from pmo_analytics.optimization.model.families import FAMILIES as WRITTEN

# Family of the model -> families of the checker that hold plans against its rows.
CHECKED = {
    "choices": (),  # one start a project: a schedule has no more, `rules._check_rows`
    "resources": ("capacity", "budgets", "own_rules"),
    "dependencies": ("dependencies",),
    "groups": ("groups",),
    "linear": ("own_rules",),
    "hires": (),  # what may be bought: `flex`
    "distinct": ("own_rules",),
}
# Family of the checker -> kinds of rules in a rulebook that explain what breaks it.
EXPLAINED = {
    "capacity": {"capacity"},
    "budgets": {"budget", "budget_at_least"},
    "dependencies": {"dependency"},
    "groups": {"group"},
    "own_rules": {"linear_resource", "linear_row", "distinct"},
}
# Form of a row of the model -> kinds of entries that name it in a certificate.
ENTERED = {
    **{key: {"capacity", "budget", "rule"} for key in ("limit", "least")},
    **{key: {"rule"} for key in ("linear_most", "linear_least")},
    "opens": {"themes"},
    **{key: {"group"} for key in ("at_most", "at_least")},
    "same": {"all_or_none"},
    **{key: {"dependency"} for key in ("by", "after", "at", "selected")},
}


def test_every_family_of_the_model_is_checked():
    assert CHECKED.keys() == WRITTEN.keys()
    assert {name for checked in CHECKED.values() for name in checked} == set(FAMILIES)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_one_module(name):
    family = FAMILIES[name]
    parts = [family.check, *(entry.charge for entry in family.entries.values())]
    assert {part.__module__.rpartition(".")[2] for part in parts} == {name}


def test_every_row_that_a_certificate_names_is_charged():
    assert ENTERED.keys() == NAMED.keys()
    assert set().union(*ENTERED.values()) == ENTRIES.keys()


@pytest.mark.parametrize("name", [name for name in CHECKED if CHECKED[name]])
def test_what_a_family_breaks_is_explained_and_charged(name):
    explained = set().union(*(EXPLAINED[part] for part in CHECKED[name]))
    charged = set().union(*(FAMILIES[part].entries for part in CHECKED[name]))
    for form, kinds in WRITTEN[name].clauses.items():
        assert CLAUSES[form] == kinds
        assert set(kinds) <= explained
        # A count of themes has no entry of its own: its members pay for it.
        assert form == "distinct" or ENTERED[form] <= charged
