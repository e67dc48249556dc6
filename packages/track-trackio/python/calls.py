"""Calls of the tracker `trackio`; see serve.py of @grok/track."""

import os
import pathlib
import tempfile
import time

# Runs stay on this machine: nothing is looked up or told elsewhere.
os.environ.update(
    GRADIO_ANALYTICS_ENABLED="False",
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_OFFLINE="1",
)
for name in ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL"):
    os.environ.pop(name, None)

import trackio
from trackio.sqlite_storage import SQLiteStorage

run = None
# Seconds that its thread may take to write rows to the database.
WRITING = 10


def open(project, name, group, kind, config, id, step):
    global run
    run = trackio.init(
        project=project,
        # Runs are told apart by their names.
        name=f"{name}-{id.rsplit('-', 1)[-1]}",
        group=group,
        config=config,
        resume="allow",
        embed=False,
        auto_log_cpu=False,
        auto_log_gpu=False,
    )
    return {"id": id, "step": last_step() or 0}


def last_step():
    return SQLiteStorage.get_max_step_for_run(run.project, run.name, run_id=run.id)


def log(rows):
    for step, values in rows:
        numbers = {key: float("nan") if value is None else value for key, value in values.items()}
        run.log(numbers, step=step)
    end = time.monotonic() + WRITING
    while (last_step() or 0) < rows[-1][0]:
        if time.monotonic() > end:
            raise TimeoutError(f"the database took no rows for {WRITING} s")
        time.sleep(0.05)


def artifact(path, content):
    file = os.path.basename(path)
    with tempfile.TemporaryDirectory() as folder:
        at = pathlib.Path(folder, file)
        at.write_text(content, encoding="utf-8")
        stem = file.removesuffix(".json").replace("+", "_")
        run.log_artifact(str(at), name=f"{run.name}-{stem}".replace("@", "-"), type="analysis")


def close(status):
    global run
    run.finish()
    run = None


def end():
    if run is not None:
        run.finish()
