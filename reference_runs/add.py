"""Make a finished run one that ships with the project, or a printed history.

    python -m reference_runs.add RUN NAME [--runs DIR]
    python -m reference_runs.add --printed CSV
    python -m reference_runs.add --measure DATA

A run that ships has its settings, versions, device, data with its checksum, seed and date, the
history with its batch figures thinned, the network without the optimiser's state, the predictions
and the rule for pictures of none of its classes; no checkpoint and no path of the machine that
trained it. `check` in its environment holds what the network says of `check_pictures`, so that a
test can tell that the two belong together without CIFAR-10.

With --measure the networks that ship are asked anew for their own training images: the end of each
log then tells their train accuracy, dropout off, as a run of today does.

A printed history is what the tutorial's author measured: figures of each epoch, no network.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cifar_core.config import PRESETS, preset_of
from cifar_core.data import CIFAR10_CLASSES, Dataset, load_data
from cifar_core.data.dataset import sample
from cifar_core.data.download import SHA256
from cifar_core.network.out_of_distribution import calibrate
from cifar_core.network.predict import predict_probabilities
from cifar_core.runs.events import (
    BatchEvent,
    EpochEvent,
    Event,
    RunState,
    StateEvent,
    from_line,
    to_line,
)
from cifar_core.runs.run import Run
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from cifar_core.training import device
from cifar_core.training.split import split
from cifar_core.workers.worker import TRAIN_SAMPLE

ROOT = Path(__file__).resolve().parent
BATCH_EVENTS = 400


def check_pictures() -> np.ndarray:
    """Ten pictures of coloured patches, coarse to fine, from a formula: uint8 (10, 32, 32, 3)."""
    rng = np.random.default_rng(10)
    pictures = []
    for size in (1, 2, 4, 8, 16, 1, 2, 4, 8, 16):
        patches = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
        pictures.append(patches.repeat(32 // size, axis=0).repeat(32 // size, axis=1))
    return np.stack(pictures)


def thin(batches: Sequence[BatchEvent], most: int) -> list[BatchEvent]:
    """At most about so many events, each the mean over those it stands for, by their steps."""
    width = -(-len(batches) // most)
    before = [0, *(event.step for event in batches)]
    thinned = []
    for epoch in sorted({event.epoch for event in batches}):
        own = [i for i, event in enumerate(batches) if event.epoch == epoch]
        for first in range(0, len(own), width):
            part = [batches[i] for i in own[first : first + width]]
            steps = [batches[i].step - before[i] for i in own[first : first + width]]
            loss, accuracy, speed = (
                float(np.average([getattr(event, name) for event in part], weights=steps))
                for name in ("loss", "accuracy", "images_per_second")
            )
            thinned.append(replace(part[-1], loss=loss, accuracy=accuracy, images_per_second=speed))
    return thinned


def add(run: Run, name: str, root: Path = ROOT) -> Run:
    """A copy of a finished run, fit to ship, below `root`."""
    summary, history, predictions = Summary.of(run), run.history(), run.predictions()
    if summary.state is not RunState.FINISHED or predictions is None:
        raise SystemExit(f"only a finished run can ship. Received: {run.id}: {summary.state}.")
    environment = summary.environment
    model = run.load_model()
    check = predict_probabilities(model, check_pictures())
    new = RunStore(root).create(summary.config, name)
    new.save_environment(
        {
            **environment,
            "platform": environment["platform"].split("-")[0],
            "spec": "",
            "data": {**environment["data"], "location": ""},
            "preset": preset_of(summary.config),
            "check": [[round(share, 6) for share in row] for row in check.tolist()],
        }
    )
    events: list[Event] = [*thin(history.batches, BATCH_EVENTS), *history.epochs, *history.rates]
    events += [history.states[0], history.states[-1]]
    for event in sorted(events, key=lambda event: event.time):
        new.append(event)
    new.save_model(model)
    new.save_predictions(predictions)
    data = load_data(environment["spec"])
    new.save_novelty(calibrate(model, data.x_train, data.x_test, predictions))
    return new


def measure(run: Run, data: Dataset) -> float:
    """Let a shipped run's end tell the train accuracy of its network, which is given back."""
    predictions = run.predictions()
    model = run.load_model()
    found = predict_probabilities(model, data.x_test).argmax(axis=1)
    if predictions is None or (found != predictions.predicted).any():
        raise SystemExit(f"the images must be the run's own. Received: others than {run.id}'s.")
    learned = sample(split(len(data.x_train), run.config())[0], TRAIN_SAMPLE)
    right = predict_probabilities(model, data.x_train[learned]).argmax(axis=1)
    accuracy = float((right == data.y_train[learned]).mean())
    log = run.path / "events.jsonl"
    *before, end = log.read_text(encoding="utf-8").splitlines()
    event = from_line(end)
    if not isinstance(event, StateEvent):
        raise SystemExit(f"a run that ships ends with a state. Received: {run.id}.")
    event = replace(event, train_accuracy=accuracy, train_images=len(learned))
    log.write_text("\n".join([*before, to_line(event)]), encoding="utf-8")
    (run.path / "status.json").unlink(missing_ok=True)  # what it told is in the log
    return accuracy


def add_printed(path: Path, root: Path = ROOT) -> list[Run]:
    """The tutorial's two printed histories as runs below `root`."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    added = []
    for name in ("baseline", "dropout"):
        new = RunStore(root).create(PRESETS[f"tutorial-{name}"], f"printed-{name}")
        new.save_environment(
            {
                "tensorflow": "2.6.2",
                "device": "CPU of the tutorial's author",
                "spec": "",
                "data": {
                    "kind": "official",
                    "name": "CIFAR-10",
                    "location": "",
                    "checksum": f"sha256:{SHA256}",
                },
                "preset": f"tutorial-{name}",
                "classes": list(CIFAR10_CLASSES),
                "train_images": 50_000,
                "test_images": 10_000,
            }
        )
        time = 0.0  # nobody noted the day
        for row in (row for row in rows if row["run"] == name):
            time += float(row["seconds"])
            epoch = EpochEvent(
                time=time,
                step=int(row["epoch"]) * 1563,
                epoch=int(row["epoch"]),
                loss=float(row["loss"]),
                accuracy=float(row["accuracy"]),
                val_loss=float(row["val_loss"]),
                val_accuracy=float(row["val_accuracy"]),
                seconds=float(row["seconds"]),
            )
            new.append(epoch)
        end = StateEvent(
            time=time,
            state=RunState.FINISHED,
            message="as the tutorial printed it",
            epoch=epoch.epoch,
            train_accuracy=epoch.accuracy,
            test_loss=epoch.val_loss,  # the test set validates
            test_accuracy=epoch.val_accuracy,
            seconds=time,
        )
        new.append(end)
        added.append(new)
    return added


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", metavar="RUN")
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="where RUN lies")
    parser.add_argument("--measure", metavar="DATA", help="images of the runs that ship")
    parser.add_argument("--printed", type=Path, metavar="CSV", help="the tutorial's figures")
    options = parser.parse_args()
    device.use_cpu()
    if options.measure:
        for folder in sorted(ROOT.glob("*/model.keras")):
            run = Run(folder.parent, is_reference=True)
            print(f"{run.id}: {measure(run, load_data(options.measure)):.2%}")
        return
    if options.printed:
        added = add_printed(options.printed)
    elif options.run and options.name:
        added = [add(RunStore(options.runs).get(options.run), options.name)]
    else:
        parser.error("name a run and what it shall be called, or --printed")
    for run in added:
        size = sum(file.stat().st_size for file in run.path.iterdir())
        print(f"{run.path.name}: {Summary.of(run).test_accuracy:.2%}, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
