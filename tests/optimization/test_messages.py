"""Jobs and events: written down for another process and read there."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest

from pmo_analytics.optimization.jobs import (
    ImproveJob,
    Job,
    ProveJob,
    SolveJob,
)
from pmo_analytics.optimization.messages import (
    BetterPlan,
    Broken,
    CutsTold,
    End,
    Enough,
    Event,
    Impossible,
    NewPrices,
    News,
    ProvedElsewhere,
    Repair,
    Tree,
)
from pmo_analytics.optimization.params import RaceParams, SearchParams

PARAMS = SearchParams(race=RaceParams(look=0.25))


@pytest.mark.parametrize("kind", Job.known.values(), ids=list(Job.known))
def test_a_job_is_read_as_it_was_written(kind):
    job = kind(seconds=2.5, seed=3, start=[np.int64(4), 7], params=PARAMS)
    text = json.dumps(job.written())
    again = Job.read(json.loads(text))
    assert type(again) is kind
    assert json.dumps(again.written()) == text
    assert (again.seconds, again.plan.tolist(), again.params) == (2.5, [4, 7], PARAMS)


def test_a_job_does_not_change():
    with pytest.raises(FrozenInstanceError):
        SolveJob(seconds=1.0).seconds = 2.0


def test_jobs_that_follow_have_what_all_jobs_have():
    job = SolveJob(seconds=9.0, seed=5, memory_gb=2.0, gap=0.1, params=PARAMS)
    search = job.search(start=[1], seconds=4.0, rounds=3)
    proof = job.proof(start=[1], seconds=4.0, alone=True)
    assert search == ImproveJob(
        seconds=4.0, seed=5, memory_gb=2.0, start=[1], rounds=3, params=PARAMS
    )
    assert (proof.gap, proof.alone, proof.memory_gb) == (0.1, True, 2.0)
    assert isinstance(proof, ProveJob)
    shared = {one.name for one in fields(Job)}
    assert {*job.shared()} == shared


@pytest.mark.parametrize(
    "event",
    [
        Impossible(),
        Tree(bound=4.5, closed=True, told={"nodes": [], "bound": 4.5}),
        CutsTold(bound=3.0, prices=[[["limit", 1], 0.5]], cuts=[{"most": 2}]),
        Broken(status="Optimal", chosen=[1], broken=[[["at_most", 0], 1.0]]),
        Repair(status="optimal", objective=-1.0),
        End(code=None),
    ],
    ids=lambda event: event.kind,
)
def test_an_event_is_read_as_it_was_told(event):
    text = json.dumps(event.written())
    again = Event.read(json.loads(text))
    assert type(again) is type(event)
    assert json.dumps(again.written()) == text
    assert again.claims == getattr(event, "bound", None)


@pytest.mark.parametrize(
    "news",
    [
        BetterPlan(chosen=[1, 5]),
        NewPrices(prices=[[["limit", 1], 0.5]]),
        Enough(),
        ProvedElsewhere(),
    ],
    ids=lambda news: news.kind,
)
def test_news_are_read_as_they_were_told(news):
    text = json.dumps(news.written())
    again = News.read(json.loads(text))
    assert type(again) is type(news)
    assert json.dumps(again.written()) == text
