"""How long the program takes to start, as a ratio to the start of the libraries that its help needs.

    python benchmarks/start.py [--rounds 15]

In turn: `royalty --help`, `python -c 'import typer, rich'`, and the help of the smallest program that
typer can make, which is the least that ours can take. Medians of all rounds.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

SMALLEST = (
    "import typer; app = typer.Typer(); app.command('a')(lambda: None); app.command('b')(lambda: None); app(['--help'])"
)

COMMANDS = {
    "royalty --help": [sys.executable, "-m", "royaltycli", "--help"],
    "import typer, rich": [sys.executable, "-c", "import typer, rich"],
    "the smallest help": [sys.executable, "-c", SMALLEST],
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measures how fast the program starts.")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    for name, taken in medians.items():
        print(f"  {name:20} {1000 * taken:6.0f} ms")
    for name in ("import typer, rich", "the smallest help"):
        print(f"royalty --help takes {medians['royalty --help'] / medians[name]:.2f} times as long as {name}")


if __name__ == "__main__":
    main()
