# SPDX-License-Identifier: MIT
"""What staging refuses is converted by a command of the user's: a job in a
box, whose result is kept; and everything that can go wrong with it."""

import errno
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

from mount_scenes import MIB, errno_of, scaled, tiny_bert, write_tree
from mounted import BINARY, wait_until

ATTRIBUTE = "user.omnihub.convert"
FAKE = pathlib.Path(__file__).resolve().parents[1] / "fake/fake_converter.py"
BOXES = ("namespaces", "landlock")
NOWHERE = {"PATH": "/nonexistent"}
as_root = pytest.mark.skipif(os.geteuid() != 0,
                             reason="mounting a small disk needs root")


def strange(**changes):
    """A model of a family that nothing stages."""
    return tiny_bert(model_type="strange",
                     **{"architectures": ["StrangeForMaskedLM"], **changes})


@pytest.fixture
def scene(tmp_path, make_mount):
    """scene(mode, *options) -> a mount whose converter does as MODE says."""
    fake = tmp_path / "fake.py"
    shutil.copy(FAKE, fake)
    (tmp_path / "victim").write_text("untouched")

    def make(mode="ok", *options, hub=None, files=None, env=None, start=True,
             timeout="60"):
        if hub is None:
            write_tree(tmp_path / "models/org/strange", files or strange())
            hub = str(tmp_path / "models")
        command = "'%s' '%s' %s {snapshot} {out} {task}" % (
            sys.executable, fake, mode)
        mount = make_mount(hub, "--converter", command, "--converter-timeout",
                           timeout, "--log-level", "debug", *options, env=env)
        return mount.start() if start else mount

    return make


def view(mount, below="pytorch"):
    return mount.model("org/strange") / below


def status(folder):
    """staged.status as it is now, or None where there is none."""
    try:
        return json.loads((folder / "staged.status").read_text())
    except FileNotFoundError:
        return None


def state(folder):
    return (status(folder) or {}).get("state")


def start(folder):
    os.setxattr(folder, ATTRIBUTE, b"1")


def ended(folder, timeout_s=60):
    """The status of a conversion that is over; None: it has a result."""
    time.sleep(1.1)  # names live a second in the kernel
    assert wait_until(lambda: state(folder) != "converting", scaled(timeout_s),
                      0.1), status(folder)
    return status(folder)


def converted(folder):
    start(folder)
    assert ended(folder) is None, status(folder)
    return folder / "staged.onnx"


def failure(folder):
    start(folder)
    told = ended(folder)
    assert told["state"] == "failed", told
    return told["failure"]


def processes(mark):
    """The processes that have @mark in their command line."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(mark).encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def jobs_folder(mount):
    return mount.cache / "convert"


def leftovers(mount):
    folders = [jobs_folder(mount), mount.cache / "convert.old"]
    return [path for folder in folders if folder.exists()
            for path in folder.iterdir()]


def log_count(mount, text):
    return mount.log().count(text)


# ---- what it is for ----

def test_refused_then_converted(scene, tmp_path):
    mount = scene()
    folder = view(mount)
    told = status(folder)
    assert told["state"] == "convertible"
    assert told["code"] == "unsupported-architecture"
    assert told["converter"]["sandbox"] in BOXES
    assert "fake.py" in told["converter"]["command"]
    assert errno_of(os.stat, folder / "staged.onnx") == errno.ENOENT
    file = converted(folder)
    info = json.loads((folder / "info.json").read_text())
    assert info["converter"]["command"] == told["converter"]["command"]
    assert info["task"] == "feature-extraction"
    assert info["inputs"] == [{"name": "x", "dtype": "float32",
                               "shape": ["batch", 3]}]
    assert info["outputs"][0]["name"] == "y"
    assert file.stat().st_size == len(file.read_bytes()) \
        == info["files"][0]["size"]
    assert not (folder / "staged.status").exists()
    assert os.getxattr(file, "user.omnihub.state") == b"verified"
    assert not leftovers(mount)


def test_a_listing_of_before_is_not_believed_after(scene):
    """Who opened the folder before the conversion, and lists it while that
    goes on, does not have the kernel keep what was there."""
    folder = view(scene())
    before = os.open(folder, os.O_RDONLY)
    start(folder)
    assert "staged.status" in os.listdir(before)
    os.close(before)
    assert ended(folder) is None
    assert not (folder / "staged.status").exists()


@pytest.mark.parametrize("mode", ("ok", "data"))
def test_the_result_is_a_model(scene, mode):
    """onnxruntime computes it, with its data beside it too."""
    import numpy
    import onnxruntime

    session = onnxruntime.InferenceSession(str(converted(view(scene(mode)))))
    ones = numpy.ones((2, 3), numpy.float32)
    assert (session.run(None, {"x": ones})[0] == ones).all()
    del session  # it has the data mapped


def test_data_keeps_its_name(scene):
    mount = scene("data")
    converted(view(mount))
    assert sorted(os.listdir(view(mount))) == [
        "fill-mask", "info.json", "model.onnx_data", "staged.onnx"]


def test_several_models_keep_their_names(scene):
    mount = scene("two")
    start(view(mount))
    assert ended(view(mount)) is None
    assert sorted(os.listdir(view(mount))) == [
        "decoder_model.onnx", "encoder_model.onnx", "fill-mask", "info.json"]


def test_the_task_of_the_weights(scene):
    """Its folder is there although nothing native lists it, and it alone."""
    mount = scene()
    assert sorted(os.listdir(view(mount))) == ["fill-mask", "staged.status"]
    folder = view(mount, "pytorch/fill-mask")
    assert status(folder)["task"] == "fill-mask"
    converted(folder)
    assert state(view(mount)) == "convertible", "another task, another job"
    assert errno_of(os.listdir, view(mount, "pytorch/text-generation")) \
        == errno.ENOENT


def test_a_remount_keeps_it(scene):
    mount = scene()
    file = converted(view(mount))
    body, inode = file.read_bytes(), file.stat().st_ino
    began = log_count(mount, ": converting")
    mount.remount()
    assert file.read_bytes() == body
    assert file.stat().st_ino == inode
    assert log_count(mount, ": converting") == began == 1
    start(view(mount))
    assert (view(mount) / "staged.onnx").exists()
    assert log_count(mount, ": converting") == 1


def test_a_killed_daemon_keeps_it(scene):
    mount = scene()
    body = converted(view(mount)).read_bytes()
    time.sleep(scaled(1))  # D1: what was committed is there
    mount.kill()
    mount.start()
    assert (view(mount) / "staged.onnx").read_bytes() == body


def test_a_lost_result_is_convertible_again(scene):
    """Blocks that nobody can fetch again: an error once, then the offer."""
    mount = scene()
    file = converted(view(mount))
    mount.stop()
    shutil.rmtree(mount.cache / "blobs")
    (mount.cache / "blobs").mkdir(mode=0o700)
    mount.start()
    assert errno_of(file.read_bytes) in (errno.EIO, errno.ENOENT)
    assert wait_until(lambda: state(view(mount)) == "convertible", 5)
    assert converted(view(mount)).read_bytes()


def test_forgotten_on_demand(scene):
    mount = scene()
    converted(view(mount))
    os.setxattr(view(mount), ATTRIBUTE, b"0")
    assert wait_until(lambda: state(view(mount)) == "convertible", 5)
    assert errno_of(os.setxattr, view(mount), ATTRIBUTE, b"0") \
        == errno.EOPNOTSUPP


# ---- what it may not do ----

@pytest.mark.parametrize("box", BOXES)
def test_it_reaches_nothing(scene, tmp_path, box):
    mount = scene("reach", "--converter-sandbox", box,
                  env={"HF_TOKEN": "hf_secret_of_the_user"})
    output = failure(view(mount))["output"]
    told = json.loads(output.split("reach ", 1)[1])
    refused = ("Permission denied", "Read-only file system",
               "Operation not permitted")
    for what in ("net", "unix", "victim", "snapshot", "user namespace"):
        assert told[what] in refused, (what, told)
    if box == "landlock":  # else its parent is the first of its namespace
        assert told["signal"] in refused
    assert told["home"] == told["tmpdir"] == "done"
    assert told["files"] == ["config.json", "model.safetensors"]
    assert told["secrets"] == [] and told["offline"] == "1"
    assert (tmp_path / "victim").read_text() == "untouched"


def test_without_a_box_only_by_word(scene, tmp_path):
    """The tries of test_it_reaches_nothing() can succeed."""
    mount = scene("reach", "--converter-sandbox", "off")
    output = failure(view(mount))["output"]
    told = json.loads(output.split("reach ", 1)[1])
    for what in ("victim", "snapshot", "signal", "user namespace"):
        assert told[what] == "done", (what, told)
    assert told["net"] == "Connection refused"
    assert (tmp_path / "victim").read_text() == "was here"


def test_code_of_the_repository_is_never_run(scene):
    files = strange(auto_map={"AutoModel": "modeling.StrangeModel"})
    files["modeling.py"] = b"raise SystemExit"
    mount = scene(files=files)
    told = status(view(mount))
    assert (told["state"], told["code"]) == ("refused", "remote-code")
    assert errno_of(start, view(mount)) == errno.EOPNOTSUPP
    done = mount.run("convert", view(mount))
    assert done.returncode == 1 and "remote-code" in done.stderr


def test_code_is_not_in_the_snapshot(scene):
    files = strange()
    files.update({"modeling.py": b"", "tokenizer.json": b"{}", "a/b.json": b"{}",
                  "pytorch_model.bin": b"other weights", "big.bin": b"x",
                  ".hidden.json": b"{}"})
    told = failure(view(scene("reach", files=files)))["output"]
    assert json.loads(told.split("reach ", 1)[1])["files"] == [
        "a/b.json", "config.json", "model.safetensors", "tokenizer.json"]


# ---- what may go wrong ----

FAILURES = [
    ("exit", "exit", "status 3"),
    ("noisy", "exit", "status 1"),
    ("nothing", "no-file", "no .onnx"),
    ("garbage", "bad-file", "not an ONNX"),
    ("cut", "bad-file", "not an ONNX"),
    ("short", "bad-file", "too short"),
    ("escape", "bad-file", "not an ONNX"),
    ("link", "no-file", "no .onnx"),
]


@pytest.mark.parametrize("mode,code,words", FAILURES)
def test_a_failure_is_told(scene, mode, code, words):
    mount = scene(mode)
    told = failure(view(mount))
    assert told["code"] == code and words in told["reason"], told
    assert not leftovers(mount)
    assert sorted(os.listdir(view(mount))) == ["fill-mask", "staged.status"]


@pytest.mark.parametrize("mode,box", [
    ("crash", "namespaces"), ("abort", "namespaces"), ("abort", "landlock")])
def test_a_crash_is_told(scene, mode, box):
    told = failure(view(scene(mode, "--converter-sandbox", box)))
    assert told["code"] == "crashed" and "signal" in told["reason"], told


def test_the_last_lines_are_for_people(scene):
    output = failure(view(scene("noisy")))["output"]
    assert output.splitlines() == ["task feature-extraction", "Loading 100%",
                                   "[31mred[0m", "the last words"]


def test_a_failure_is_tried_again(scene, tmp_path):
    mount = scene("exit")
    failure(view(mount))
    fake = tmp_path / "fake.py"
    fake.write_text(fake.read_text().replace("sys.exit(3)", "write(out)"))
    converted(view(mount))


def test_too_much_memory(scene):
    told = failure(view(scene("hoard", "--converter-memory", "300M")))
    assert told["code"] == "exit" and "MemoryError" in told["output"], told


@pytest.mark.parametrize("box", BOXES)
def test_too_much_time(scene, box):
    mount = scene("sleep", "--converter-sandbox", box, timeout="3")
    told = failure(view(mount))
    assert told["code"] == "time" and "3 seconds" in told["reason"], told
    assert not processes(jobs_folder(mount))
    assert not leftovers(mount)


@pytest.mark.parametrize("box", BOXES)
def test_nothing_outlives_it(scene, box):
    mount = scene("leave", "--converter-sandbox", box)
    converted(view(mount))
    assert not processes(jobs_folder(mount))


@as_root
def test_a_full_disk(scene, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m,mode=700", "tmpfs",
                    disk], check=True)
    mount = scene("fill", start=False)
    mount.cache = disk / "cache"
    try:
        mount.start()
        told = failure(view(mount))
        assert told["code"] == "disk-full", told
        assert not leftovers(mount)
        left = os.statvfs(disk)
        assert left.f_bavail * left.f_frsize > 350 * MIB
    finally:
        mount.close()
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_result_that_the_cache_cannot_hold(scene):
    mount = scene("data", "--cache-size", "64K")
    told = failure(view(mount))
    assert told["code"] == "not-kept" and "--cache-size" in told["reason"], told


def running(mount):
    """A conversion that would take for ever, and its processes."""
    start(view(mount))
    assert wait_until(lambda: len(processes(jobs_folder(mount))) > 2, scaled(20))


@pytest.mark.parametrize("box", BOXES + ("off",))
def test_the_daemon_is_killed(scene, box):
    mount = scene("sleep", "--converter-sandbox", box)
    running(mount)
    mount.kill()
    assert wait_until(lambda: not processes(jobs_folder(mount)), 10)
    for number in range(3000):  # removing them takes a while
        (leftovers(mount)[0] / ("snapshot/%d" % number)).touch()
    mount.start()
    assert state(view(mount)) == "convertible"
    assert wait_until(lambda: not leftovers(mount), 10)
    assert not processes(jobs_folder(mount))


@pytest.mark.parametrize("box", BOXES + ("off",))
def test_the_mount_ends(scene, box):
    """Although the converter's namespace has the mount in it."""
    mount = scene("sleep", "--converter-sandbox", box)
    running(mount)
    began = time.monotonic()
    mount.stop()
    assert time.monotonic() - began < scaled(10)
    assert not processes(jobs_folder(mount))
    assert not leftovers(mount)


def test_stopped_on_demand(scene):
    mount = scene("sleep")
    running(mount)
    assert mount.run("convert", "--stop", view(mount)).returncode == 0
    assert wait_until(lambda: not processes(jobs_folder(mount)), 10)
    assert wait_until(lambda: state(view(mount)) == "convertible", 5)
    assert not leftovers(mount)


# ---- what it tells meanwhile ----

def test_progress(scene, hub):
    files = strange(vocab_size=100000)
    hub.add("org/strange", files)
    mount = scene("sleep", hub=hub.url, timeout="60")
    folder = view(mount)
    assert state(folder) == "convertible"
    hub.set(bytes_per_second=MIB)
    start(folder)
    seen, percents = set(), []

    def look():
        told = status(folder)
        if told["state"] == "converting":
            seen.add(told["phase"])
            if told["phase"] == "downloading":
                percents.append(told["percent"])
        return "converting" in seen

    assert wait_until(look, scaled(30), 0.2), seen
    assert "downloading" in seen
    assert percents == sorted(percents) and percents[-1] <= 100
    jobs = mount.status()["jobs"]
    assert [(job["label"], job["state"]) for job in jobs] == [
        ("org/strange (feature-extraction)", "converting")]
    assert "org/strange (feature-extraction)" in mount.run(
        "status", mount.path).stdout
    os.setxattr(folder, ATTRIBUTE, b"0")


def test_two_who_ask_share_one_job(scene):
    mount = scene("slow")
    start(view(mount))
    start(view(mount))
    done = mount.run("convert", view(mount))
    assert done.returncode == 0, done.stderr
    assert log_count(mount, ": converting") == 1


def test_one_at_a_time(scene):
    mount = scene("sleep")
    running(mount)
    folder = view(mount, "pytorch/fill-mask")
    start(folder)
    time.sleep(1.1)
    assert status(folder)["phase"] == "waiting"
    os.setxattr(folder, ATTRIBUTE, b"0")
    os.setxattr(view(mount), ATTRIBUTE, b"0")


# ---- the command ----

def test_the_command(scene):
    mount = scene()
    done = mount.run("convert", mount.model("org/strange"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(view(mount) / "staged.onnx")
    again = mount.run("convert", view(mount) / "staged.onnx")
    assert again.returncode == 0 and again.stdout == done.stdout


def test_the_command_tells_why(scene):
    mount = scene("noisy")
    done = mount.run("convert", view(mount))
    assert done.returncode == 1
    assert "status 1" in done.stderr and "the last words" in done.stderr


def test_control_c_ends_the_watching(scene):
    mount = scene("sleep")
    watcher = subprocess.Popen([BINARY, "convert", str(view(mount))],
                               env=mount.env, stderr=subprocess.PIPE, text=True)
    assert wait_until(lambda: len(processes(jobs_folder(mount))) > 2, scaled(20))
    time.sleep(scaled(1.5))
    watcher.send_signal(signal.SIGINT)
    _, told = watcher.communicate(timeout=scaled(10))
    assert watcher.returncode == 130
    assert "goes on" in told and "--stop" in told
    assert state(view(mount)) == "converting"
    os.setxattr(view(mount), ATTRIBUTE, b"0")


def test_what_is_staged_is_not_converted(scene, tmp_path):
    write_tree(tmp_path / "models/org/bert", tiny_bert())
    mount = scene()
    folder = mount.model("org/bert/pytorch")
    assert errno_of(start, folder) == errno.EOPNOTSUPP
    done = mount.run("convert", folder)
    assert done.returncode == 0
    assert done.stdout.strip() == str(folder / "staged.onnx")
    assert errno_of(start, mount.model("org/bert")) == errno.EOPNOTSUPP


def test_without_a_converter(tmp_path, make_mount):
    """The status says what to install."""
    write_tree(tmp_path / "models/org/strange", strange())
    mount = make_mount(str(tmp_path / "models"), env=NOWHERE).start()
    told = status(view(mount))
    assert told["state"] == "refused"
    assert "python3" in told["converter"] and "pip install" in told["install"]
    assert errno_of(start, view(mount)) == errno.EOPNOTSUPP
    done = mount.run("convert", view(mount))
    assert done.returncode == 1 and "pip install" in done.stderr
    assert told["install"] in mount.run("info", view(mount)).stdout


def test_who_wants_a_graph_is_not_told_to_convert(tmp_path, make_mount):
    """What a converter makes is ONNX, of PyTorch's weights."""
    write_tree(tmp_path / "models/org/strange", strange())
    model = make_mount(str(tmp_path / "models"), "--converter",
                       "none").start().model("org/strange")
    told = {name: json.loads((model / name / "staged.status").read_text())
            for name in ("pytorch", "tensorflow")}
    assert told["pytorch"]["reason"] == told["tensorflow"]["reason"]
    assert "switched off" in told["pytorch"]["converter"]
    assert not {"convert", "converter"} & set(told["tensorflow"])


def test_a_command_that_is_wrong_is_refused(tmp_path, make_mount):
    for command in ("python3 {snapshot}", "'python3 {snapshot} {out}",
                    "python3 {snapshot} {out} {where}", ""):
        mount = make_mount(str(tmp_path), "--converter", command)
        done = subprocess.run(mount.command(), env=mount.env, text=True,
                              capture_output=True, check=False)
        assert done.returncode == 2 and "converter" in done.stderr, command


def test_a_program_that_is_missing(tmp_path, make_mount):
    write_tree(tmp_path / "models/org/strange", strange())
    mount = make_mount(str(tmp_path / "models"), "--converter",
                       "/nonexistent/convert {snapshot} {out}").start()
    told = status(view(mount))
    assert told["state"] == "refused" and "/nonexistent" in told["converter"]
