#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the table of README.md of what each importer reads, family by family.

    make_importers_table.py [FAMILY]...

Of each family and task the smallest fixture is run; a number is the largest
difference to what the library computed.  Without families, all are run.
"""

import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent / "hub")]

import deeplearning4j  # noqa: E402
import judge  # noqa: E402
import served as transformers  # noqa: E402
import test_deeplearning4j as by_deeplearning4j  # noqa: E402
import test_opencv as by_opencv  # noqa: E402
from hub_process import Hub  # noqa: E402
from judge_beside import in_both  # noqa: E402
from mounted import Mount  # noqa: E402

HEAD = ("family", "task", "ONNX Runtime, plain", "Deeplearning4j, dl4j",
        "OpenCV, plain")


def error(path, name, run):
    try:
        verdicts = judge.judge(path, transformers.FIXTURES / name, run)
    except (deeplearning4j.Failed, AssertionError, by_opencv.cv2.error):
        return "no"
    if any(why for *_, why in verdicts):
        return "no"
    return "%.1e" % max(each for _, _, each, _ in verdicts)


def of_deeplearning4j(hugging, library, name):
    family = transformers.SPECS[name]["family"]
    if family in by_deeplearning4j.NO_FORM:
        return "no form: " + by_deeplearning4j.NO_FORM[family]
    path = hugging.staged(name, form="dl4j")
    example = by_deeplearning4j.needs_example(name)
    said = error(path, name, in_both(judge.run_rows, library.of(
        path, example=example)))
    return said + (" with an example" if example and said != "no" else "")


def of_opencv(path, name):
    if name not in by_opencv.IMAGES:
        return ""
    return error(path, name, in_both(judge.run_whole,
                                     by_opencv.reader(path)))


def print_rows(hugging, library, families):
    print("| %s |\n| --- | --- | ---: | ---: | ---: |" % " | ".join(HEAD))
    for name in by_deeplearning4j.smallest("family", "task"):
        family, task = map(transformers.SPECS[name].get, ("family", "task"))
        if families and family not in families:
            continue
        path = hugging.staged(name)
        print("| %s | %s | %s | %s | %s |" % (
            family, task, error(path, name, judge.run_whole),
            of_deeplearning4j(hugging, library, name),
            of_opencv(path, name)), flush=True)


def main(families):
    library = deeplearning4j.Deeplearning4j()
    with tempfile.TemporaryDirectory() as work, Hub(work + "/hub") as hub:
        work = pathlib.Path(work)
        mount = Mount(work / "m", hub)
        try:
            mount.start()
            print_rows(transformers.Served(hub, mount, work / "hugging"),
                       library, families)
        finally:
            mount.close()
            library.close()


if __name__ == "__main__":
    main(sys.argv[1:])
