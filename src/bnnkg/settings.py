"""Where the database, the catalogue and the caches are: flag, environment, file, default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bnnkg.errors import UsageError

FILE_NAME = "bnnkg.toml"
MODELDB_URL = "https://modeldb.science"
SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")


@dataclass(frozen=True)
class Setting:
    """One thing that can be set.

    Attributes:
        name: Key in the file, and field of ``Settings``.
        meaning: What it says, in one line.
        default: What holds where nobody says otherwise, in words.
        kind: ``path`` and ``place`` (a path or a URL) are relative to the file that names them.
        in_file: Whether the file may have it.
    """

    name: str
    meaning: str
    default: str
    kind: Literal["text", "path", "place"] = "text"
    in_file: bool = True

    @property
    def variable(self) -> str:
        """Name of its environment variable."""
        return f"BNNKG_{self.name.upper()}"


SETTINGS: dict[str, Setting] = {
    s.name: s
    for s in (
        Setting("db", "Folder of a local database, or URL of any Neo4j", "./bnnkg.db", "place"),
        Setting("user", "User of the database at a URL", "neo4j"),
        Setting("password", "Password of that user; never in the file", "none", in_file=False),
        Setting("password_file", "File that holds that password", "none", "path"),
        Setting(
            "catalogue",
            "SQLAlchemy URL of the catalogue of ingests and runs",
            "SQLite in the data folder",
        ),
        Setting(
            "cache",
            "Folder for downloads and for what can be computed again",
            "the user's cache folder",
            "path",
        ),
        Setting("modeldb_url", "Address of ModelDB, or of a copy of it", MODELDB_URL),
        Setting(
            "neo4j_home",
            "Folder of an installed Neo4j that stands in for the downloaded one",
            "none",
            "path",
        ),
    )
}


@dataclass(frozen=True)
class Settings:
    """What every command needs to know before it starts.

    Attributes:
        db: Folder of a local database, or URL of any Neo4j.
        user: User of the database at a URL.
        password: Password of that user.
        password_file: File that holds it.
        catalogue: SQLAlchemy URL; absent for SQLite in the data folder.
        cache: Folder for downloads; absent for the user's cache folder.
        modeldb_url: Address of ModelDB.
        neo4j_home: Folder of an installed Neo4j.
        origins: Where each value that is no default came from, by name.
    """

    db: str = "./bnnkg.db"
    user: str = "neo4j"
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None
    catalogue: str | None = field(default=None, repr=False)  # its URL may hold a password
    cache: Path | None = None
    modeldb_url: str = MODELDB_URL
    neo4j_home: Path | None = None
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        scheme, separator, _ = self.db.partition("://")
        if not self.db or (separator and scheme not in SCHEMES):
            raise UsageError(
                "no database is reached that way",
                where=self.origins.get("db"),
                expected="a folder, or a URL that starts with "
                + ", ".join(f"{s}://" for s in SCHEMES),
                found=repr(self.db and f"{scheme}://"),
            )

    @classmethod
    def load(
        cls,
        *,
        folder: Path | None = None,
        environ: Mapping[str, str] | None = None,
        **flags: str | None,
    ) -> Settings:
        """Collects the settings: a flag goes before the environment, that before the file.

        The file is ``bnnkg.toml`` in the working folder, or else in the user's configuration
        folder.

        Args:
            folder: The working folder.
            environ: The environment.
            flags: Values by name; None where the flag was not given.

        Raises:
            UsageError: The file does not parse, or has an unknown key or a value of another type.
        """
        environ = os.environ if environ is None else environ
        values, origins = _from_file(folder or Path.cwd())
        for setting in SETTINGS.values():
            if environ.get(setting.variable):
                values[setting.name] = environ[setting.variable]
                origins[setting.name] = f"environment {setting.variable}"
            if flags.get(setting.name) is not None:
                values[setting.name] = str(flags[setting.name])
                origins[setting.name] = f"flag --{setting.name}"
        typed: dict[str, Any] = {name: _typed(name, text) for name, text in values.items()}
        return cls(**typed, origins=origins)

    @property
    def is_local(self) -> bool:
        """Whether the database is one that bnnkg runs itself."""
        return "://" not in self.db

    @property
    def home(self) -> Path:
        """The local database's folder, absolute.

        Raises:
            UsageError: The database is at a URL.
        """
        if not self.is_local:
            raise UsageError(
                "this needs a local database",
                where=self.db,
                expected="a folder",
                hint="leave out --db, or give it a folder",
            )
        return Path(self.db).expanduser().absolute()

    @property
    def data_folder(self) -> Path:
        """What belongs to the database and is not in it: beside a local one, else the user's."""
        if self.is_local:
            return self.home
        import platformdirs

        return platformdirs.user_data_path("bnnkg", appauthor=False)

    @property
    def runs_folder(self) -> Path:
        """Holds a folder for each run, named by its id."""
        return self.data_folder / "runs"

    @property
    def catalogue_url(self) -> str:
        """SQLAlchemy URL of the catalogue."""
        return self.catalogue or f"sqlite:///{self.data_folder / 'catalogue.sqlite'}"

    @property
    def cache_folder(self) -> Path:
        """For downloads and for what can be computed again."""
        if self.cache is not None:
            return self.cache
        import platformdirs

        return platformdirs.user_cache_path("bnnkg", appauthor=False)

    def read_password(self) -> str | None:
        """The password of a database at a URL; absent where none is set.

        Raises:
            UsageError: The password file cannot be read.
        """
        if self.password is not None or self.password_file is None:
            return self.password
        try:
            return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                "the password file cannot be read",
                where=str(self.password_file),
                found=getattr(error, "strerror", None) or "bytes that are no UTF-8 text",
                hint=f"see {self.origins.get('password_file', 'password_file')}",
            ) from error

    def described(self) -> dict[str, dict[str, str]]:
        """Every setting's value and where it came from, the password left out."""
        values: dict[str, Any] = {name: getattr(self, name) for name in SETTINGS}
        values["password"] = "set" if self.password is not None else None
        values["catalogue"] = _without_password(self.catalogue_url)
        values["cache"] = self.cache_folder
        return {
            name: {
                "value": "" if value is None else str(value),
                "from": self.origins.get(name, "default"),
            }
            for name, value in values.items()
        }


def _from_file(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    path = folder / FILE_NAME
    if not path.is_file():
        import platformdirs

        path = platformdirs.user_config_path("bnnkg", appauthor=False) / FILE_NAME
        if not path.is_file():
            return {}, {}
    values = {key: _checked(path, key, value) for key, value in _read_toml(path).items()}
    return values, dict.fromkeys(values, f"file {path}")


def _read_toml(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            "the settings do not parse", where=str(path), expected="TOML", found=str(error)
        ) from error
    except OSError as error:
        raise UsageError(
            "the settings cannot be read", where=str(path), found=error.strerror
        ) from error


def _checked(path: Path, key: str, value: object) -> str:
    setting = SETTINGS.get(key)
    if setting is None or not setting.in_file:
        known = ", ".join(s.name for s in SETTINGS.values() if s.in_file)
        hint = "set BNNKG_PASSWORD, or password_file here" if key == "password" else None
        raise UsageError(
            f"{key} is no setting of this file", where=str(path), expected=known, hint=hint
        )
    if not isinstance(value, str):
        raise UsageError(
            f"{key} has a value of another type",
            where=str(path),
            expected="a text in quotes",
            found=repr(value),
        )
    if setting.kind == "path" or (setting.kind == "place" and "://" not in value):
        return str(path.parent / Path(value).expanduser())
    return value


def _typed(name: str, text: str) -> str | Path:
    return Path(text).expanduser() if SETTINGS[name].kind == "path" else text


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    credentials, at, address = rest.rpartition("@")
    user = credentials.partition(":")[0]
    return f"{scheme}{separator}{user}{':***' if ':' in credentials else ''}{at}{address}"
