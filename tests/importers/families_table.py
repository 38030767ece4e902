#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the tables of README.md that tell of transformers: a row a family,
and a row a model of full size.

    families_table.py [FAMILY]...

Every fixture is judged through a mount of the imitation hub: in both forms by
ONNX Runtime, and as a frozen graph by TensorFlow, which runs in the
interpreter that OMNIHUB_TENSORFLOW_PYTHON names.  Without FAMILY all are.  The
status is 1 where something is wrong.
"""

import json
import os
import pathlib
import sys
import tempfile
import typing

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent / "hub")]

import frameworks  # noqa: E402
import judge  # noqa: E402
import judge_many  # noqa: E402
import served as fixtures  # noqa: E402
from hub_process import Hub  # noqa: E402
from mounted import Mount  # noqa: E402

FORMS = {"": judge.run_whole, "dl4j": judge.run_rows}
NOT_TASKS = {"dl4j", "native", "portable"}
PAST = "-with-past"
PART = "decoder_model.onnx"
PLANS = 3  # the quickest counts: other work shares the machine
ERRORS = ("error", "dl4j", "pb")
OF_FAMILIES = ("family", "tasks", "also from", "fixtures", "nodes, dl4j",
               "plan, ms", *ERRORS)
OF_MODELS = ("model", "family", "bytes", "nodes, dl4j", "plan, ms", *ERRORS)


class Seen(typing.NamedTuple):
    """What the mount shows of a fixture, and how far it is from right.

    @nodes, @errors: by form, "" and "dl4j"; of a form that is refused, the
    reason and nothing.  @graphs: what TensorFlow is to judge; @unsaid: what
    there is no frozen graph for.
    """

    tasks: set
    size: int
    nodes: dict
    errors: dict
    plan_ms: float
    graphs: list
    unsaid: set


def tasks_in(folder):
    """Those staged below pytorch/, with what there is of each besides."""
    found = {each.name for each in folder.iterdir()
             if each.is_dir() and each.name not in NOT_TASKS
             and (each / "staged.onnx").exists()}
    tasks = {"base"} if (folder / "staged.onnx").exists() else set()
    for task in found:
        if task.endswith(PAST):
            continue
        more = ["with past"] if task + PAST in found else []
        more += ["parts"] if (folder / task / PART).exists() else []
        tasks.add(task + (" (%s)" % ", ".join(more) if more else ""))
    return tasks


def error_of(path, name, run):
    verdicts = judge.judge(path, fixtures.FIXTURES / name, run)
    wrong = [why for *_, why in verdicts if why]
    assert not wrong, "%s: %s" % (name, "; ".join(wrong))
    return max(error for _, _, error, _ in verdicts)


def refusal(folder):
    """Why there is no staged file in @folder; None where there is one."""
    if "staged.status" not in os.listdir(folder):
        return None
    status = json.loads((folder / "staged.status").read_text())
    return "%s: %s" % (status["code"], status["detail"])


def plan_ms(site, name):
    """Of the fixture's files in a folder, without a mount."""
    spec = fixtures.SPECS[name]
    task = [] if spec["task"] in fixtures.BASE_TASKS else [
        "--task", spec["task"]]
    folder = site.folder / spec.get("repo_id", "fixtures/" + name)
    times = []
    for _ in range(PLANS):
        done = site.mount.run("stage", "--plan", *task, folder)
        assert done.returncode == 0, done.stderr
        times.append(json.loads(done.stdout)["milliseconds"])
    return min(times)


def graphs_of(site, name):
    """(jobs for judge_graphdef, why there is none of a form)"""
    jobs, unsaid = [], set()
    for form, arguments in (("", []), ("dl4j", ["rows"])):
        path = site.graphdef(name, form=form)
        why = refusal(path.parent)
        if why:
            unsaid.add("%s: %s" % (form or "plain", why))
        else:
            jobs.append([fixtures.FIXTURES / name, path, *arguments])
    return jobs, unsaid


def look(site, name):
    nodes, errors = {}, {}
    for form, run in FORMS.items():
        path = site.staged(name, form=form)
        why = refusal(path.parent)
        if why:
            nodes[form] = why
            continue
        info = json.loads((path.parent / "info.json").read_text())
        nodes[form] = info["nodes"]
        errors[form] = error_of(path, name, run)
    return Seen(tasks_in(site.model(name) / "pytorch"),
                site.staged(name).stat().st_size, nodes, errors,
                plan_ms(site, name), *graphs_of(site, name))


def graph_errors(seen):
    """The largest one of each fixture's frozen graphs, by its name."""
    jobs = [(name, job) for name, each in seen.items() for job in each.graphs]
    said = judge_many.verdicts("judge_graphdef", [job for _, job in jobs])
    found = {}
    for (name, _), verdict in zip(jobs, said):
        assert not verdict["wrong"], "%s: %s" % (name, verdict["wrong"])
        found[name] = max(found.get(name, 0.0), verdict["error"])
    return found


def also_from(names):
    """The frameworks whose files are judged for one of them."""
    return [each for each in frameworks.FILES
            if set(names) & set(frameworks.names(each))]


def worst(values):
    values = [value for value in values if value is not None]
    return "%.1e" % max(values) if values else ""


def costs(seen, graphs, names):
    """The columns that both tables have; the graph is the first one's."""
    errors = [worst(seen[name].errors.get(form) for name in names)
              for form in FORMS]
    graph = worst(graphs.get(name) for name in names)
    unsaid = set().union(*(seen[name].unsaid for name in names))
    return ["%s, %s" % tuple(seen[names[0]].nodes.values()),
            "%.0f" % seen[names[0]].plan_ms, *errors,
            "; ".join([graph, *sorted(unsaid)])]


def print_table(head, left, rows):
    """@left: how many columns are words."""
    print("| %s |" % " | ".join(head))
    print("|" + " --- |" * left + " ---: |" * (len(head) - left))
    for row in rows:
        print("| %s |" % " | ".join(map(str, row)))


def family_rows(seen, graphs, tiny):
    for family in sorted({fixtures.SPECS[name]["family"] for name in tiny}):
        names = [name for name in tiny
                 if fixtures.SPECS[name]["family"] == family]
        tasks = sorted(set().union(*(seen[name].tasks for name in names)))
        yield [family, ", ".join(tasks), ", ".join(also_from(names)),
               len(names), *costs(seen, graphs, names)]


def model_rows(seen, graphs, full):
    for name in full:
        yield [name.removeprefix("full-"), fixtures.SPECS[name]["family"],
               format(seen[name].size, ","),
               *costs(seen, graphs, [name])]


def wanted(names, families):
    return [name for name in names
            if not families or fixtures.SPECS[name]["family"] in families]


def main(families):
    tiny, full = (wanted(names, families)
                  for names in (fixtures.TINY, fixtures.FULL))
    with tempfile.TemporaryDirectory() as work, Hub(work + "/hub") as hub:
        work = pathlib.Path(work)
        mount = Mount(work / "m", hub, *fixtures.CACHE)
        try:
            site = fixtures.Served(hub, mount.start(), work / "repositories")
            seen = {name: look(site, name) for name in tiny}
            graphs = graph_errors(seen)
            for name in full:  # whose files are there until the next one's
                seen[name] = look(site, name)
                graphs |= graph_errors({name: seen[name]})
        finally:
            mount.close()
    print_table(OF_FAMILIES, 3, family_rows(seen, graphs, tiny))
    print()
    print_table(OF_MODELS, 2, model_rows(seen, graphs, full))


if __name__ == "__main__":
    main(sys.argv[1:])
