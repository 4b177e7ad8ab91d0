"""Which bytes short names and labels may have, on disk: as fsck.fat sees it."""

from typing import Final

_CONTROL: Final = frozenset(range(32)) | {0x7F}
_NOT_IN_NAMES: Final = _CONTROL | frozenset(b'*?<>|"\\/:.')
_NOT_IN_LABELS: Final = _CONTROL | frozenset(b'"*+,./:;<=>?[\\]|')
_SUSPICIOUS_MAX: Final = 6
#: Files of OS/2, which have spaces where nobody else has any.
_OS2: Final = (b"EA DATA  SF", b"WP ROOT  SF")


def is_legal(name: bytes) -> bool:
    """Whether 11 bytes can be a short name; mostly beyond ASCII they are rubbish."""
    if name in _OS2:
        return True
    if name[0] == 0x05:
        name = b"\xe5" + name[1:]
    if _NOT_IN_NAMES.intersection(name) or name[:1] == b" ":
        return False
    if b" " in name[:8].rstrip(b" ") or b" " in name[8:].rstrip(b" "):
        return False
    return sum(byte > 0x7F for byte in name) <= _SUSPICIOUS_MAX


def is_legal_label(label: bytes) -> bool:
    """Whether 11 bytes can be a volume label."""
    if label[0] == 0x05:
        label = b"\xe5" + label[1:]
    return not _NOT_IN_LABELS.intersection(label) and label[:1] != b" "
