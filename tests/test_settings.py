"""Settings: what goes before what, where each value came from, and what is refused."""

from pathlib import Path

import platformdirs
import pytest

from bnnkg.errors import UsageError
from bnnkg.settings import SETTINGS, Settings


@pytest.fixture(autouse=True)
def user_folder(tmp_path, monkeypatch):
    """A user's configuration folder of the test's own."""
    folder = tmp_path / "config"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    (platformdirs.user_config_path("bnnkg", appauthor=False)).mkdir(parents=True)
    return platformdirs.user_config_path("bnnkg", appauthor=False)


@pytest.fixture
def work(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_defaults_need_no_file_and_no_environment(work):
    settings = Settings.load(folder=work, environ={})
    assert (settings.db, settings.user, settings.password) == ("./bnnkg.db", "neo4j", None)
    assert settings.is_local
    assert not settings.origins


def test_a_flag_goes_before_the_environment_and_that_before_the_file(work):
    (work / "bnnkg.toml").write_text('db = "from-file"\nuser = "file"\ncatalogue = "sqlite:///f"\n')
    environ = {"BNNKG_DB": "from-environment", "BNNKG_USER": "environment"}
    settings = Settings.load(folder=work, environ=environ, db="from-flag")
    assert (settings.db, settings.user, settings.catalogue) == (
        "from-flag",
        "environment",
        "sqlite:///f",
    )
    assert settings.origins == {
        "db": "flag --db",
        "user": "environment BNNKG_USER",
        "catalogue": f"file {work / 'bnnkg.toml'}",
    }


def test_the_working_folders_file_goes_before_the_users(work, user_folder):
    (user_folder / "bnnkg.toml").write_text('user = "of the user"\n')
    assert Settings.load(folder=work, environ={}).user == "of the user"
    (work / "bnnkg.toml").write_text('user = "of the folder"\n')
    assert Settings.load(folder=work, environ={}).user == "of the folder"


def test_paths_in_a_file_are_relative_to_it(work, tmp_path):
    (work / "bnnkg.toml").write_text(f'db = "worm.db"\ncache = "c"\nneo4j_home = "{tmp_path}/n"\n')
    settings = Settings.load(folder=work, environ={})
    assert settings.home == work / "worm.db"
    assert settings.cache == work / "c"
    assert settings.neo4j_home == tmp_path / "n"


def test_a_url_in_a_file_stays_as_it_is(work):
    (work / "bnnkg.toml").write_text('db = "neo4j+s://graph.example:7687"\n')
    assert Settings.load(folder=work, environ={}).db == "neo4j+s://graph.example:7687"


def test_an_empty_variable_is_none(work):
    assert Settings.load(folder=work, environ={"BNNKG_DB": ""}).db == "./bnnkg.db"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('dbb = "x"', "dbb is no setting"),
        ("db = 3", "db has a value of another type"),
        ('password = "secret"', "password is no setting"),
        ("db = ", "do not parse"),
    ],
)
def test_a_bad_file_is_an_error_that_says_where(work, text, told):
    (work / "bnnkg.toml").write_text(text)
    with pytest.raises(UsageError, match=told) as caught:
        Settings.load(folder=work, environ={})
    assert caught.value.where == str(work / "bnnkg.toml")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("db", ["http://localhost:7474", "sqlite:///x", ""])
def test_other_databases_are_refused(work, db):
    with pytest.raises(UsageError, match="no database is reached"):
        Settings.load(folder=work, environ={}, db=db)


@pytest.mark.parametrize("scheme", ["bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc"])
def test_a_url_is_a_server(work, scheme):
    settings = Settings.load(folder=work, environ={"BNNKG_DB": f"{scheme}://host"})
    assert not settings.is_local
    with pytest.raises(UsageError, match="local database"):
        _ = settings.home


def test_the_catalogue_stands_beside_a_local_database_and_else_in_the_users_data(work, monkeypatch):
    local = Settings(db=str(work / "worm.db"))
    assert local.catalogue_url == f"sqlite:///{work / 'worm.db' / 'catalogue.sqlite'}"
    monkeypatch.setenv("XDG_DATA_HOME", str(work / "data"))
    server = Settings(db="bolt://host")
    assert server.data_folder == platformdirs.user_data_path("bnnkg", appauthor=False)
    assert server.runs_folder == server.data_folder / "runs"
    assert Settings(catalogue="postgresql://h/n").catalogue_url == "postgresql://h/n"


def test_the_password_comes_from_the_environment_or_a_file(work):
    path = work / "password"
    path.write_text("of the file\n")
    environ = {"BNNKG_PASSWORD_FILE": str(path)}
    assert Settings.load(folder=work, environ=environ).read_password() == "of the file"
    environ["BNNKG_PASSWORD"] = "of the environment"
    assert Settings.load(folder=work, environ=environ).read_password() == "of the environment"


def test_a_password_file_that_is_missing_is_told(work):
    settings = Settings.load(folder=work, environ={"BNNKG_PASSWORD_FILE": "nowhere"})
    with pytest.raises(UsageError, match="nowhere: the password file cannot be read"):
        settings.read_password()


def test_no_password_is_shown(work):
    environ = {"BNNKG_PASSWORD": "s3cret", "BNNKG_CATALOGUE": "postgresql://me:s3cret@host/name"}
    settings = Settings.load(folder=work, environ=environ)
    assert "s3cret" not in str(settings.described())
    assert "s3cret" not in repr(settings)
    assert settings.described()["catalogue"]["value"] == "postgresql://me:***@host/name"
    assert settings.described()["password"] == {
        "value": "set",
        "from": "environment BNNKG_PASSWORD",
    }


def test_every_setting_is_described(work):
    assert list(Settings.load(folder=work, environ={}).described()) == list(SETTINGS)
    assert set(SETTINGS) | {"origins"} == set(Settings.__dataclass_fields__)


def test_the_cache_is_the_users_unless_set(work, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(work))
    assert Settings().cache_folder == platformdirs.user_cache_path("bnnkg", appauthor=False)
    assert Settings(cache=Path("x")).cache_folder == Path("x")
