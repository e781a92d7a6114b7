"""One file of a dataset that was checked."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "unverified", "missing", "wrong", "extra"]


@dataclass(frozen=True)
class Finding:
    """One file, what is the matter with it, and why."""

    file: str
    status: Status
    detail: str = ""
