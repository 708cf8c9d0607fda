"""NeuroML's XML schema, as libNeuroML ships it."""

from __future__ import annotations

import functools
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

NEUROML2 = "http://www.neuroml.org/schema/neuroml2"
VERSION = "2.3"


def xsd_path() -> Path:
    """Where the schema file is; libNeuroML itself is not imported for it."""
    spec = find_spec("neuroml")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "nml" / f"NeuroML_v{VERSION}.xsd"


@functools.cache
def xml_schema() -> etree.XMLSchema:
    """The schema, compiled once."""
    return etree.XMLSchema(etree.parse(str(xsd_path())))
