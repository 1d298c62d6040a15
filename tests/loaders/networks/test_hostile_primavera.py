"""Damaged files of P6 are read or refused with our own error, and never more."""

from __future__ import annotations

import numpy as np
import pytest

from pmo_analytics.errors import PmoError
from pmo_analytics.loaders import read_networks
from pmo_analytics.networks import check_network, critical_path
from tests.loaders.networks.test_pmxml import activity, document, link, project
from tests.support import xer_files
from tests.support.counts import tried
from tests.support.mutations import mutated


def small_xer() -> bytes:
    tasks = [
        xer_files.task("A", 16, target_start_date="2027-01-04 08:00"),
        xer_files.task("B", 8, cstr_type="CS_MSOA", cstr_date="2027-01-06 08:00"),
        xer_files.task("C", 0, task_type="TT_FinMile", total_float_hr_cnt=0),
    ]
    links = [xer_files.link("A", "B"), xer_files.link("B", "C", "FF", 4)]
    people = [{"rsrc_id": "7", "rsrc_short_name": "JO", "rsrc_type": "RT_Labor"}]
    work = [{"taskrsrc_id": "1", "task_id": "A", "proj_id": "1", "rsrc_id": "7"}]
    tables = xer_files.project(tasks, links, RSRC=people, TASKRSRC=work)
    return xer_files.xer_text(tables).encode()


def small_pmxml() -> bytes:
    content = activity(10, "A", hours="16") + activity(11, "B") + link(1, 10, 11)
    return document(project(content)).encode()


FILES = {".xer": small_xer(), ".xml": small_pmxml()}


@pytest.mark.parametrize("suffix", FILES)
def test_mutations(tmp_path, suffix):
    rng = np.random.default_rng(21)
    path = tmp_path / f"p{suffix}"
    read = 0
    for _ in range(tried(100)):
        path.write_bytes(mutated(FILES[suffix], rng))
        try:
            networks = read_networks(path)
        except PmoError:
            continue
        read += 1
        for network in networks:
            balance = network.balance
            assert (balance["read"] == balance["used"] + balance["listed"]).all()
            try:
                critical_path(network)
            except PmoError:
                continue
            assert len(check_network(network)) == 14
    assert read > 0
