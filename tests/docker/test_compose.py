"""compose.yaml against the compose specification's JSON schema."""

import json
from copy import deepcopy
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "docker"


@pytest.fixture(scope="module")
def validator():
    """The schema as the package check-jsonschema carries it."""
    package = pytest.importorskip(
        "check_jsonschema", reason="check-jsonschema, which carries the schema, is not installed"
    )
    path = resources.files(package) / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))


def test_compose_file_fits_the_specification(validator, compose):
    assert [error.message for error in validator.iter_errors(compose)] == []


def test_the_schema_does_refuse(validator, compose):
    broken = deepcopy(compose)
    broken["services"]["neo4j"]["prots"] = ["7474:7474"]
    assert "prots" in next(validator.iter_errors(broken)).message


def test_services_fit_each_other(compose):
    neo4j, bnnkg = compose["services"]["neo4j"], compose["services"]["bnnkg"]
    assert bnnkg["environment"]["BNNKG_DB"] == "bolt://neo4j:7687"
    assert "neo4j" in bnnkg["depends_on"]
    assert neo4j["image"].startswith("neo4j:5.26")
    used = {v.split(":")[0] for s in compose["services"].values() for v in s["volumes"]}
    assert used - {"${MODELS"} == set(compose["volumes"])


def test_ports_are_open_to_this_machine_only(compose):
    ports = [port for s in compose["services"].values() for port in s.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_password_is_not_in_the_file(compose):
    assert compose["services"]["neo4j"]["environment"]["NEO4J_AUTH"].startswith(
        "neo4j/${BNNKG_PASSWORD:?"
    )


def test_the_build_finds_its_files(compose):
    build = compose["services"]["bnnkg"]["build"]
    context = (FOLDER / build["context"]).resolve()
    lines = (context / build["dockerfile"]).read_text(encoding="utf-8").splitlines()
    copied = [
        name
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    ]
    assert copied
    assert all((context / name).exists() for name in copied)
