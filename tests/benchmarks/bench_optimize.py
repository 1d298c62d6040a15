"""Optimizer against its peers: the same instances, time, machine, and checker.

    python tests/benchmarks/bench_optimize.py                 quick, about 10 minutes
    python tests/benchmarks/bench_optimize.py --full          everything, about 11 hours
    python tests/benchmarks/bench_optimize.py --only chains --seeds 3 --seconds 30
    python tests/benchmarks/bench_optimize.py --table --markdown out/bench/table.md
    python tests/benchmarks/bench_optimize.py --table --before   beside older runs

Every run is one line of out/bench/optimize.jsonl, and is not repeated unless asked for
with --again: a benchmark that was stopped goes on where it was. Peers that are not
installed are left out and named; `make bench` installs them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks import progress, racing, results, table
from tests.benchmarks.registry import (
    QUICK_SECONDS,
    Instance,
    all_instances,
    choose,
)

FILE = Path(__file__).resolve().parents[2] / "out" / "bench" / "optimize.jsonl"
# What was measured of released versions.
MEASURED = Path(__file__).with_name("measured.jsonl")


def main(arguments: list[str] | None = None) -> None:
    """Run what is asked for and not there yet, then print the tables."""
    args = _parser().parse_args(arguments)
    wanted = choose(all_instances(), full=args.full, only=args.only, seeds=args.seeds)
    if not wanted and not args.table:
        sys.exit(f"No instance is called '{args.only}'. See --list.")
    if args.list:
        for instance in wanted:
            print(f"{instance.name:<28} {instance.seconds:>5g} s  {instance.missing}")
        return
    if not args.table:
        run(wanted, args)
    records = results.read(args.file)
    if args.only:
        records = [r for r in records if args.only in r["instance"]]
    if args.seconds is not None:
        records = [r for r in records if r["seconds"] == args.seconds]
    if not records:
        print("There are no results yet.")
        return
    print()
    print(table.detail(records).text())
    print()
    print(table.summary(records).text())
    markdown = table.markdown(records)
    if args.before:
        compared = progress.pairs(results.read(args.before), records)
        tables = progress.summary(compared), progress.detail(compared)
        for one in tables:
            print(f"\n{one.text()}")
            markdown += f"\n{one.markdown()}\n"
    if args.markdown:
        args.markdown.parent.mkdir(parents=True, exist_ok=True)
        args.markdown.write_text(markdown, encoding="utf-8")


def run(wanted: list[Instance], args: argparse.Namespace) -> None:
    """Run every solver on every instance, one at a time."""
    versions = {}
    for name in args.solvers:
        version, missing = racing.version_of(name)
        print(f"{racing.SOLVERS[name].label}: {version or f'left out, {missing}'}")
        if version:
            versions[name] = version
    missing = {instance.missing for instance in wanted} - {""}
    for reason in sorted(missing):
        print(f"left out: {reason}")
    wanted = [instance for instance in wanted if not instance.missing]
    minutes = sum(_seconds(i, args) for i in wanted) * len(versions) / 60
    most = f"{minutes / 60:.1f} hours" if minutes > 90 else f"{minutes:.0f} minutes"
    print(f"{len(wanted)} instances, about {most} if none is there yet", flush=True)
    known = {results.key_of(r) for r in results.read(args.file)}
    for instance in wanted:
        question = racing.Question.of(instance)
        seconds = _seconds(instance, args)
        for name, version in versions.items():
            own = args.search_seed if name == "ours" else 0
            key = (instance.name, question.fingerprint, name, seconds, version, own)
            if key in known and not args.again:
                continue
            record = racing.race(question, name, seconds, version, own)
            if name == "ours" and racing.version_of(name)[0] != version:
                sys.exit("The optimizer's source changed during a run; start again.")
            results.append(args.file, record)
            _say(record)


def _say(record: results.Record) -> None:
    objective = record["objective"]
    gap = record["gap"]
    print(
        f"{record['instance']:<28} {racing.SOLVERS[record['solver']].label:<18} "
        f"{record['status']:<10} "
        f"{'' if objective is None else f'{objective:,.1f}':>14} "
        f"{'' if gap is None else f'{gap:.2%}':>8}  {record.get('took') or 0:6.1f} s  "
        f"{'' if objective is not None else record.get('detail', '')}",
        flush=True,
    )


def _seconds(instance: Instance, args: argparse.Namespace) -> float:
    if args.seconds is not None:
        return float(args.seconds)
    if args.full or args.only:
        return instance.seconds
    return min(instance.seconds, QUICK_SECONDS)


def _solvers(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in racing.SOLVERS:
            raise argparse.ArgumentTypeError(
                f"no solver '{name}'; there are {', '.join(racing.SOLVERS)}"
            )
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="every instance")
    parser.add_argument("--only", default="", metavar="PATTERN", help="part of a name")
    parser.add_argument("--seeds", type=int, help="how many of each group")
    parser.add_argument("--seconds", type=float, help="instead of each one's own")
    parser.add_argument(
        "--search-seed", type=int, default=0, help="of our random choices, 0 if none"
    )
    parser.add_argument(
        "--solvers",
        type=_solvers,
        default=list(racing.DEFAULT_SOLVERS),
        metavar="A,B",
        help=f"of {', '.join(racing.SOLVERS)}",
    )
    parser.add_argument("--again", action="store_true", help="repeat what is there")
    parser.add_argument("--table", action="store_true", help="only print the tables")
    parser.add_argument("--list", action="store_true", help="only name the instances")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="tables to FILE")
    parser.add_argument("--file", type=Path, default=FILE, help="of the results")
    parser.add_argument(
        "--before",
        type=Path,
        nargs="?",
        const=MEASURED,
        metavar="FILE",
        help="compare ours with the runs of an older version in FILE, "
        f"{MEASURED.name} if none is named",
    )
    return parser


if __name__ == "__main__":
    main()
