"""How asking a server fails: for good, for now, or in vain."""

from __future__ import annotations

from bnnkg.errors import SourceError


class AbsentError(SourceError):
    """The server has nothing there, or not for everyone."""


class UnansweredError(SourceError):
    """The server gave no proper answer, however often it was asked."""


class PassingError(SourceError):
    """One attempt failed in a way that may pass.

    Attributes:
        retry_after_s: How long the server asks to wait.
        was_heard: Whether the server said anything at all.
        got_further: Whether the attempt brought much that the next one goes on from.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str,
        retry_after_s: float | None = None,
        was_heard: bool = True,
    ) -> None:
        self.retry_after_s = retry_after_s
        self.was_heard = was_heard
        self.got_further = False
        super().__init__(what, where=where)


def check_size(n_bytes: int | None, most_bytes: int, where: str) -> None:
    """Raises SourceError where a file is larger, or is said to be, than what is fetched."""
    if n_bytes is not None and n_bytes > most_bytes:
        raise SourceError(
            "what the server sends is too large",
            where=where,
            expected=f"at most {most_bytes} bytes",
            found=f"{n_bytes} bytes or more",
        )
