"""Small packages as wheels, each of which writes in words of its own."""

from __future__ import annotations

import hashlib
import random
import zipfile

from royaltycli.bench.packages import Package

FILES, LINES = 8, 24


def vocabulary(name):
    chance = random.Random(name)
    return ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(60)]


COMMON = vocabulary("common")


def text(name, number):
    """A file of a package: half of its words are its own."""
    chance, own = random.Random(f"{name} {number}"), vocabulary(name)
    lines = []
    for _ in range(LINES):
        words = [chance.choice(own if chance.random() < 0.5 else COMMON) for _ in range(6)]
        lines.append(f"{words[0]} = {words[1]}({', '.join(words[2:])})")
    return "\n".join(lines) + "\n"


def make(folder, name, files=FILES, **more):
    """Write a wheel that pip would take, and pin it."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    about = f"{name}-1.0.dist-info"
    content = {f"{name}/part{number}.py": text(name, number) for number in range(files)} | more
    content[f"{about}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    content[f"{about}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    content[f"{about}/RECORD"] = ""
    with zipfile.ZipFile(wheel, "w") as file:
        for each, said in content.items():
            file.writestr(zipfile.ZipInfo(each), said)
    return Package(name, "1.0", wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest())
