"""Calls of the tracker `wandb`; see serve.py of @grok/track."""

import glob
import io
import os
import struct

# Nothing but the run's own data leaves this process, and in offline mode nothing at all.
os.environ.setdefault("WANDB_SILENT", "true")
os.environ.setdefault("WANDB_CONSOLE", "off")
os.environ["WANDB_ERROR_REPORTING"] = "false"

import wandb

run = None
BLOCK, FULL, LAST = 32768, 1, 4


def open(project, name, group, kind, config, id, step, mode, entity=None, dir=None):
    global run
    known = last_step(id, dir) if mode == "offline" and step is not None else None
    run = wandb.init(
        project=project,
        entity=entity,
        name=name,
        id=id,
        group=group,
        job_type=kind,
        config=config,
        dir=dir,
        mode=mode,
        resume="allow" if mode == "online" else None,
        settings=wandb.Settings(
            console="off",
            disable_git=True,
            disable_code=True,
            x_disable_meta=True,
            x_disable_stats=True,
            init_timeout=20,
        ),
    )
    if mode == "online":
        known = run.step - 1 if run.step else 0
    return {"id": run.id, "step": known}


def last_step(id, dir):
    """The last step in the files that earlier processes wrote for a run; None without any."""
    root = os.path.join(dir or os.environ.get("WANDB_DIR") or ".", "wandb")
    files = glob.glob(os.path.join(glob.escape(root), f"*-{id}", f"run-{id}.wandb"))
    steps = [item.step.num for file in files for item in read_history(file)]
    return max(steps, default=None)


def read_history(file):
    """The history records of a `.wandb` file: LevelDB's log format after seven bytes of W&B's own."""
    from wandb.proto.wandb_internal_pb2 import Record

    with io.open(file, "rb") as source:
        data = source.read()
    at, parts = 7, b""
    while at + 7 <= len(data):
        if BLOCK - at % BLOCK < 7:  # no room for another header
            at += BLOCK - at % BLOCK
            continue
        _crc, length, kind = struct.unpack_from("<IHB", data, at)
        if kind == 0 or at + 7 + length > len(data):  # a kill cut it short
            return
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (FULL, LAST):
            record = Record()
            record.ParseFromString(parts)
            parts = b""
            if record.WhichOneof("record_type") == "history":
                yield record.history


def log(rows):
    for step, values in rows:
        numbers = {key: float("nan") if value is None else value for key, value in values.items()}
        run.log(numbers, step=step)


def artifact(path, content):
    file = os.path.basename(path)
    made = wandb.Artifact(f"{run.id}-{file.removesuffix('.json').replace('+', '_')}", type="analysis")
    with made.new_file(file, mode="w", encoding="utf-8") as to:
        to.write(content)
    run.log_artifact(made)


def close(status):
    global run
    run.finish(exit_code=1 if status == "failed" else 0)
    run = None


def end():
    if run is not None:
        run.finish()
