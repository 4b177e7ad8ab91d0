"""The verdict for other programs: JUnit XML, SARIF 2.1.0, GitHub annotations."""

import json
from typing import Any
from xml.etree import ElementTree

from watosfs_fuzz.provenance import version
from watosfs_fuzz.verify.gate import Gate
from watosfs_fuzz.verify.slices import Found

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def junit(gate: Gate) -> str:
    """A test case for each stage; https://github.com/testmoapp/junitxml describes the format."""
    by_stage: dict[str, list[Found]] = {}
    for found in gate.found:
        by_stage.setdefault(found.stage, []).append(found)
    names = sorted({*gate.tallies, *gate.unfinished()})
    suite = ElementTree.Element(
        "testsuite",
        name="watosfs-fuzz verify",
        tests=str(len(names)),
        failures=str(len(by_stage)),
        errors=str(len(gate.unfinished())),
        skipped=str(sum(bool(tally.skipped) for tally in gate.tallies.values())),
        time=f"{gate.seconds:.3f}",
    )
    for name in names:
        tally = gate.tallies.get(name)
        seconds = tally.seconds if tally else 0.0
        case = ElementTree.SubElement(
            suite, "testcase", classname="watosfs", name=name, time=f"{seconds:.3f}"
        )
        for found in by_stage.get(name, ()):
            failure = ElementTree.SubElement(case, "failure", message=printable(found.title))
            failure.text = printable(f"{found.story}\n{found.command}")
        if name in gate.unfinished():
            ElementTree.SubElement(case, "error", message="not finished within the budget")
        elif tally is not None and tally.skipped:
            ElementTree.SubElement(case, "skipped", message=printable(tally.skipped))
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def printable(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return "".join(c if c in "\n\t" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def sarif(gate: Gate) -> str:
    """A result for each finding, at the file that replays it."""
    rules = sorted({found.stage for found in gate.found})
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "watosfs-fuzz",
                "version": version(),
                "rules": [{"id": rule, "shortDescription": {"text": rule}} for rule in rules],
            }
        },
        "results": [result_of(found) for found in gate.found],
    }
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1)


def result_of(found: Found) -> dict[str, Any]:
    """One result."""
    uri = found.file.replace("\\", "/") or "."
    return {
        "ruleId": found.stage,
        "level": "error",
        "message": {"text": f"{found.title}\n{found.story}\nAgain: {found.command}"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}}}],
    }


def github(gate: Gate) -> list[str]:
    """Workflow commands, a line each: a finding is an error, an unfinished stage a warning."""
    errors = [
        f"::error title={escaped(f'{found.stage}: {found.title}', ':,')}::"
        + escaped(f"{found.story}\n{found.command}")
        for found in gate.found
    ]
    warnings = [
        f"::warning title={escaped(name, ':,')}::not finished within the budget"
        for name in gate.unfinished()
    ]
    return errors + warnings


def escaped(text: str, more: str = "") -> str:
    """As GitHub's workflow commands want it."""
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
