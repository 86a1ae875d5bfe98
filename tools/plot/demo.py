#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Draws what selftests/demo.sh saw: demo.py DEMO.json OUT.svg OUT.html

For each download, from the top: how much arrived and by which provider, which pair of locators
each host sent to, and what the hosts did after the cut. The page has the same with
a sentence for each thing that happened.
"""

import html
import io
import json
import re
import sys

import matplotlib

matplotlib.use("Agg")
# The same input is to give the same file.
matplotlib.rcParams["svg.hashsalt"] = "shim6"

import matplotlib.pyplot as plt  # noqa: E402

# Provider 1 and 2; blue and orange, which everybody can tell apart.
COLOURS = {1: "#1f6fb4", 2: "#e08214"}
HOSTS = {"A": "#222222", "B": "#7b3294"}
CUT = "#c0392b"
# Milliseconds of one step of the throughput.
STEP = 100
# What is shown closely: milliseconds after the cut, and things that happened in them.
CLOSELY, MOST = 3000, 16

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>shim6: a provider dies during a download</title>
<style>
body {{ font: 16px/1.45 sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #222 }}
svg {{ width: 100%; height: auto }}
table {{ border-collapse: collapse; font-size: 14px }}
td {{ padding: 0.1em 0.8em 0.1em 0; vertical-align: top }}
td:first-child {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }}
tr.cut td {{ color: {cut}; font-weight: bold }}
details {{ margin: 1em 0 }}
</style>
<h1>A provider dies during a download, and the download goes on</h1>
<p>Host A downloads {megabytes} MB from host B with curl. Each host has two providers, and an address of each: A1
and A2, B1 and B2. The connection is between A1 and B1, and neither curl nor the server knows of anything
else. After 40 % provider 1 dies on both sides. The shim6 modules of A and B notice, find the path from A2 to B2,
and send the packets of the same connection there. {stalls} No octet was lost.</p>
{figure}
{tables}
<p>Made by <code>make demo</code> on Linux {kernel}. <i>A1&gt;B1</i> is a path from A's first address to B's first.
A <i>Probe</i> is a message of REAP (RFC 5534) that asks whether a path works.</p>
</html>
"""


def seconds(ms, download):
    """The time of an event, counted from the beginning of the download, in seconds."""
    return (ms - download["began"]) / 1000


def provider(pair):
    """The provider of a pair such as B2>A2, by the sender."""
    return int(pair[1])


def throughput(download):
    """For each step its time, and Mbit/s by provider 1 and by provider 2.

    What arrived is the growth of the file; the providers' shares are those of the packets on the uplinks.
    """
    samples = download["meter"]
    rows = {}
    for before, after in zip(samples, samples[1:]):
        row = int((after[0] - download["began"]) // STEP)
        got, first, second = rows.get(row, (0, 0, 0))
        rows[row] = (
            got + after[1] - before[1],
            first + after[2] - before[2],
            second + after[3] - before[3],
        )
    last = max(rows)
    times, by_first, by_second = [], [], []
    share = 1.0
    for row in range(last + 1):
        got, first, second = rows.get(row, (0, 0, 0))
        if first + second:
            share = first / (first + second)
        rate = got * 8 / STEP / 1000
        times.append(row * STEP / 1000)
        by_first.append(rate * share)
        by_second.append(rate * (1 - share))
    return times, by_first, by_second


def stall(download):
    """When the longest time without a new octet that ended after the cut began and ended."""
    times = [sample[0] for sample in download["meter"]]
    gaps = [(after - before, before, after) for before, after in zip(times, times[1:])
            if after > download["cut"]]
    _, before, after = max(gaps)
    return seconds(before, download), seconds(after, download)


def draw_throughput(axes, download):
    """How much arrived, and by which provider."""
    times, first, second = throughput(download)
    # The last step is not a whole one.
    times, first, second = times[:-1], first[:-1], second[:-1]
    width = STEP / 1000
    axes.bar(times, first, width, align="edge", color=COLOURS[1], label="came by provider 1")
    axes.bar(times, second, width, align="edge", bottom=first, color=COLOURS[2],
             label="came by provider 2")
    axes.set_ylabel("Mbit/s that\narrive at A")
    axes.set_ylim(0, max(a + b for a, b in zip(first, second)) * 1.35)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    axes.axvspan(*stall(download), color=CUT, alpha=0.2, linewidth=0)
    axes.annotate(f"provider 1 dies; longest stall after that: {download['stall']} ms",
                  (seconds(download["cut"], download), 0.94), (-6, 0),
                  xycoords=("data", "axes fraction"), textcoords="offset points", color=CUT,
                  ha="right", va="center")


def draw_paths(axes, download, end):
    """Where each host sends, over time."""
    rows = ["A", "B"]
    for place, host in enumerate(rows):
        changes = [(seconds(p["ms"], download), p["pair"]) for p in download["paths"]
                   if p["host"] == host]
        changes.append((end, ""))
        for (since, pair), (until, _) in zip(changes, changes[1:]):
            since = max(since, 0)
            axes.broken_barh([(since, until - since)], (place - 0.35, 0.7),
                             color=COLOURS[provider(pair)])
            if until - since > end / 15:
                axes.text(since + end / 150, place, pair.replace(">", " to "), va="center",
                          color="white", weight="bold", size=9)
    axes.set_yticks(range(len(rows)), [f"{host} sends" for host in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("seconds since the download began")


def draw_events(axes, download):
    """What the hosts did around the cut, in the order in which they did it."""
    cut = download["cut"]
    near = [event for event in download["events"] if 0 <= event["ms"] - cut <= CLOSELY][:MOST]
    for place, event in enumerate(near):
        ms = event["ms"] - cut
        colour = HOSTS.get(re.split("[: ]", event["text"])[0], CUT)
        axes.plot([0, ms], [place, place], color=colour, linewidth=0.8, alpha=0.35)
        axes.plot(ms, place, "o", color=colour, markersize=5)
        axes.annotate(f"{ms:.0f} ms  {event['text']}", (ms, place), (8, 0),
                      textcoords="offset points", va="center", color=colour, size=9)
    axes.axvline(0, color=CUT, linewidth=1.5)
    axes.set_ylim(len(near) - 0.3, -0.7)
    # Room for the words of the last one.
    last = max(near[-1]["ms"] - cut, 100)
    axes.set_xlim(-last / 10, last * 2)
    axes.set_yticks([])
    axes.set_xlabel("milliseconds since provider 1 died: what the hosts did")


def draw(demo):
    """The whole figure: one column for each download."""
    downloads = demo["downloads"]
    figure, grid = plt.subplots(3, len(downloads), figsize=(8 * len(downloads), 9), squeeze=False,
                                height_ratios=(2.6, 1, 4))
    for column, download in enumerate(downloads):
        rate, paths, events = grid[:, column]
        end = seconds(download["meter"][-1][0], download)
        draw_throughput(rate, download)
        draw_paths(paths, download, end)
        draw_events(events, download)
        rate.set_title(download["title"], weight="bold", loc="left", pad=24)
        for axes in (rate, paths):
            axes.axvline(seconds(download["cut"], download), color=CUT, linewidth=1.5)
            axes.set_xlim(0, end)
        for axes in (rate, paths, events):
            for side in ("top", "right", "left"):
                axes.spines[side].set_visible(False)
    figure.tight_layout()
    return figure


def svg(figure):
    """The figure as text."""
    out = io.StringIO()
    figure.savefig(out, format="svg", bbox_inches="tight", metadata={"Date": None})
    return out.getvalue()


def table(download):
    """All that happened in a download."""
    rows = []
    for event in download["events"]:
        kind = ' class="cut"' if event["ms"] == download["cut"] else ""
        rows.append(f"<tr{kind}><td>{seconds(event['ms'], download):.3f} s</td>"
                    f"<td>{html.escape(event['text'])}</td></tr>")
    return (f"<details open><summary><b>{html.escape(download['title'])}</b>: all that happened"
            f"</summary><table>{''.join(rows)}</table></details>")


def page(demo, figure):
    """The page, with the figure in it."""
    stalls = " ".join(f"{download['title']}: nothing arrived for {download['stall']} ms."
                      for download in demo["downloads"])
    return PAGE.format(
        cut=CUT,
        megabytes=demo["megabytes"],
        kernel=html.escape(demo["kernel"]),
        stalls=html.escape(stalls),
        # Without the XML declaration, which HTML does not have.
        figure=figure[figure.index("<svg"):],
        tables="".join(map(table, demo["downloads"])),
    )


def main():
    """Reads the file that is named first, writes the others."""
    if len(sys.argv) != 4:
        sys.exit(__doc__.splitlines()[0])
    with open(sys.argv[1], encoding="utf-8") as file:
        demo = json.load(file)
    picture = svg(draw(demo))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(picture)
    with open(sys.argv[3], "w", encoding="utf-8") as file:
        file.write(page(demo, picture))


main()
