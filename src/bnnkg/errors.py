"""One tree of exceptions; each says where, what was expected, what was found and what to do."""

from __future__ import annotations


class BnnkgError(Exception):
    """Something went wrong that a user can understand and act on.

    Args:
        what: One sentence: what went wrong.
        where: File and line, model, query or address that it concerns.
        expected: What would have been right.
        found: What was there instead.
        hint: What to do about it.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.found = found
        self.hint = hint
        super().__init__(self.message())

    def message(self) -> str:
        """The whole message, a line for each part that is known."""
        return "\n  ".join(self._parts())

    def line(self) -> str:
        """The whole message in one line, as a report has one for each file."""
        return "; ".join(" ".join(part.split()) for part in self._parts())

    def _parts(self) -> list[str]:
        head = f"{self.where}: {self.what}" if self.where else self.what
        parts = [("expected", self.expected), ("found", self.found), ("to do", self.hint)]
        return [head, *(f"{name}: {text}" for name, text in parts if text)]


class UsageError(BnnkgError):
    """The command or call was used in a way that cannot work."""

    exit_code = 2


class SchemaError(BnnkgError):
    """Records or a query do not fit the declared graph."""


class SourceError(BnnkgError):
    """A source of models, or one file of it, cannot be read."""


class UnsupportedSourceError(SourceError):
    """A source is sound, but of a kind that is not read (it is skipped, not failed)."""


class QuantityError(SourceError):
    """A physical quantity has no number, or a unit of another dimension."""


class StoreError(BnnkgError):
    """The graph database refused, or gave an answer that cannot be right."""


class StoreUnavailableError(StoreError):
    """No database answers at the address."""


class StoreAuthError(StoreError):
    """The database answers, but not to these credentials."""


class StoreVersionError(StoreError):
    """The database, or the graph in it, was made by a version that this one cannot read."""


class ServerError(StoreError):
    """The local server cannot be installed, started or stopped."""


class UnknownModelError(StoreError):
    """No model of that key is in the graph."""


class ModelChangedError(StoreError):
    """A model is not the version that a run was trained on."""


class QueryError(BnnkgError):
    """A query does not parse, misses a parameter, or fails in the database."""


class UnknownQueryError(QueryError):
    """The library has no query of that name."""


class WriteRefusedError(QueryError):
    """A query would change the database, or reach outside it, in read-only mode."""


class TrainingError(BnnkgError):
    """A run cannot be trained, resumed or read."""


class UnknownRunError(TrainingError):
    """The catalogue has no run of that id."""


class AtChanceError(TrainingError):
    """A run's held-out score is not above chance, so its attention says nothing."""


class SandboxError(BnnkgError):
    """Code of a model cannot be run, for there is no sandbox to run it in."""


class CatalogueError(BnnkgError):
    """The catalogue's database cannot be opened, or was made by a newer version."""


class InterruptedByUserError(BnnkgError):
    """The user stopped the command."""

    exit_code = 130
