"""Every benchmark of skmer as one table of ratios.

Run: python tests/benchmarks/run.py [NAME ...] [--quick] [--out FOLDER]

Each ratio is a median over rounds in which the two sides took turns, since machines are seldom
quiet; both absolute figures stand beside it, and the ratio of processor time, which other programs
hardly disturb. Writes benchmarks.md and benchmarks.json into FOLDER (build/benchmarks).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench_cache
import bench_reading
import bench_scale
import bench_speed
from _measure import describe_machine

BENCHMARKS = {
    "l3": bench_speed.l3,
    "front-ends": bench_speed.front_ends,
    "vggish": bench_speed.vggish,
    "musicnn": bench_speed.musicnn,
    "mfcc": bench_speed.mfcc,
    "read-mp3": bench_reading.mp3,
    "read-m4a": bench_reading.m4a,
    "mfcc-mp3": bench_reading.mfcc_of_mp3,
    "long-array": bench_reading.long_array,
    "cache": bench_cache.second_pass,
    "grid-search": bench_cache.grid_search,
    "cache-entries": bench_cache.entries,
    "import": bench_speed.imports,
    "memory-clips": bench_scale.memory_of_clips,
    "memory-long-file": bench_scale.memory_of_a_long_file,
    "clips": bench_scale.clips,
}
# Programs with tables of their own: their arguments, and those for --quick.
PROGRAMS = {
    "engines": ("bench_engines.py", [], ["--rounds", "3", "--frames", "4"]),
    "training": ("bench_training.py", [], ["1"]),
}
HEAD = "| | ratio | range | ratio of cpu time | wanted | met | skmer | reference | rounds | note |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {[*BENCHMARKS, *PROGRAMS]}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes")
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks"))
    options = parser.parse_args()
    unknown = set(options.names) - {*BENCHMARKS, *PROGRAMS}
    if unknown:
        parser.error(f"no benchmark is called {' or '.join(sorted(unknown))}")
    names = options.names or [*BENCHMARKS, *PROGRAMS]

    facts = {"date": time.strftime("%Y-%m-%d"), "quick": options.quick, **describe_machine()}
    options.out.mkdir(parents=True, exist_ok=True)
    rows, tables = [], {}
    print(HEAD, "|---" * HEAD.count(" | ") + "|---|", sep="\n", flush=True)
    for name in names:
        if name in BENCHMARKS:
            with tempfile.TemporaryDirectory() as folder:
                for row in BENCHMARKS[name](options.quick, Path(folder)):
                    rows.append(row)
                    print(line(row), flush=True)
        else:
            tables[name] = run_program(*PROGRAMS[name], quick=options.quick)
            print(f"\n{name}:\n{tables[name]}", flush=True)
        write(options.out, facts, rows, tables)


def line(row):
    cpu = "" if row.cpu_ratio is None else f"{row.cpu_ratio:.3g}"
    cells = [
        row.name,
        f"{row.ratio:.3g}",
        f"{row.low:.3g} - {row.high:.3g}",
        cpu,
        row.wanted,
        row.verdict,
        row.ours,
        row.reference,
        str(row.repeats),
        row.note,
    ]
    return f"| {' | '.join(cells)} |"


def run_program(script, arguments, quick_arguments, *, quick):
    command = [sys.executable, Path(__file__).with_name(script)]
    command += quick_arguments if quick else arguments
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{script} failed:\n{done.stderr[-3000:]}")
    return done.stdout.rstrip()


def write(folder, facts, rows, tables):
    result = {"facts": facts, "rows": [row.as_dict() for row in rows], "tables": tables}
    (folder / "benchmarks.json").write_text(json.dumps(result, indent=1, ensure_ascii=False))
    stated = "; ".join(f"{name} {value}" for name, value in facts.items())
    text = [stated, "", HEAD, "|---" * HEAD.count(" | ") + "|---|", *map(line, rows)]
    for name, table in tables.items():
        text += ["", f"## {name}", "", "```", table, "```"]
    (folder / "benchmarks.md").write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
