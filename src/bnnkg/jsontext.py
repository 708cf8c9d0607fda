"""Values of any kind as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def json_text(value: Any, *, indent: int | None = None) -> str:
    """The value as JSON that every reader takes.

    Args:
        value: Numbers, texts, lists and maps of any nesting, dates, paths, NumPy's numbers.
        indent: Spaces for each level; all on one line where absent.

    Returns:
        JSON. A number that is not finite becomes null, since JSON has none; a date its ISO form,
        anything else that JSON does not know its text.
    """
    return json.dumps(plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """The value in the types that JSON has."""
    if value is None or isinstance(value, str | bool):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:  # NumPy's or torch's number
        return plain(value.item())
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    return _text(value)


def _text(value: Any) -> Any:
    for method in ("tolist", "isoformat", "iso_format"):  # arrays, Python's dates, the driver's
        if hasattr(value, method):
            made = getattr(value, method)()
            return made if isinstance(made, str) else plain(made)
    return str(value)
