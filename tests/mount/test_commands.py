# SPDX-License-Identifier: MIT
"""The command line: what it says, refuses, writes and shows."""

import contextlib
import errno
import json
import os
import pty
import re
import subprocess

import pytest

from mounted import BINARY, is_mounted, wait_until
from mount_scenes import errno_of, tiny_bert, write_tree

COMMANDS = ("mount", "umount", "stage", "info", "status")


@pytest.fixture
def folder(tmp_path):
    """A hub's folder with one model that can be staged and one that cannot."""
    write_tree(tmp_path / "hub/org/bert", tiny_bert())
    write_tree(tmp_path / "hub/org/odd",
               tiny_bert(model_type="unheard-of"))
    return tmp_path / "hub"


@pytest.fixture
def mount(folder, make_mount):
    return make_mount(folder)


def test_version_and_help(mount):
    version = mount.run("--version")
    assert version.returncode == 0
    assert re.fullmatch(r"omnihub \d+\.\d+\.\d+ \(libfuse 3\.\d+\.\d+\)\n",
                        version.stdout)
    for arguments in (["--help"], ["-h"], ["help"]):
        told = mount.run(*arguments)
        assert told.returncode == 0
        assert all(command in told.stdout for command in COMMANDS)
    for command in COMMANDS:
        told = mount.run(command, "--help")
        assert told.returncode == 0 and not told.stderr
        assert told.stdout.startswith("Usage: omnihub " + command)


WRONG = [
    ([], "Usage"), (["frobnicate"], "frobnicate"),
    (["mount", "--frobnicate"], "frobnicate"),
    (["mount", "--timeout", "0", "m"], "timeout"),
    (["mount", "--timeout", "soon", "m"], "soon"),
    (["mount", "--cache-size", "many", "m"], "cache-size"),
    (["mount", "--verify", "never", "m"], "verify"),
    (["mount", "--form", "round", "m"], "dl4j"),
    (["mount", "--endpoint", "huggingface", "m"], "NAME=URL"),
    (["mount", "--config", "/no/such/file", "m"], "/no/such/file"),
    (["mount", "a", "b"], "one mount point"),
    (["umount", "a", "b"], "one mount point"),
    (["stage"], "SOURCE"), (["stage", "--form", "round", "x"], "dl4j"),
    (["stage", "--format", "tflite", "x"], "onnx, pb or h5"),
    (["stage", "--part", "middle", "x"], "encoder_model"),
    (["info"], "PATH"), (["status", "--frobnicate"], "frobnicate"),
]


@pytest.mark.parametrize("arguments, word", WRONG,
                         ids=[" ".join(row[0]) or "none" for row in WRONG])
def test_wrong_usage(mount, arguments, word):
    done = mount.run(*arguments, cwd=mount.work)
    assert done.returncode == 2, done
    assert word in done.stderr and not done.stdout


def test_mount_refuses_what_cannot_work(mount, make_mount):
    write_tree(mount.path, {"file": b""})
    refused(mount, "files in it")
    (mount.path / "file").unlink()
    mount.start()
    refused(mount, "already")
    refused(make_mount(mount.hub, name="m2"), "another mount uses it",
            "--cache", str(mount.cache))
    inside = make_mount(mount.hub, name="m3")
    refused(inside, "inside the mount", "--cache", str(inside.path / "cache"))
    refused(make_mount("/no/such/folder", name="m4"),
            "cannot serve huggingface from /no/such/folder: No such file")
    refused(make_mount(mount.hub, name="m6", env={"OMNIHUB_SHARE": "/none"}),
            "cannot serve onnx: share/omnihub")
    beside = make_mount(mount.hub, name="m5")
    beside.path.write_text("")
    refused(beside, "not a folder")
    mount.stop()


def refused(mount, word, *options):
    mounted = is_mounted(mount.path)
    done = subprocess.run(mount.command(*options), env=mount.env, text=True,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 1, done
    assert word in done.stderr and done.stderr.startswith("omnihub: "), done
    assert is_mounted(mount.path) == mounted


def test_mount_point_is_made(mount):
    assert not mount.path.exists()
    mount.start()
    mount.stop()
    assert mount.path.is_dir() and not os.listdir(mount.path)


def test_umount(mount, tmp_path):
    done = mount.run("umount", tmp_path)
    assert done.returncode == 1 and str(tmp_path) in done.stderr
    mount.start()
    with (mount.model("org/bert/repo/config.json")).open():
        done = mount.run("umount", mount.path)
        assert done.returncode == 1 and "in use" in done.stderr
        assert is_mounted(mount.path)
        done = mount.run("umount", "--lazy", mount.path)
        assert done.returncode == 0, done
        assert not is_mounted(mount.path)
    assert wait_until(lambda: not mount.alive()), "ends with the last file"


def test_umount_after_the_daemon_died(mount):
    mount.start()
    os.kill(mount.pid, 9)
    assert wait_until(lambda: not mount.alive())
    assert wait_until(lambda: errno_of(os.stat, mount.path) == errno.ENOTCONN)
    done = mount.run("umount", mount.path)
    assert done.returncode == 0, done
    assert not is_mounted(mount.path)
    mount.start()


def test_status(mount):
    mount.start()
    for place in (mount.path, mount.model("org/bert/repo"),
                  mount.path / ".omnihub/version"):
        told = mount.run("status", "--json", place)
        assert told.returncode == 0, told
        assert json.loads(told.stdout)["pid"] == mount.pid
    told = mount.run("status", mount.path)
    for word in (str(mount.path), str(mount.cache), "requests", "waiting"):
        assert word in told.stdout
    mount.stop()
    told = mount.run("status", mount.path)
    assert told.returncode == 1 and str(mount.path) in told.stderr


def test_info(mount):
    mount.start()
    staged = mount.model("org/bert/pytorch/staged.onnx")
    for place in (staged, staged.parent):
        told = mount.run("info", place)
        assert told.returncode == 0
        for word in ("org/bert", "feature-extraction", "input_ids: int64",
                     "last_hidden_state", "bert", "[batch_size"):
            assert word in told.stdout, word
        exact = mount.run("info", "--json", place).stdout
        assert exact == (staged.parent / "info.json").read_text()
    odd = mount.run("info", mount.model("org/odd/pytorch"))
    assert odd.returncode == 0 and "refused" in odd.stdout
    assert "unheard-of" in odd.stdout
    missing = mount.run("info", mount.path / "nope")
    assert missing.returncode == 1 and "nope" in missing.stderr


def test_staged_file_is_the_mounts(mount, folder, tmp_path):
    """From the folder and through the mount, both forms: the same bytes."""
    mount.start()
    for form, where in (("plain", "pytorch"), ("dl4j", "pytorch/dl4j")):
        expected = (mount.model("org/bert") / where / "staged.onnx").read_bytes()
        for source in (folder / "org/bert", mount.model("org/bert"),
                       mount.model("org/bert/repo")):
            output = tmp_path / "out.onnx"
            done = mount.run("stage", "--force", "--form", form, "-o", output,
                             source)
            assert done.returncode == 0, done
            assert output.read_bytes() == expected, (form, source)
            assert not list(tmp_path.glob("*.part"))


def test_staged_graphdef_is_the_mounts(mount, folder, tmp_path):
    mount.start()
    model = folder / "org/bert"
    for form, where in (("plain", ""), ("dl4j", "dl4j")):
        expected = (mount.model("org/bert/tensorflow") / where
                    / "staged.pb").read_bytes()
        done = mount.run("stage", "--format", "pb", "--form", form, model,
                         cwd=tmp_path)
        assert done.returncode == 0, done
        assert (tmp_path / "staged.pb").read_bytes() == expected
        (tmp_path / "staged.pb").unlink()


def test_stage_writes_to(mount, folder, tmp_path):
    model = folder / "org/bert"
    done = mount.run("stage", model, cwd=tmp_path)
    assert done.returncode == 0, done
    expected = (tmp_path / "staged.onnx").read_bytes()
    done = mount.run("stage", model, cwd=tmp_path)
    assert done.returncode == 1 and "--force" in done.stderr
    piped = subprocess.run([BINARY, "stage", "-o", "-", model], check=True,
                           env=mount.env, capture_output=True)
    assert piped.stdout == expected and not piped.stderr
    done = mount.run("stage", "-o", "/no/such/folder/x.onnx", model)
    assert done.returncode == 1 and "/no/such/folder" in done.stderr


def test_stage_to_a_full_disk_fails(mount, folder):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, "stage", "-o", "-", folder / "org/bert"],
                              env=mount.env, stdout=full, check=False,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "No space left" in done.stderr


def test_stage_refuses(mount, folder, tmp_path):
    for source, word in ((folder / "org/odd", "unheard-of"),
                         (folder / "nope", "nope"), (tmp_path / "hub", "")):
        done = mount.run("stage", "-o", tmp_path / "x.onnx", source)
        assert done.returncode == 1 and word in done.stderr, done
        assert not (tmp_path / "x.onnx").exists()
    done = mount.run("stage", "-t", "fill-mask", "-o", tmp_path / "x.onnx",
                     folder / "org/bert")
    assert done.returncode == 1 and "fill-mask" in done.stderr
    assert not (tmp_path / "x.onnx").exists()


def test_plan(mount, folder):
    """The segments are the file, in order and without a gap."""
    mount.start()
    staged = mount.model("org/bert/pytorch/staged.onnx")
    for source in (folder / "org/bert", mount.model("org/bert")):
        done = mount.run("stage", "--plan", source)
        assert done.returncode == 0, done
        plan = json.loads(done.stdout)
        assert plan["size"] == staged.stat().st_size
        assert plan["digest"] == os.getxattr(staged, "user.omnihub.plan").decode()
        assert plan["requests"] > 0 and plan["milliseconds"] > 0
        end = generated = 0
        for segment in plan["segments"]:
            assert segment["out"] == end
            end += segment["len"]
            generated += segment["len"] * (segment["kind"] == "bytes")
        assert end == plan["size"] and generated == plan["generated_bytes"]
        assert_plan_makes(plan, staged.read_bytes(), folder / "org/bert")


def assert_plan_makes(plan, staged, folder):
    """Copied segments are the bytes of the weights they name."""
    for segment in plan["segments"]:
        if segment["kind"] != "copy":
            continue
        source = (folder / plan["sources"][segment["source"]]["path"]).read_bytes()
        assert staged[segment["out"]:segment["out"] + segment["len"]] == \
            source[segment["src"]:segment["src"] + segment["len"]]


def test_config_file(mount, folder):
    config = mount.work / "omnihub.ini"
    config.write_text(
        "mountpoint = %s\ncache = %s\ntimeout = 7\nform = dl4j\n"
        "cache-size = 3G\n\n[endpoints]\nhuggingface = %s\n"
        % (mount.path, mount.cache, folder))
    done = mount.run("mount", "--config", config)
    assert done.returncode == 0, done
    status = mount.status()
    mount.pid = status["pid"]
    assert (status["timeout_s"], status["form"]) == (7, "dl4j")
    assert status["cache_bytes_max"] == 3 << 30
    assert mount.model("org/bert/pytorch/staged.onnx").stat().st_ino
    mount.stop()
    mount.start("--timeout", "9", "--config", str(config))
    assert mount.status()["timeout_s"] == 9, "the command line wins"


@pytest.mark.parametrize("text, word", [
    ("frobnicate = 1\n", "frobnicate"), ("timeout = soon\n", "soon"),
    ("[what]\nx = 1\n", "what"), ("cache-size\n", "1")])
def test_config_file_errors_name_file_and_line(mount, text, word):
    config = mount.work / "omnihub.ini"
    config.write_text(text)
    done = mount.run("mount", "--config", config, mount.path)
    assert done.returncode == 2 and str(config) in done.stderr
    assert word in done.stderr


def test_mount_helper(mount, folder):
    """As mount(8) calls it: mount.omnihub SOURCE MOUNTPOINT -o OPTIONS."""
    helper = mount.work / "mount.omnihub"
    helper.symlink_to(BINARY)
    options = ("rw,noauto,nofail,_netdev,x-systemd.automount,cache=%s,"
               "endpoint=huggingface=%s,timeout=8" % (mount.cache, folder))
    done = subprocess.run([helper, "omnihub", mount.path, "-o", options],
                          env=mount.env, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done
    status = mount.status()
    mount.pid = status["pid"]
    assert status["timeout_s"] == 8
    mount.stop()
    done = subprocess.run([helper, "omnihub", mount.path, "-o", "frobnicate"],
                          env=mount.env, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 2 and "frobnicate" in done.stderr


def test_foreground_ends_by_a_signal(mount):
    daemon = subprocess.Popen(mount.command("--foreground"), env=mount.env,
                              stderr=subprocess.PIPE, text=True)
    assert "mounted at" in daemon.stderr.readline()
    assert mount.status()["pid"] == daemon.pid
    daemon.terminate()
    assert daemon.wait(20) == 0, daemon.stderr.read()
    assert not is_mounted(mount.path)
    daemon.stderr.close()


def test_ends_while_files_are_open(mount, folder):
    """No release comes of them: a build with sanitizers would see it."""
    daemon = subprocess.Popen(mount.command("--foreground"), env=mount.env,
                              stderr=subprocess.PIPE, text=True)
    assert "mounted at" in daemon.stderr.readline()
    view = mount.model("org/bert/pytorch")
    held = [os.open(path, os.O_RDONLY) for path in
            (view, view / "staged.onnx", mount.path,
             mount.path / ".omnihub/status.json")]
    assert len(os.listdir(held[0])) > 1 and len(os.pread(held[1], 9, 0)) == 9
    daemon.terminate()
    assert daemon.wait(20) == 0, daemon.stderr.read()
    daemon.stderr.close()
    for one in held:
        with contextlib.suppress(OSError):  # the kernel's, of a mount gone
            os.close(one)


def test_progress_on_a_terminal(mount, folder, tmp_path):
    """A bar where there is a terminal, and none where there is not."""
    model = folder / "org/bert"
    ours, theirs = pty.openpty()
    done = subprocess.run([BINARY, "stage", "-o", tmp_path / "x.onnx", model],
                          env=mount.env, stderr=theirs, check=False)
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.returncode == 0
    assert re.search(r"\[#+\] 100 %", shown) and "B/s" in shown, shown
    assert shown.endswith("\r\n")
    done = mount.run("stage", "--force", "-o", tmp_path / "x.onnx", model)
    assert done.returncode == 0 and not done.stderr
