"""``mkfs`` and ``check`` of WFS v2 images."""

import json
from pathlib import Path

from tests.impl.cli.conftest import Runner
from watosfs.block.file import FileDevice
from watosfs.wfs2.volume import Wfs2Volume


def test_mkfs_makes_a_volume_that_check_repairs_from_its_backup(
    here: Path, watosfs: Runner
) -> None:
    lines = watosfs.ok("mkfs", "disk.img", "--size", "4M", "--type", "wfs2").lines
    assert lines == ["disk.img: WFS v2, 4.0 MiB, room for 4,096 names"]
    with FileDevice.open("disk.img") as device:
        with Wfs2Volume.mount(device) as volume:
            volume.write_file(b"/f", b"x" * 9000)
        device.write(0, bytes(4096))
    ran = watosfs("check", "disk.img", "--json")
    assert ran.status == 1
    found = json.loads(ran.out)
    assert [problem["kind"] for problem in found["problems"]] == ["superblock"]
    assert (found["type"], found["files"], found["repaired"]) == ("wfs2", 1, False)
    assert watosfs.ok("check", "--repair", "disk.img").lines[-1] == "disk.img: 1 problem, repaired"
    assert watosfs.ok("check", "disk.img").lines[-1] == "disk.img: clean"


def test_mkfs_refuses_a_label(here: Path, watosfs: Runner) -> None:
    text = watosfs.refused(
        "mkfs", "a.img", "--size", "4M", "--type", "wfs2", "--label", "x", status=2
    )
    assert text == "mkfs: argument --label: WFS v2 keeps no label"
    assert list(here.iterdir()) == []
