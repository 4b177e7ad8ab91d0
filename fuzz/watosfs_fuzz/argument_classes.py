"""Which class each argument of an operation falls into: how the drivers' reach is compared.

Two drivers that reach the same classes of the same operations draw from the same space; the same
words describe what a campaign has tried.
"""

from dataclasses import fields

from watosfs_fuzz import parameters as p
from watosfs_model.data import Fill, Literal, Repeat
from watosfs_model.open_flags import format_flags
from watosfs_model.operations import Operation

_NAMES = {
    **dict.fromkeys(p.NAMES_TINY, "tiny name"),
    **{name: "colliding name" for pair in p.NAMES_COLLIDING for name in pair},
    **dict.fromkeys(p.NAMES_LONG, "long name"),
    **dict.fromkeys(p.NAMES_TOO_LONG, "name too long"),
    **dict.fromkeys(p.NAMES_ODD, "odd name"),
    **dict.fromkeys(p.NAMES_SPECIAL, "dots"),
    **dict.fromkeys(p.NAMES_MANY, "one of many names"),
}


def classes_of(operation: Operation) -> frozenset[str]:
    """Words such as ``pwrite offset huge``."""
    found = {operation.name()}
    for field in fields(operation):  # type: ignore[arg-type]
        value = getattr(operation, field.name)
        found.add(f"{operation.name()} {field.name} {class_of(field.name, value)}")
    return frozenset(found)


def class_of(name: str, value: object) -> str:
    """The class of one argument."""
    match value:
        case Fill(_, length) | Repeat(_, length):
            return f"of {number_class(length)} length"
        case Literal(data):
            return f"of {number_class(len(data))} length"
        case bytes() if name == "target":
            return "long" if len(value) > p.INLINE_MAX else "short"
        case bytes():
            return path_class(value)
        case int() if name == "flags":
            return format_flags(value)
        case int() if name == "fd":
            return "open" if 3 <= value < 3 + p.DESCRIPTORS_OPEN_MAX else "wrong"
        case int() if name in ("offset", "size", "count"):
            return number_class(value)
    return "any"


def path_class(path: bytes) -> str:
    """What is special about a path: its form, or else the class of its last name."""
    if len(path) >= 4095:
        return "around PATH_MAX"
    if not path.strip(b"/"):
        return "root or empty"
    if b"\0" in path:
        return "with NUL"
    if path.endswith(b"/") or b"//" in path or any(d in path.split(b"/") for d in (b".", b"..")):
        return "odd form"
    return _NAMES.get(path.rpartition(b"/")[2], "other name")


def number_class(value: int) -> str:
    """Negative, tiny, inline, beside a border, within a block or chunk, large, huge."""
    if value < 0:
        return "negative"
    if value > p.SIZE_MAX:
        return "beyond off_t"
    if value > p.SIZES_CHUNK[-1] * 64:
        return "huge"
    for border, name in ((p.INLINE_MAX, "inline"), (p.CHUNK, "chunk"), (p.BLOCK, "block")):
        rest = value % border if border != p.INLINE_MAX else value - border
        if value >= border - 1 and rest in (-1, 0, 1, border - 1):
            return f"beside {name} border"
    return "zero" if value == 0 else "within a block" if value < p.BLOCK else "blocks"
