#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the table of README.md: each fixture through a mount, and its cost.

    make_table.py [NAME]...

Files come from the imitation hub, the cache is empty, and a model is judged
after its size was asked for.  NAME is a part of a model's path; without one,
all are run.  The status is 1 where something is wrong.
"""

import functools
import pathlib
import sys
import tempfile
import typing

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent / "hub")]

import elsewhere as places  # noqa: E402
import fixture_runs  # noqa: E402
import judge  # noqa: E402
import judge_many  # noqa: E402
import judge_torch  # noqa: E402
import judge_zoo  # noqa: E402
import served as transformers  # noqa: E402
from hub_process import Hub  # noqa: E402
from mounted import Mount  # noqa: E402
from origins import endpoints  # noqa: E402

HEAD = ("model", "staged file", "bytes", "s", "requests", "bytes before",
        "of them the graph's", "largest error")


class Row(typing.NamedTuple):
    """@place: gives the folder; @error: a function of the path, or a judge
    of judge_many with its arguments after the path."""

    kind: str
    name: str
    file: str
    place: typing.Callable
    error: object


def torch_error(kind, name, path):
    return judge_torch.worst(path, places.FIXTURES / kind / name)


def zoo_error(name, path):
    return judge_zoo.judge(places.FIXTURES / "onnx" / name, path)


def transformers_error(name, path):
    verdicts = judge.judge(path, transformers.FIXTURES / name)
    wrong = [why for *_, why in verdicts if why]
    assert not wrong, wrong
    return max(error for _, _, error, _ in verdicts)


def all_rows(site, hugging):
    for kind in ("torchvision", "timm"):
        for name in places.names(kind):
            yield Row(kind, name, "staged.onnx", getattr(site, kind),
                      functools.partial(torch_error, kind, name))
    for name in places.names("keras"):
        yield Row("keras", name, "staged.h5", site.keras, "judge_keras")
    for name in places.names("tensorflow"):
        spec = fixture_runs.load_spec(places.FIXTURES / "tensorflow" / name)
        if spec["expect"] == "ok":
            yield Row("tensorflow", name, "staged.pb", site.saved_model,
                      "judge_tensorflow")
    for name in places.names("onnx"):
        yield Row("onnx", name, "staged.onnx", site.zoo,
                  functools.partial(zoo_error, name))
    for name in transformers.FULL:
        if name != "full-bert-base-uncased":  # its features have a row
            yield Row("transformers", name, "staged.onnx",
                      lambda each: hugging.staged(each).parent,
                      functools.partial(transformers_error, name))


def graph_bytes(folder):
    """Of a SavedModel: its graph is read whole, however large."""
    path = folder / "saved_model/saved_model.pb"
    return path.stat().st_size if path.exists() else 0


def measured(hub, row):
    """(folder, what it costs, the graph's bytes, the error or None); None
    where there is no staged file."""
    folder = row.place(row.name)
    try:
        cost = places.cost_of(hub, folder / row.file)
    except FileNotFoundError:
        return None
    error = None if isinstance(row.error, str) else row.error(
        folder / row.file)
    return folder, cost, graph_bytes(folder), error


def judged(rows, results):
    """The errors that TensorFlow's judges find, by row."""
    found = {}
    for name in ("judge_keras", "judge_tensorflow"):
        mine = [row for row in rows if row.error == name]
        jobs = [[places.FIXTURES / row.kind / row.name,
                 results[row][0] / row.file] for row in mine]
        if not jobs:
            continue
        for row, said in zip(mine, judge_many.verdicts(name, jobs)):
            assert not said["wrong"], "%s: %s" % (row.name, said["wrong"])
            found[row] = said["error"]
    return found


def print_table(rows, results, errors):
    print("| " + " | ".join(HEAD) + " |")
    print("| --- | --- |" + " ---: |" * (len(HEAD) - 2))
    for row in rows:
        _, cost, graph, error = results[row]
        print("| %s/%s | %s | %s | %.2f | %d | %s | %s | %.1e |" % (
            row.kind, row.name, row.file, format(cost.size, ","),
            cost.seconds, cost.requests, format(cost.bytes, ","),
            format(graph, ",") if graph else "",
            errors[row] if error is None else error))


def main(arguments):
    with tempfile.TemporaryDirectory() as work, Hub(work + "/hub") as hub:
        work = pathlib.Path(work)
        mount = Mount(work / "m", hub, *places.OPTIONS, *endpoints(hub))
        try:
            mount.start()
            site = places.Elsewhere(hub, mount, work / "elsewhere")
            hugging = transformers.Served(hub, mount, work / "hugging")
            rows = [row for row in all_rows(site, hugging)
                    if not arguments or any(each in row.kind + "/" + row.name
                                            for each in arguments)]
            results = {row: measured(hub, row) for row in rows}
            missing = [row.name for row, each in results.items() if not each]
            rows = [row for row in rows if results[row]]
            print_table(rows, results, judged(rows, results))
        finally:
            mount.close()
    costly = [row.name for row in rows if results[row][1].bytes -
              results[row][2] > places.SIZE_KNOWN_BYTES]
    if missing or costly:
        sys.exit("not staged: %s; read too much: %s" % (missing, costly))


if __name__ == "__main__":
    main(sys.argv[1:])
