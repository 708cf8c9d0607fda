"""From a source to a ParsedModel: the one path that every source takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from lxml import etree

from bnnkg.errors import SourceError
from bnnkg.ingest.annotations import document_annotations, joined
from bnnkg.ingest.definitions import Definitions
from bnnkg.ingest.documents import Collection, Document, collect_documents
from bnnkg.ingest.hdf5_networks import read_networks
from bnnkg.ingest.identity import content_version
from bnnkg.ingest.kept import kept_reason
from bnnkg.ingest.library import Entry, Library
from bnnkg.ingest.markup import local_name
from bnnkg.ingest.networks import Networks
from bnnkg.ingest.neuron.joining import add_neuron
from bnnkg.ingest.neuron.reading import NeuronReading, read_neuron
from bnnkg.ingest.parsed import InputTable, NetworkHead, ParsedModel, Population
from bnnkg.ingest.report import ElementCounts, FileReport, SourceReport, SourceStatus, code_failed
from bnnkg.ingest.simulations import add_simulations
from bnnkg.ingest.sources import Source, open_tree
from bnnkg.ingest.temperatures import add_kinetics_at_network_temperatures
from bnnkg.ingest.xml_networks import NetworkReader
from bnnkg.progress import Progress, silent


def read_source(
    source: Source,
    *,
    execute: bool = False,
    cache: Path | None = None,
    progress: Progress = silent,
) -> ParsedModel:
    """Reads everything that a source holds.

    One bad file never stops it: what could not be read is in the report.

    Args:
        source: What to read.
        execute: Runs its NEURON code, in the sandbox, and takes what it has built by the first
            time step.
        cache: Folder for compiled mechanisms; absent for none kept.
        progress: Told of every file.

    Raises:
        SandboxError: Code is to be run, and there is no sandbox to run it in.
    """
    try:
        tree = open_tree(source)
        found = collect_documents(tree, progress)
    except SourceError as error:
        return _failed(source, error)
    library = Library(found.documents)
    definitions = Definitions(library, source.key)
    definitions.read_all()
    networks = Networks(definitions)
    _read_networks(networks, found, library, progress)
    _add_unused_inputs(networks)
    add_kinetics_at_network_temperatures(networks)
    add_simulations(networks, library, found.documents.values())
    first = (len(networks.heads), len(networks.populations), len(definitions.inputs))
    neuron = read_neuron(tree, source, first=first, execute=execute, cache=cache, progress=progress)
    if neuron is not None:
        found.reports.update(neuron.reports)
        add_neuron(neuron, definitions, networks)
    if not networks.heads and definitions.cells:
        _add_implicit(networks)
    return _model(source, found, definitions, networks, neuron)


def _failed(source: Source, error: SourceError) -> ParsedModel:
    reason = error.line()
    name = source.path.name
    report = SourceReport(
        source.given or str(source.path), None, "static", "failed", reason, [],
        [FileReport(name, "failed", reason)], single_file=True, cause=error.what,
    )  # fmt: skip
    return ParsedModel(source, "", "neuroml2", 0, report)


def _read_networks(
    networks: Networks, found: Collection, library: Library, progress: Progress
) -> None:
    by_document: dict[str, list[Entry]] = {path: [] for path in found.documents}
    for entry in library.entries():
        if entry.kind == "network":
            by_document[entry.document.path].append(entry)
    for done, path in enumerate(sorted(found.documents)):
        document = found.documents[path]
        progress("reading networks", done, len(by_document), path)
        for entry in by_document[path]:
            NetworkReader(networks, entry).read()
        if document.kind == "hdf5":
            _read_hdf5(networks, document)
    progress("reading networks", len(by_document), len(by_document))


def _read_hdf5(networks: Networks, document: Document) -> None:
    try:
        read_networks(networks, document)
    except SourceError as error:
        document.account.problem(error.line())


def _add_unused_inputs(networks: Networks) -> None:
    """Inputs that the source defines and aims at nothing: a Stimulus each, without a target."""
    definitions = networks.definitions
    for entry in definitions.unused_inputs():
        model = definitions.input_of(entry)
        path = definitions.inputs[model].path
        networks.inputs.append(InputTable(path, model, np.zeros(1, np.int64), None, np.ones(1)))


def _add_implicit(networks: Networks) -> None:
    """One neuron for each cell of a source that holds no network at all."""
    networks.heads.append(NetworkHead("implicit", "implicit", implicit=True))
    for definition in networks.definitions.definitions:
        if definition.label == "Cell":
            networks.populations.append(
                Population(
                    network=0,
                    id=definition.id,
                    path=f"implicit/{definition.path}",
                    cell_uid=definition.uid,
                    offset_um=definition.offset_um,
                    instance_ids=("0",),
                    xyz_um=None,
                    implicit=True,
                )
            )


def _model(
    source: Source,
    found: Collection,
    definitions: Definitions,
    networks: Networks,
    neuron: NeuronReading | None,
) -> ParsedModel:
    documents = found.documents
    hashes = [(path, d.sha256) for path, d in documents.items()]
    hashes += neuron.hashes.items() if neuron is not None else ()
    executed = neuron is not None and neuron.parts is not None
    tier = "executed" if executed else "static"
    said = joined(document_annotations(p, d.root, d.account) for p, d in documents.items())
    # The same files, read and run, are two versions: they do not have the same content.
    version = content_version([*hashes, *([("", b"executed")] if executed else [])])
    reports = dict(found.reports)
    reports.update({path: _file_report(document) for path, document in documents.items()})
    files = [reports[path] for path in sorted(reports)]
    kinds = {"lems" if d.kind == "lems" else "neuroml2" for d in documents.values()}
    has_content = bool(definitions.definitions or networks.heads or definitions.inputs)
    report = SourceReport(
        source=source.given or str(source.path),
        model=f"{source.key}@{version}" if has_content else None,
        tier=tier,
        status=_status(files, found, has_content, neuron),
        reason=_reason(files, found, has_content, neuron),
        missing=[*sorted(found.missing), *(neuron.missing if neuron else ())],
        files=files,
        single_file=source.path.is_file() and source.path.suffix.lower() != ".zip",
        cause=_cause(files, found, has_content, neuron),
        configurations=neuron.configurations if neuron else (),
    )
    return ParsedModel(
        source=source,
        version=version,
        format=_format(kinds, neuron),
        n_files=sum(file.status == "loaded" for file in files),
        report=report,
        mechanisms=tuple(definitions.mechanisms.values()),
        synapses=tuple(definitions.synapses.values()),
        cells=tuple(definitions.cells.values()),
        definitions=tuple(definitions.definitions),
        inputs=tuple(definitions.inputs),
        networks=tuple(networks.heads),
        populations=tuple(networks.populations),
        projections=tuple(networks.projections),
        input_tables=tuple(networks.inputs),
        kept_elements=tuple(_kept_elements(documents, definitions)),
        known_missing=tuple(neuron.missing) if neuron else (),
        annotations=said,
        readme=neuron.readme if neuron else None,
        run_hints=neuron.run_hints if neuron else (),
    )


def _kept_elements(documents: dict[str, Document], definitions: Definitions) -> Iterator[str]:
    """What stands at the top of documents and in no definition: file, class, number."""
    raws = "\n".join(one.raw for one in definitions.definitions if one.raw)
    for path, document in sorted(documents.items()):
        kept = Counter(
            local_name(element)
            for element in document.root
            if not document.account.took(element)
            and local_name(element) not in ("include", "Include")
            and not _is_quoted(element, raws)
        )
        yield from (f"{path}: {name} {n}" for name, n in sorted(kept.items()))


def _is_quoted(element: etree._Element, raws: str) -> bool:
    """Whether a component type is part of what a definition keeps as written."""
    return local_name(element) == "ComponentType" and f'name="{element.get("name")}"' in raws


def _format(kinds: set[str], neuron: NeuronReading | None) -> str:
    if neuron is not None and neuron.has_content:
        return "mixed" if kinds else "neuron"
    return kinds.pop() if len(kinds) == 1 else "neuroml2+lems"


def _file_report(document: Document) -> FileReport:
    account = document.account
    by_class = {name: ElementCounts(*counts) for name, counts in account.by_class().items()}
    loaded = any(count.loaded for count in by_class.values())
    notes = [*account.problems, *dict.fromkeys(account.notes)]
    reason = kept_reason(by_class)
    if loaded:
        return FileReport(document.path, "loaded", reason, by_class, notes)
    return FileReport(
        document.path, "kept", reason or "the document holds nothing", by_class, notes
    )


def _problems(found: Collection) -> list[tuple[str, str]]:
    return [(p, text) for p, d in sorted(found.documents.items()) for text in d.account.problems]


def _status(
    files: list[FileReport], found: Collection, has_content: bool, neuron: NeuronReading | None
) -> SourceStatus:
    failed = any(file.status == "failed" for file in files)
    if not has_content:
        in_vain = neuron is not None and code_failed(neuron.cause)
        return "failed" if failed or in_vain or _problems(found) else "skipped"
    incomplete = neuron is not None and bool(neuron.reason or neuron.missing)
    flawed = failed or found.missing or _problems(found) or incomplete
    return "partial" if flawed else "loaded"


def _reason(
    files: list[FileReport], found: Collection, has_content: bool, neuron: NeuronReading | None
) -> str:
    if not files:
        return "there is no file in it"
    reasons = []
    failed = [file for file in files if file.status == "failed"]
    if failed:
        reasons.append(_counted(len(failed), "file", "could not be read") + f": {failed[0].reason}")
    if found.missing:
        reasons.append(_counted(len(found.missing), "include", f"missing: {found.missing[0]}"))
    problems = _problems(found)
    if problems:
        reasons.append(
            _counted(len(problems), "element", f"not loaded as written: {problems[0][1]}")
        )
    if neuron is not None and neuron.reason:
        reasons.append(neuron.reason)
    if not has_content and not reasons:
        skipped = [file.reason for file in files if file.reason]
        return f"nothing in it is a model that is read: {skipped[0]}" if skipped else "it is empty"
    return "; ".join(reasons)


def _cause(
    files: list[FileReport], found: Collection, has_content: bool, neuron: NeuronReading | None
) -> str:
    """Why it is not whole, in words that are the same for all sources that are not for it."""
    causes = [neuron.cause if neuron is not None else ""]
    causes += ["files that cannot be read"] if any(f.status == "failed" for f in files) else []
    causes += ["includes that lead nowhere"] if found.missing else []
    causes += ["elements that are not loaded as written"] if _problems(found) else []
    causes += [] if has_content else ["nothing in it is a model that is read"]
    return next(filter(None, causes), "")


def _counted(n: int, what: str, text: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'} {text}"
