"""The disk as the crash left it, and as recovery left it, as image files beside their finding."""

from collections.abc import Mapping
from pathlib import Path

from watosfs.block.device import BLOCK_SIZE_BYTES
from watosfs_fuzz.findings import ascii_of, write_finding, write_whole
from watosfs_fuzz.report.evidence import Evidence
from watosfs_fuzz.report.story import story

CRASHED, RECOVERED, README = "crashed.img", "recovered.img", "README.txt"

_README = """\
{identity}: {summary}

{crashed}    the disk just after the power cut
{recovered}  the same after recovery{recovery}
{trace}  what was done; run it again:

    watosfs-fuzz replay {trace}

{commands}
{story}
"""
_WFS3 = """\
Look into the images:

    watosfs check {crashed}          what the checker says
    watosfs ls -l {recovered}:/      what a user finds
    watosfs dump {crashed} BLOCK     a block that the story names
"""
_OTHERS = """\
The images are the blocks of the target, {size} bytes each, from block 0 on:

    cmp -l {crashed} {recovered}     which bytes recovery wrote
    hexdump -C -s $((BLOCK * {size})) -n {size} {crashed}
"""


def write_images(evidence: Evidence, directory: Path) -> list[Path]:
    """Write both images, the trace and the README; their paths. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    trace = write_finding(evidence.finding, directory)
    for name, image in ((CRASHED, evidence.image), (RECOVERED, evidence.recovered)):
        write_image(directory / name, image, evidence.block_count)
    is_ours = evidence.finding.case.target == "wfs3"
    commands = (_WFS3 if is_ours else _OTHERS).format(
        crashed=CRASHED, recovered=RECOVERED, size=BLOCK_SIZE_BYTES
    )
    text = _README.format(
        identity=evidence.finding.identity,
        summary=f"{evidence.failure.kind}: {evidence.failure.subject}",
        crashed=CRASHED,
        recovered=RECOVERED,
        recovery=", which failed; as far as it got" if evidence.found is None else "",
        trace=trace.name,
        commands=commands,
        story="\n".join(ascii_of(line) for line in story(evidence)).rstrip(),
    )
    readme = write_whole(directory / README, text)
    return [directory / CRASHED, directory / RECOVERED, trace, readme]


def write_image(path: Path, image: Mapping[int, bytes], block_count: int) -> None:
    """Write a sparse file of ``block_count`` blocks."""
    with path.open("wb") as stream:
        stream.truncate(block_count * BLOCK_SIZE_BYTES)
        for block, data in sorted(image.items()):
            if any(data):
                stream.seek(block * BLOCK_SIZE_BYTES)
                stream.write(data)
