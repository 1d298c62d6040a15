"""What is usual of sprints, before a company's own have said anything.

Learnt by `tests/benchmarks/bench_delivery.py --learn` from 6,500 looks at finished
sprints of three public communities (Choetkiertikul et al. 2017); one number a driver
(`drivers.DRIVERS`), then one a driver times the clock, in log-odds.
"""

from __future__ import annotations

import numpy as np

# Of falling short of the commitment.
CHANCE_PRIOR = np.array(
    [
        1.83,
        -0.61,
        -0.2,
        -0.94,
        -0.55,
        -0.04,
        -0.6,
        -0.94,
        0.22,
        -0.02,
        -0.27,
        0.07,
        -0.44,
        -0.44,
        0.59,
        -0.71,
        -0.71,
        0.43,
        0.13,
        0.52,
        0.4,
        -0.01,
        -0.36,
        -0.29,
        0.5,
        -0.31,
        -0.36,
        -0.2,
        0.09,
        0.16,
        0.01,
        -0.29,
        0.07,
        0.13,
        0.13,
        -0.1,
        0.05,
        -0.19,
    ]
)
# Of the share that is delivered of what was left.
SHARE_PRIOR = np.array(
    [
        -0.58,
        0.45,
        -0.75,
        -0.97,
        0.29,
        0.09,
        0.18,
        -0.97,
        0.17,
        -0.01,
        0.23,
        0.06,
        0.28,
        0.66,
        -0.26,
        0.98,
        0.64,
        -0.15,
        -0.11,
        -0.57,
        -0.31,
        -0.15,
        -0.06,
        0.22,
        -0.45,
        0.17,
        -0.06,
        0.19,
        -0.15,
        -0.02,
        -0.1,
        0.35,
        0.13,
        -0.09,
        -0.22,
        0.26,
        -0.03,
        0.03,
    ]
)
# What was delivered beyond what was done, as a share of what was left: from the 5th to
# the 95th percent in even steps, at four moments; each community counts once.
USUAL_MOMENTS = np.array([0.0, 0.3, 0.5, 0.8])
USUAL_GAINS = np.array(
    [
        [0.0, 0.0, 0.06, 0.19, 0.39, 0.6, 0.86, 0.93, 1.23, 2.1],
        [-0.09, 0.0, 0.0, 0.09, 0.22, 0.35, 0.62, 0.86, 0.98, 1.76],
        [-0.25, 0.0, 0.0, 0.03, 0.17, 0.25, 0.49, 0.76, 0.95, 1.79],
        [-0.2, 0.0, 0.0, 0.0, 0.0, 0.06, 0.26, 0.5, 0.81, 1.23],
    ]
)
