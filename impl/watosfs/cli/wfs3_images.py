"""WFS v3 images: checked, and repaired."""

from argparse import Namespace

from watosfs.cli import output
from watosfs.cli.devices import opened_device
from watosfs.cli.failures import EXIT_USAGE, Failure, reason
from watosfs.cli.interruption import Stop
from watosfs.cli.names import one_line, printable
from watosfs.cli.presentation import counted, human_size
from watosfs.cli.progress import phases
from watosfs.wfs3.check import Report, check
from watosfs.wfs3.repair import Repaired, repair


def check_image(options: Namespace) -> int:
    """``check`` for a WFS v3 image: 0 clean or repaired, 1 problems, 2 unreadable.

    A repair verifies all data, whether ``--data`` was given or not.
    """
    shown = printable(options.image)
    try:
        with (
            Stop(),
            opened_device(options.image, write=options.repair) as device,
            phases() as progress,
        ):
            refused = ""
            if options.repair:
                try:
                    done = repair(device, progress=progress, drop_snapshots=options.drop_snapshots)
                except OSError as error:
                    refused = reason(error)
            if not options.repair or refused:
                report = check(device, data=options.data or options.repair, progress=progress)
                done = Repaired(report, report)
    except Failure as error:
        error.status = EXIT_USAGE
        raise
    if options.json:
        output.write_json(
            {
                "image": shown,
                **done.before.to_json(),
                "repaired": done.is_changed and done.after.is_clean,
                "losses": list(done.losses),
                **({"not_repaired": refused} if refused else {}),
            }
        )
    else:
        _show(shown, done, options)
        if refused:
            output.write_line(f"{shown}: not repaired, nothing was changed: {one_line(refused)}")
    return 0 if done.after.is_clean else 1


def _show(shown: str, done: Repaired, options: Namespace) -> None:
    before = done.before
    for problem in before.problems:
        output.write_line(f"{shown}: {one_line(str(problem))}")
    for note in before.notes:
        output.write_line(f"{shown}: note: {one_line(note)}")
    if before.problems_omitted:
        output.write_line(f"{shown}: and {before.problems_omitted:,} more problems")
    for loss in done.losses:
        output.write_line(f"{shown}: repair: {one_line(loss)}")
    _describe(shown, done.after, options.data or options.repair)
    count = len(before.problems) + before.problems_omitted
    repaired = ", repaired" if done.is_changed and done.after.is_clean else ""
    output.write_line(f"{shown}: {counted(count, 'problem') if count else 'clean'}{repaired}")


def _describe(shown: str, report: Report, is_with_data: bool) -> None:
    """What is on the volume, as far as it can be read."""
    if report.superblock is None:
        return
    found = ", ".join(
        [
            counted(report.files, "file"),
            counted(report.directories, "directory", "directories"),
            counted(report.symlinks, "symlink"),
            counted(report.orphans, "orphan"),
            *([counted(report.snapshots, "snapshot")] if report.snapshots else []),
        ]
    )
    used = report.blocks_total - report.blocks_free
    verified = human_size(report.data_bytes_verified)
    data = f", {verified} of data verified" if is_with_data else ", data not verified (--data)"
    output.write_line(f"{shown}: generation {report.generation}: {found}")
    output.write_line(f"{shown}: {used:,} of {report.blocks_total:,} blocks in use{data}")
