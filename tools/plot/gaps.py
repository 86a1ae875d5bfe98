#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Draws what selftests/bench_gaps.sh measured: gaps.py GAPS.json OUT.png OUT.svg

One row for each candidate, one dot for each run, on a logarithmic scale of time;
the numbers at the right are median, 90th percentile and the longest.
"""

import json
import random
import sys

import matplotlib

matplotlib.use("Agg")
# The same input is to give the same file.
matplotlib.rcParams["svg.hashsalt"] = "shim6"

import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402

COLOURS = {"Shim6": "#0b6e4f", "plain TCP": "#777777", "MPTCP": "#1f4e9e", "SCTP": "#b3541e"}
CUTS = {
    "core": "the core drops everything of provider 1",
    "link": "the link to provider 1 loses its carrier",
}


def duration(ms):
    """A time as a person writes it."""
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.3g} s"


def colour(what):
    """By the protocol that the description begins with."""
    return next((c for name, c in COLOURS.items() if what.startswith(name)), "black")


def draw(figures):
    """The figure for one file of measurements."""
    rows = [row for cut in CUTS for row in figures["results"] if row["cut"] == cut]
    dice = random.Random(1)
    figure, axes = plt.subplots(figsize=(12, 0.52 * len(rows) + 2.2))
    place, places, labels, last = 0.0, [], [], None
    for row in rows:
        if row["cut"] != last:
            place += 0.9 if last else 0.2
            axes.text(0.0, place - 0.15, f"When {CUTS[row['cut']]}:", weight="bold", size=10,
                      transform=axes.get_yaxis_transform(), va="center", clip_on=False)
            place += 0.7
            last = row["cut"]
        samples = [max(sample, 1) for sample in row["samples"]]
        axes.scatter(samples, [place + dice.uniform(-0.16, 0.16) for _ in samples], s=22,
                     alpha=0.55, color=colour(row["what"]), linewidths=0)
        axes.plot([max(row["median"], 1)] * 2, [place - 0.3, place + 0.3],
                  color=colour(row["what"]), linewidth=2.5)
        axes.text(1.01, place, " / ".join(duration(row[key]) for key in ("median", "p90", "max")),
                  transform=axes.get_yaxis_transform(), va="center", size=9)
        places.append(place)
        labels.append(row["what"])
        place += 1
    axes.set_yticks(places, labels)
    axes.set_ylim(place - 0.3, -0.4)
    axes.set_xscale("log")
    axes.set_xlim(left=10)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    axes.grid(axis="x", which="both", alpha=0.2)
    axes.set_xlabel("longest time without new data at the receiver (dots: runs; bar: median; "
                    "right: median / 90 % / longest)")
    axes.set_title(f"A provider dies under a connection: {figures['rounds']} runs each, "
                   f"one boot of {figures['kernel']}")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    return figure


def main():
    """Reads the file that is named first, writes the others."""
    if len(sys.argv) < 3:
        sys.exit(__doc__.splitlines()[0])
    with open(sys.argv[1], encoding="utf-8") as file:
        figures = json.load(file)
    if not figures["results"]:
        sys.exit(f"{sys.argv[1]} has no results")
    figure = draw(figures)
    for path in sys.argv[2:]:
        metadata = {"Date": None} if path.endswith(".svg") else None
        figure.savefig(path, dpi=110, bbox_inches="tight", metadata=metadata)


main()
