"""How true replays are: `python -m bench.fidelity [--quick] [--agents] [--json] [--shape NAME] [--seeds N] [--kin N] [--show]`.

Per shape and patch: the share of sessions whose replay claimed exactly the requests that the record determines, no more and
no less; then the same for the guide's plain loop and for carrying by position. With `--kin 3`, three other sessions of
each agent are on record, as most have. With `--agents`, instead: real agents of three libraries (`agents.py`).
"""

import argparse
import json
import time
from typing import Any

from bench.fidelity.agents import agent_rows
from bench.fidelity.apart import APART
from bench.fidelity.firstmet import FIRST_MET
from bench.fidelity.newcomers import NEWCOMERS
from bench.fidelity.replaying import Sent, anchored, by_position, chained, recording_of, tape_of
from bench.fidelity.shapes import SHAPES
from bench.fidelity.strangers import STRANGERS
from bench.fidelity.truth import PATCHES, body_patch, fitting
from bench.fidelity.unseen import UNSEEN
from bench.fidelity.world import knowable, run

from reenact.replay.carrying.fabric import Fabric

Json = Any


GROUPS = {
    "built with": SHAPES,
    "met since": UNSEEN,
    "first met": FIRST_MET,
    "written apart": APART,
    "strangers": STRANGERS,
    "newcomers": NEWCOMERS,
}
"""The shapes by how well the engine knows them."""


OTHERS = 1000
"""The first seed of other sessions of an agent."""


class Score:
    """What became of the sessions of one shape under one patch."""

    def __init__(self) -> None:
        self.sessions = self.right = self.whole = 0
        self.wrong = self.missed = self.early = self.invalid = 0
        self.true = self.sent_true = 0

    def add(self, sent: Sent, truth: Json, known: Json) -> bool:
        claimed = sent.claimed
        is_right = claimed == known and not sent.invalid
        self.sessions += 1
        self.right += is_right
        self.whole += known == truth
        self.wrong += sum((claimed - truth).values())
        self.missed += sum(((claimed - known) & truth).values())
        self.early += sum((known - claimed).values())
        self.invalid += len(sent.invalid)
        self.true += sum(known.values())
        self.sent_true += sum((known & claimed).values())
        return is_right

    def row(self) -> Json:
        return {
            "sessions": self.sessions,
            "right": round(self.right / self.sessions, 3),
            "knowable_to_the_end": round(self.whole / self.sessions, 3),
            "true_requests_sent": round(self.sent_true / max(self.true, 1), 3),
            "wrong_requests": self.wrong,
            "claimed_by_luck": self.missed,
            "stopped_early": self.early,
            "invalid_requests": self.invalid,
        }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--agents", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--shape")
    parser.add_argument("--patch")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--kin", type=int, default=0, help="how many other sessions of the agent are on record")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    if options.agents:
        rows = agent_rows()
        print(json.dumps(rows, indent=1) if options.json else "\n".join(map(agent_line, rows)))
        return
    seeds = range(options.seeds or (6 if options.quick else 40))
    seeds = [options.seed] if options.seed is not None else seeds
    began = time.perf_counter()
    table: list[Json] = []
    for shape, agent in (SHAPES | UNSEEN | FIRST_MET | APART | STRANGERS | NEWCOMERS).items():
        if options.shape not in (None, shape):
            continue
        scores = {(patch, way): Score() for patch in PATCHES for way in ("chained", "plain loop", "by position")}
        kin = tuple(run(agent, OTHERS + number) for number in range(options.kin))
        for seed in seeds:
            recorded = run(agent, seed)
            recording = recording_of(recorded)
            fabric = Fabric(tape_of(recording), [tape_of(recording_of(one)) for one in kin])
            for name, data in PATCHES.items():
                if options.patch not in (None, name):
                    continue
                patch = fitting(data, shape)
                truth, known = knowable(agent, seed, body_patch(patch), recorded)
                sent = chained(recording, patch, fabric)
                is_right = scores[name, "chained"].add(sent, truth, known)
                scores[name, "plain loop"].add(anchored(recording, patch), truth, known)
                scores[name, "by position"].add(by_position(recording, patch), truth, known)
                if options.show and not is_right:
                    show(shape, name, seed, sent, truth, known)
        table += [
            {"shape": shape, "patch": patch, "way": way, **score.row()}
            for (patch, way), score in scores.items()
            if score.sessions
        ]
    if options.json:
        print(json.dumps(table, indent=1))
    else:
        print_table(table)
        print(f"{time.perf_counter() - began:.1f} s")


def show(shape: str, patch: str, seed: int, sent: Sent, truth: Json, known: Json) -> None:
    print(f"=== {shape} / {patch} / seed {seed}: {sent.invalid}")
    for title, requests in (
        ("claimed, not true", sent.claimed - truth),
        ("claimed by luck", (sent.claimed - known) & truth),
        ("known, not claimed", known - sent.claimed),
        ("marked", sent.marked),
    ):
        for request in requests:
            print(f"--- {title}: {request[-900:]}")
    for note in sent.notes:
        print("   note", note[:400])


def agent_line(row: Json) -> str:
    words = [
        "right" if row["right"] else "NOT right",
        f"{row['true_requests_sent']} of {row['true_calls']} true requests",
        f"{row['wrong_requests']} wrong",
        f"{row['marked']} marked",
        "control exact" if row["control_exact"] else "control NOT exact",
        "plain loop right" if row["plain_loop_right"] else "plain loop not right",
    ]
    return f"{row['agent']:15}{row['case']:9}" + ", ".join(words)


def print_table(table: list[Json]) -> None:
    print(
        f"{'shape':22}{'patch':9}{'right':>7}{'wrong':>7}{'luck':>6}{'early':>7}{'invalid':>8}{'to end':>8}   loop  position"
    )
    ways: dict[tuple[str, str], dict[str, Json]] = {}
    for row in table:
        ways.setdefault((row["shape"], row["patch"]), {})[row["way"]] = row
    for (shape, patch), rows in ways.items():
        one = rows["chained"]
        print(
            f"{shape:22}{patch:9}{one['right']:7.0%}{one['wrong_requests']:7}{one['claimed_by_luck']:6}{one['stopped_early']:7}"
            f"{one['invalid_requests']:8}{one['knowable_to_the_end']:8.0%}{rows['plain loop']['right']:7.0%}"
            f"{rows['by position']['right']:9.0%}"
        )
    for title, shapes in GROUPS.items():
        for way in ("chained", "plain loop", "by position"):
            print_total(title, [row for row in table if row["way"] == way and row["shape"] in shapes])


def print_total(title: str, rows: list[Json]) -> None:
    changed = [row for row in rows if row["patch"] != "control"]
    if not changed:
        return
    sessions = sum(row["sessions"] for row in changed)
    right = sum(row["right"] * row["sessions"] for row in changed) / sessions
    wrong, invalid = (sum(row[name] for row in changed) for name in ("wrong_requests", "invalid_requests"))
    exact = all(row["right"] == 1 for row in rows if row["patch"] == "control")
    print(
        f"{title:24}{changed[0]['way']:12} right {right:6.1%} of {sessions} changed sessions, {wrong} wrong requests, "
        f"{invalid} invalid; control {'exact' if exact else 'NOT exact'}"
    )


if __name__ == "__main__":
    main()
