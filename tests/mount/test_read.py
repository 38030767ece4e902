# SPDX-License-Identifier: MIT
"""Reading: the bytes of the source, whoever reads how, and each only once."""

import errno
import mmap
import os
import resource
import subprocess
import time

import pytest

from mounted import drop_pages, wait_until
from mount_scenes import (GIB, KIB, MIB, errno_of, opened, payload,
                          payload_file, pread_all, random_source, read_at,
                          run_together, scaled, sparse_file, tiny_bert)

SIZES = [0, 1, 4095, 4096, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 3 * MIB + 7]


def same_bytes(path, source, step=MIB):
    """@path, read from start to end, is the file @source."""
    with open(source, "rb") as expected, opened(path) as fd:
        done = 0
        while True:
            part = os.read(fd, step)
            assert part == expected.read(len(part)), "wrong at %d" % done
            done += len(part)
            if not part:
                break
    assert done == os.path.getsize(source)
    return done


@pytest.fixture
def big(tmp_path):
    """A file of 64 MiB in a folder that can be added to a hub."""
    (tmp_path / "repo").mkdir()
    return payload_file(tmp_path / "repo/big.bin", 64 * MIB)


@pytest.fixture
def big_mount(big, hub, make_mount):
    hub.add("org/big", big.parent)
    return make_mount(hub).start()


@pytest.mark.parametrize("shape", ["A", "B", "C"])
def test_every_shape_and_size(hub, make_mount, shape):
    files = {"%d.bin" % size: payload(size, size) for size in SIZES}
    hub.add("org/model", files, shapes=dict.fromkeys(files, shape))
    repo = make_mount(hub).start().model("org/model/repo")
    for name, body in files.items():
        assert (repo / name).stat().st_size == len(body)
        assert (repo / name).read_bytes() == body, name


@pytest.mark.parametrize("form", ["plain", "dl4j"])
def test_staged_file_in_any_order(hub, make_mount, form):
    """A composed file read by pieces is the one read at once."""
    hub.add("org/bert", tiny_bert(hidden_size=64, vocab_size=3000))
    mount = make_mount(hub, "--form", form).start()
    staged = mount.model("org/bert/pytorch/staged.onnx")
    whole = staged.read_bytes()
    assert len(whole) == staged.stat().st_size > 700 * KIB
    source = random_source("staged file")
    mount.remount()
    with opened(staged) as fd:
        for _ in range(300):
            offset = source.randrange(len(whole))
            length = source.choice([1, 7, 100, 5000, 200000])
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            assert os.pread(fd, length, offset) == \
                whole[offset:offset + length], (offset, length)


def test_random_reads(big_mount, big):
    body, source = big.read_bytes(), random_source("random reads")
    path = big_mount.model("org/big/repo/big.bin")
    with opened(path) as fd:
        for _ in range(300):
            offset = source.randrange(len(body))
            length = source.choice([1, 13, 4096, 70000, 300000])
            assert pread_all(fd, offset, min(length, len(body) - offset)) == \
                body[offset:offset + length], (offset, length)


def test_many_random_readers(big_mount, big):
    body, source = big.read_bytes(), random_source("random readers")
    path = big_mount.model("org/big/repo/big.bin")

    def reader(seed):
        mine = type(source)(seed)
        for _ in range(40):
            offset = mine.randrange(len(body) - 50000)
            assert read_at(path, offset, 50000) == body[offset:offset + 50000]

    seeds = [source.random() for _ in range(16)]
    run_together([lambda s=s: reader(s) for s in seeds], scaled(60))


def test_mmap(big_mount, big):
    body, source = big.read_bytes(), random_source("mmap")
    with opened(big_mount.model("org/big/repo/big.bin")) as fd, \
            mmap.mmap(fd, 0, prot=mmap.PROT_READ) as pages:
        assert len(pages) == len(body)
        for _ in range(200):
            offset = source.randrange(len(body) - 9000)
            assert pages[offset:offset + 9000] == body[offset:offset + 9000]
        assert pages[:] == body


def test_cp_and_sendfile(big_mount, big, tmp_path):
    path = big_mount.model("org/big/repo/big.bin")
    subprocess.run(["cp", path, tmp_path / "copy"], check=True)
    same_bytes(tmp_path / "copy", big)
    drop_pages(path)
    with opened(path) as fd, open(tmp_path / "sent", "wb") as out:
        done = 0
        while done < 64 * MIB:
            done += os.sendfile(out.fileno(), fd, done, 64 * MIB - done)
    same_bytes(tmp_path / "sent", big)


def test_end_of_file(hub, make_mount):
    body = payload(100 * KIB + 5)
    hub.add("org/model", {"x.bin": body})
    with opened(make_mount(hub).start().model("org/model/repo/x.bin")) as fd:
        size = len(body)
        for offset, expected in ((size, 0), (size - 1, 1), (size - 10, 10),
                                 (size + 1, 0), (size + GIB, 0), (1 << 62, 0)):
            got = os.pread(fd, 4096, offset)
            assert got == body[offset:] and len(got) == expected, offset
        assert os.lseek(fd, 0, os.SEEK_END) == size
        assert os.read(fd, 10) == b""


def test_five_gigabytes(hub, make_mount, tmp_path):
    """Only what is read of a large file is fetched."""
    (tmp_path / "repo").mkdir()
    tail = payload(4 * KIB)
    sparse_file(tmp_path / "repo/huge.bin", 5 * GIB, tail)
    hub.add("org/huge", tmp_path / "repo", sha256={"huge.bin": "ab" * 32})
    path = make_mount(hub).start().model("org/huge/repo/huge.bin")
    assert path.stat().st_size == 5 * GIB
    assert read_at(path, 5 * GIB - 4 * KIB, 8 * KIB) == tail
    assert read_at(path, 3 * GIB, 4 * KIB) == bytes(4 * KIB)
    assert hub.bytes_sent("huge.bin") <= 2 * MIB


def test_first_bytes_cost_little(big_mount, big, hub):
    path = big_mount.model("org/big/repo/big.bin")
    assert read_at(path, 0, 4 * KIB) == big.read_bytes()[:4 * KIB]
    assert hub.bytes_sent("big.bin") <= MIB


def test_many_handles(hub, make_mount):
    """Handles cost the daemon no descriptor."""
    body = payload(MIB)
    hub.add("org/model", {"x.bin": body})
    mount = make_mount(hub).start()
    path = mount.model("org/model/repo/x.bin")
    assert path.read_bytes() == body
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    before, fds = descriptors(mount), []
    try:
        for i in range(3000):
            fds.append(os.open(path, os.O_RDONLY))
            assert os.pread(fds[-1], 100, i * 300) == body[i * 300:][:100]
        assert descriptors(mount) <= before + 20
    finally:
        for fd in fds:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def descriptors(mount):
    """How many the daemon has; it hides them from all but root."""
    if os.geteuid() != 0:
        return 0
    return len(os.listdir("/proc/%d/fd" % mount.pid))


def test_cached_file_makes_no_request(hub, make_mount):
    files = {"config.json": b'{"a": 1}', "tiny.safetensors": payload(200)}
    hub.add("org/model", files)
    mount = make_mount(hub).start()
    repo = mount.model("org/model/repo")
    for name, body in files.items():
        assert (repo / name).read_bytes() == body
    hub.forget()
    for name, body in files.items():
        drop_pages(repo / name)
        assert (repo / name).read_bytes() == body
    assert not hub.requests()


def fetch_by_many(mount, hub, source, readers):
    """All read all of it; it is sent once."""
    path = mount.model("org/big/repo/big.bin")
    began = time.monotonic()
    run_together([lambda: same_bytes(path, source)] * readers, scaled(120))
    size = os.path.getsize(source)
    print("%d readers, %d MiB, %.2f s, sent %.4f" % (
        readers, size / MIB, time.monotonic() - began,
        hub.bytes_sent("big.bin") / size))
    assert size <= hub.bytes_sent("big.bin") <= 1.01 * size


def test_32_readers_fetch_once(big_mount, hub, big):
    fetch_by_many(big_mount, hub, big, 32)


@pytest.mark.slow
def test_32_readers_fetch_500_mib_once(hub, make_mount, tmp_path):
    (tmp_path / "repo").mkdir()
    big = payload_file(tmp_path / "repo/big.bin", 500 * MIB)
    hub.add("org/big", big.parent)
    fetch_by_many(make_mount(hub).start(), hub, big, 32)


def settled(hub, still_s=0.5):
    """Bytes sent, once no more have been for a while."""
    seen = [hub.bytes_sent(), time.monotonic()]

    def still():
        sent = hub.bytes_sent()
        if sent != seen[0]:
            seen[:] = sent, time.monotonic()
        return time.monotonic() - seen[1] > still_s

    assert wait_until(still, scaled(30), 0.05), "never still"
    return seen[0]


def test_idle_handle_costs_nothing(big_mount, big, hub):
    """Readahead stops where its reader does, and is in nobody's way."""
    path = big_mount.model("org/big/repo/big.bin")
    body = big.read_bytes()
    with opened(path) as fd:
        for _ in range(4):
            os.read(fd, MIB)
        sent = settled(hub)
        print("read 4 MiB, sent %.1f MiB" % (sent / MIB))
        assert sent <= 32 * MIB
        assert read_at(path, 60 * MIB, 4 * KIB) == body[60 * MIB:][:4 * KIB]
        assert settled(hub, 2) <= sent + MIB
        assert os.read(fd, MIB) == body[4 * MIB:5 * MIB]


def test_open_file_survives_umount_lazy(big_mount, big):
    path = big_mount.model("org/big/repo/big.bin")
    with opened(path) as fd:
        assert os.read(fd, 100) == big.read_bytes()[:100]
        assert big_mount.run("umount", "--lazy",
                             big_mount.path).returncode == 0
        assert pread_all(fd, 30 * MIB, MIB) == \
            big.read_bytes()[30 * MIB:31 * MIB]
    assert wait_until(lambda: not big_mount.alive(), scaled(20))


def test_folder_is_no_file(hub, make_mount):
    hub.add("org/model", {"sub/x": b"x"})
    repo = make_mount(hub).start().model("org/model/repo")
    with opened(repo / "sub") as fd:
        assert errno_of(os.read, fd, 10) == errno.EISDIR
    assert errno_of(os.listdir, repo / "sub/x") == errno.ENOTDIR
