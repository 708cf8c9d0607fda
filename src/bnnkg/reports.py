"""What commands tell people at length: an ingest, a training, the demonstration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from bnnkg.console import write_table
from bnnkg.settings import Settings

if TYPE_CHECKING:
    from bnnkg.ingest import FileReport
    from bnnkg.ingest.report import ConfigurationReport
    from bnnkg.workflows.demonstration import Answer, Demonstration
    from bnnkg.workflows.ingestion import IngestOutcome


def write_ingest(outcome: IngestOutcome, out: IO[str]) -> None:
    """Writes an ingest's report for people: every source, every file, and what they come to."""
    for report in outcome.reports:
        told = [report.status, report.model, outcome.change(report.source), report.reason]
        out.write(f"{report.source}: {', '.join(part for part in told if part)}\n")
        if report.configurations:
            _write_configurations(report.configurations, out)
        for missing in report.missing:
            out.write(f"not in the graph: {missing}\n")
        if report.files:
            _write_files(report.files, out)
        out.writelines(f"{remark}\n" for remark in outcome.remarks(report.source))
        out.write("\n")
    for name, counts in (("nodes", outcome.nodes), ("edges", outcome.edges)):
        shown = ", ".join(f"{count:,} {type_}" for type_, count in counts.items()) or "none"
        out.write(f"{name}: {shown}\n")


def write_training(result: Mapping[str, Any], out: IO[str]) -> None:
    """Writes what came of a training for people.

    Args:
        result: What ``bnnkg train --json`` prints.
        out: Where to.
    """
    gate = result["gate"]
    verdict = "above chance" if gate["passed"] else "NOT above chance"
    out.write(f"run {result['run']}\n")
    out.write(f"held out: {result['split']}\n")
    for model, reason in result["left_out"].items():
        out.write(f"left out: {model}: {reason}\n")
    out.write("\n")
    write_table(score_columns(result), out, whole=True)
    out.write(f"\n{gate['metric']} {gate['value']:.3f} is {verdict} ({gate['chance']:.3f})\n")
    if result["agreement"] is not None:
        n_seeds = len(result["seeds"])
        out.write(f"{n_seeds} seeds agree at {result['agreement']:.2f} (rank correlation)\n")
    out.write(f"trained in {result['seconds']:.0f} s\n")


def score_columns(result: Mapping[str, Any]) -> dict[str, list[Any]]:
    """A row per metric: the network's beside chance and the baselines."""
    metrics = list(result["held_out"])
    columns = {
        "metric": metrics,
        "BGAN": [result["held_out"][name] for name in metrics],
        "sd": [result["held_out_sd"].get(name) for name in metrics],
        "chance": [result["chance"].get(name) for name in metrics],
    }
    if result.get("ceiling"):
        columns["ceiling"] = [result["ceiling"].get(name) for name in metrics]
    for baseline, scores in result["baselines"].items():
        columns[baseline] = [scores.get(name) for name in metrics]
    return columns


def write_planted(result: Mapping[str, Any], out: IO[str]) -> None:
    """Writes how well scores find what decides, a table for each task.

    Args:
        result: What ``bnnkg benchmark planted --json`` prints.
        out: Where to.
    """
    for task in dict.fromkeys(row["task"] for row in result["rows"]):
        own = [row for row in result["rows"] if row["task"] == task]
        predicted = {one["control"]: one for one in result["outcomes"] if one["task"] == task}
        told = ", ".join(f"{name} {_spread(one['auroc'])}" for name, one in predicted.items())
        out.write(f"{task} (AUROC of outcomes: {told})\n\n")
        write_table(_planted_table(own), out, whole=True)
        out.write(f"without the truth, {result['written'][task]} would be written\n")
        out.write("\n")


def _planted_table(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """A row per score: AUROC and average precision of the network, AUROC of its controls."""
    by_control: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        by_control.setdefault(row["control"], {})[row["score"]] = row
    trained = by_control["none"]
    columns: dict[str, list[Any]] = {
        "score": list(trained),
        "AUROC": [_spread(row["auroc"]) for row in trained.values()],
        "AP": [_spread(row["ap"]) for row in trained.values()],
    }
    for control in by_control:
        if control != "none":
            of_control = by_control[control]
            columns[control] = [_spread(of_control[name]["auroc"]) for name in trained]
    columns["chosen on validation"] = ["yes" if r["chosen"] else "" for r in trained.values()]
    return columns


def write_comparison(result: Mapping[str, Any], out: IO[str]) -> None:
    """Writes how networks compare for people.

    Args:
        result: What ``bnnkg benchmark models --json`` prints.
        out: Where to.
    """
    for model, reason in result["left_out"].items():
        out.write(f"left out: {model}: {reason}\n")
    write_table(comparison_columns(result), out, whole=True)
    out.write(f"\n{result['verdict']}\n")
    out.writelines(f"{path}\n" for path in result["files"])


def comparison_columns(result: Mapping[str, Any]) -> dict[str, list[str]]:
    """A row per network, the best first."""
    rows = result["rows"]
    return {
        "model": [row["model"] for row in rows],
        "group": [row["group"] for row in rows],
        f"{result['metric']} (mean ± sd)": [_spread(row["held_out"]) for row in rows],
        "n": [str(row["held_out"]["n"]) for row in rows],
        "above BGAN": [_spread(row["above"], "+") if row["above"] else "-" for row in rows],
        "validation": [_spread(row["validation"]) if row["validation"] else "-" for row in rows],
        "parameters": [f"{row['parameters']:,}" for row in rows],
        "epochs": [f"{row['epochs']['mean']:.1f}" for row in rows],
        "CPU s": [f"{row['cpu_s']['mean']:.1f}" for row in rows],
        "wall s": [f"{row['wall_s']['mean']:.1f}" for row in rows],
    }


def comparison_markdown(columns: Mapping[str, Sequence[str]], verdict: str) -> str:
    """The table as Markdown, with what it says."""
    lines = [list(columns), ["---"] * len(columns), *map(list, zip(*columns.values(), strict=True))]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + f"\n{verdict}\n"


def _spread(summary: Mapping[str, float], sign: str = "") -> str:
    return f"{summary['mean']:{sign}.3f} ± {summary['sd']:.3f}"


def write_demonstration(demonstration: Demonstration, address: str | None, out: IO[str]) -> None:
    """Writes the demonstration: what was done, the answers with their queries, what to try.

    Args:
        demonstration: What was done.
        address: Where Neo4j Browser is; absent where nobody knows.
        out: Where to.
    """
    nodes, edges = demonstration.loaded["nodes"], demonstration.loaded["edges"]
    out.write("The nervous system of C. elegans\n")
    out.write(f"{sum(nodes.values()):,} nodes and {sum(edges.values()):,} edges in the graph\n\n")
    write_training(demonstration.training, out)
    for number, answer in enumerate(demonstration.answers, start=1):
        _write_answer(number, answer, _db_option(demonstration), out)
    _write_next_steps(demonstration, address, out)


def demonstration_json(demonstration: Demonstration, address: str | None) -> dict[str, Any]:
    """The demonstration as plain values."""
    return {
        "loaded": demonstration.loaded,
        "training": demonstration.training,
        "annotation": demonstration.annotation,
        "answers": [
            {
                "title": answer.question.title,
                "query": answer.question.query,
                "parameters": {"model": answer.model, **answer.question.parameters},
                "cypher": answer.cypher,
                "rows": list(answer.table.rows()) if answer.table else None,
                "statistics": list(answer.statistics.rows()) if answer.statistics else None,
                "remark": answer.question.remark,
            }
            for answer in demonstration.answers
        ],
        "database": demonstration.database,
        "browser": address,
    }


def _write_configurations(configurations: Sequence[ConfigurationReport], out: IO[str]) -> None:
    """A row per way to run the code: what it recovered, what it took, or why it failed."""
    columns: dict[str, list[Any]] = {
        "entry": ["; ".join([one.entry, *one.commands]) for one in configurations],
        "status": [one.status for one in configurations],
        "recovered": [
            ", ".join(f"{n:,} {what}" for what, n in one.recovered.items())
            for one in configurations
        ],
        "by": ["; ".join(one.fallbacks) for one in configurations],
        "reason": [one.reason for one in configurations],
    }
    write_table(columns, out, whole=True)


def _write_files(files: Sequence[FileReport], out: IO[str]) -> None:
    counts = [[sum(fates) for fates in zip(*file.by_class.values(), strict=True)] for file in files]
    columns: dict[str, list[Any]] = {
        "file": [file.path for file in files],
        "status": [file.status for file in files],
    }
    for place, fate in enumerate(("loaded", "kept", "skipped")):
        columns[fate] = [count[place] if count else 0 for count in counts]
    columns["reason"] = [file.reason for file in files]
    write_table(columns, out, whole=True)
    for file in files:
        for note in file.notes:
            out.write(f"{file.path}: {note}\n")


def _db_option(demonstration: Demonstration) -> str:
    """What commands that are to be typed need to find the same database."""
    is_default = demonstration.database == Settings().db
    return "" if is_default else f" --db {demonstration.database}"


def _write_answer(number: int, answer: Answer, db: str, out: IO[str]) -> None:
    question = answer.question
    out.write(f"\n{number}. {question.title}\n")
    for table in (answer.table, answer.statistics):
        if table is not None:
            out.write("\n")
            write_table(table.columns, out, whole=True)
    out.write(f"\n{question.remark}\n\n")
    parameters = {"model": answer.model, **question.parameters}
    given = "".join(f" --param {name}={value}" for name, value in parameters.items())
    out.write(f"  $ bnnkg query {question.query}{given}{db}\n\n")
    for line in answer.cypher.strip().splitlines():
        if not line.startswith("//"):
            out.write(f"    {line}\n")


def _write_next_steps(demonstration: Demonstration, address: str | None, out: IO[str]) -> None:
    db = _db_option(demonstration)
    steps = {
        f"bnnkg db open{db}": f"Neo4j Browser on this graph{f', at {address}' if address else ''}",
        f"bnnkg queries{db}": "what else can be asked",
        f"bnnkg query sections_of_neuron -p neuron=AVAL{db}": "one neuron, section by section",
        f"bnnkg runs show {demonstration.training['run']}{db}": "the run, with all its scores",
        f"bnnkg ingest FILE_OR_FOLDER{db}": "models of your own",
        f"bnnkg db stop{db}": "stop the database; it stops by itself, too",
    }
    width = max(map(len, steps))
    out.write("\nTry next:\n")
    for command, meaning in steps.items():
        out.write(f"  $ {command.ljust(width)}  {meaning}\n")
