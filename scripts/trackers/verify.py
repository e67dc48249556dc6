"""Reads runs back by each tool's own Python package, and compares them with `metrics.jsonl`.

`verify.py read KIND JSON` prints `[[step, {name: value}], ...]`, NaN as null.
`verify.py compare FILE` reads a list of runs and prints a line a check: `ok ...` or `FAILED ...`.
"""

import importlib.util
import json
import math
import os
import pathlib
import struct
import sys
import tempfile

CALLS = pathlib.Path(__file__).parents[2] / "packages/track-wandb/python/calls.py"


def read_tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    events = EventAccumulator(folder, size_guidance={"tensors": 0})
    events.Reload()
    rows = {}
    for tag in events.Tags()["tensors"]:
        plugin = events.SummaryMetadata(tag).plugin_data.plugin_name
        if plugin != "scalars":
            continue
        for event in events.Tensors(tag):
            value = make_ndarray(event.tensor_proto)
            assert value.dtype == "float64", value.dtype
            put(rows, event.step, tag, value.item())
    return rows


def beside_scalars(folder, run):
    """What is wrong with the histograms, pictures and hyperparameters of an event file."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata
    from tensorboard.util.tensor_util import make_ndarray

    events = EventAccumulator(folder, size_guidance={"tensors": 0})
    events.Reload()
    tags = {name: events.PluginTagToContent(name) for name in ("histograms", "images", "hparams")}
    for tag in tags["histograms"]:
        for event in events.Tensors(tag):
            bins = make_ndarray(event.tensor_proto)
            if bins.shape[1:] != (3,) or bins[:, 2].sum() < 1 or (bins[:, 0] > bins[:, 1]).any():
                return f"histogram {tag} of step {event.step} has no bins"
    for tag in tags["images"]:
        for event in events.Tensors(tag):
            width, height, png = make_ndarray(event.tensor_proto)
            if png[:8] != b"\x89PNG\r\n\x1a\n" or struct.unpack(">II", png[16:24]) != (int(width), int(height)):
                return f"picture {tag} of step {event.step} is no PNG of {width} x {height}"
    start = tags["hparams"][metadata.SESSION_START_INFO_TAG]
    hparams = metadata.parse_session_start_info_plugin_data(start).hparams
    experiment = json.loads(pathlib.Path(run, "config.json").read_text("utf-8"))["experiment"]
    if hparams["seed"].number_value != experiment["seed"]:
        return f"hyperparameter seed is {hparams['seed']}"
    if hparams["task.use"].string_value != experiment["task"]["use"]:
        return f"hyperparameter task.use is {hparams['task.use']}"
    missing = [name for name, found in tags.items() if not found]
    return f"has no {missing}" if missing else None


def read_mlflow(uri, id):
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    rows = {}
    for name in client.get_run(id).data.metrics:
        for point in client.get_metric_history(id, name):
            put(rows, point.step, name, point.value)
    return rows


def read_wandb(dir, id):
    spec = importlib.util.spec_from_file_location("calls", CALLS)
    calls = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(calls)
    rows = {}
    for file in sorted(pathlib.Path(dir, "wandb").glob(f"offline-run-*-{id}/run-{id}.wandb")):
        for history in calls.read_history(str(file)):
            for item in history.item:
                name = item.key or item.nested_key[0]
                if not name.startswith("_"):
                    put(rows, history.step.num, name, json.loads(item.value_json))
    return rows


def read_trackio(dir, project, name):
    os.environ.update(TRACKIO_DIR=dir, HF_HUB_OFFLINE="1", GRADIO_ANALYTICS_ENABLED="False")
    from trackio.sqlite_storage import SQLiteStorage

    rows = {}
    for log in SQLiteStorage.get_logs(project, name):
        for key, value in log.items():
            if key not in ("step", "timestamp"):
                put(rows, log["step"], key, value)
    return rows


READERS = {
    "tensorboard": read_tensorboard,
    "mlflow": read_mlflow,
    "wandb": read_wandb,
    "trackio": read_trackio,
}


def put(rows, step, name, value):
    """Doubles are as wrong as a value that is missing."""
    row = rows.setdefault(step, {})
    if name in row:
        raise ValueError(f"{name} of step {step} is there twice")
    row[name] = value


def numbers(name, value, found):
    if value is None or isinstance(value, (int, float)) and not isinstance(value, bool):
        found[name] = math.nan if value is None else value
    if isinstance(value, dict):
        for key, item in value.items():
            numbers(f"{name}/{key}", item, found)


def read_metrics(run):
    rows = {}
    for line in pathlib.Path(run, "metrics.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        found = {"epoch": row["epoch"]}
        for part in ("train", "terms", "validation", "trainEval", "probes", "time"):
            if part in row:
                numbers(part, row[part], found)
        rows[row["step"]] = found
    return rows


def bits(value):
    """The bits of a float64; every NaN is one."""
    number = float(value)
    return "nan" if math.isnan(number) else struct.pack(">d", number).hex()


def labels_mlflow(uri, id):
    from mlflow import MlflowClient

    tags = MlflowClient(uri).get_run(id).data.tags
    names = {"name": "grok.study", "arm": "grok.arm", "role": "grok.role"}
    return {key: tags.get(name) for key, name in names.items()}


def artifacts_mlflow(uri, id, run):
    """What differs from the analyses of the run's folder."""
    from mlflow import MlflowClient

    wrong = []
    for file in sorted(pathlib.Path(run, "analysis").glob("*.json")):
        with tempfile.TemporaryDirectory() as to:
            there = MlflowClient(uri).download_artifacts(id, f"analysis/{file.name}", to)
            if pathlib.Path(there).read_bytes() != file.read_bytes():
                wrong.append(file.name)
    return wrong


def compare(run, kind, given, study=None):
    if kind == "mlflow" and study:
        wanted = {key: study[key] for key in ("name", "arm", "role")}
        if labels_mlflow(**given) != wanted:
            return f"has labels {labels_mlflow(**given)}, the run {wanted}"
    if kind == "mlflow" and artifacts_mlflow(run=run, **given):
        return f"artifacts differ: {artifacts_mlflow(run=run, **given)}"
    if kind == "tensorboard" and (problem := beside_scalars(run=run, **given)):
        return problem
    rows, wanted = READERS[kind](**given), read_metrics(run)
    if sorted(rows) != sorted(wanted):
        return f"has steps {sorted(rows)[:5]}..., the run {sorted(wanted)[:5]}..."
    for step, row in wanted.items():
        if sorted(rows[step]) != sorted(row):
            return f"step {step}: has {sorted(rows[step])}, the run {sorted(row)}"
        for name, value in row.items():
            if bits(rows[step][name]) != bits(value):
                return f"step {step}: {name} is {rows[step][name]!r}, the run has {value!r}"
    return None


def main():
    if sys.argv[1] == "read":
        rows = READERS[sys.argv[2]](**json.loads(sys.argv[3]))
        print(json.dumps(sorted(rows.items())).replace("NaN", "null"))
        return
    for run in json.loads(pathlib.Path(sys.argv[2]).read_text("utf-8")):
        try:
            problem = compare(**run)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        title = f"{run['kind']}: {run['run']}"
        print(f"FAILED {title}: {problem}" if problem else f"ok {title}", flush=True)


main()
