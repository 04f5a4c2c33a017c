"""The command line: python -m cifar_core data | train | runs | evaluate | predict | export."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from dataclasses import Field, asdict, fields
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from .analysis import evaluation
from .analysis.calibration import BINS, reliability
from .analysis.significance import accuracy_interval
from .config import PRESETS, TrainingConfig, names_of, option_of, setting_from_text
from .data import absolute, load_data
from .errors import CifarError, ConfigError, ImageError, RunError, RunNotWritable, counted, reason
from .export import FORMS, export
from .percent import percent
from .process import ERROR_PREFIX
from .runs.events import EpochEvent, Event, LogEvent, RateEvent, RunState, StateEvent
from .runs.groups import spread, validation_accuracy
from .runs.run import Run
from .runs.store import RunStore
from .runs.summary import Summary
from .spelling import meant, nearest
from .training import device
from .training.split import check
from .workers import warm
from .workers.launch import prepare_resume
from .workers.slots import slots
from .workers.worker import execute


class Parser(argparse.ArgumentParser):
    """Takes other spellings of options; errors are one line, without the usage before it.

    Attributes:
        spellings: options, and the one that each stands for.
    """

    def __init__(self, **more: Any) -> None:
        self.spellings: dict[str, str] = {}
        super().__init__(**more)

    def add_argument(self, *names: Any, also: Sequence[str] = (), **more: Any) -> argparse.Action:
        added = super().add_argument(*names, **more)
        if added.help != argparse.SUPPRESS:
            self.spellings |= {option: option for option in added.option_strings}
        for other in also:
            self.spellings |= {other: names[0], f"--no{other[1:]}": f"--no{names[0][1:]}"}
        return added

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        args = sys.argv[1:] if args is None else args
        known, left = super().parse_known_args(list(map(self._named, args)), namespace)
        for option in left:
            if option.startswith("-"):
                hint = nearest(option.partition("=")[0], self.spellings)
                self.error(f"there is no option {option}. {hint}".rstrip())
        return known, left

    def _named(self, word: str) -> str:
        """An option's own name, whatever its spelling; any other word as it is."""
        option, equals, value = word.partition("=")
        return meant(option, self.spellings) + equals + value if option[:2] == "--" else word

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


_PARSER = Parser(prog="python -m cifar_core", description="Train networks on CIFAR-10.")
_COMMANDS = _PARSER.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)

_Command = Callable[[argparse.Namespace], int]
_Option = tuple[tuple[str, ...], dict[str, Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0; 2 for what the user got wrong, after one line on standard error; 1 for a run that
        failed; 130 for Ctrl-C.
    """
    options = _PARSER.parse_args(arguments)
    try:
        return int(options.command(options))
    except CifarError as error:
        print(f"{ERROR_PREFIX}{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - nothing more to print to
        return 0


def _command(help: str, example: str, *options: _Option) -> Callable[[_Command], _Command]:
    """Make a function a command, named as its example begins."""

    def add(command: _Command) -> _Command:
        added = _COMMANDS.add_parser(
            example.split()[0],
            help=help,
            description=help,
            epilog=f"example: python -m cifar_core {example}",
        )
        added.set_defaults(command=command)
        for names, more in (_JSON, *options):
            added.add_argument(*names, **more)
        return command

    return add


def _option(*names: str, **more: Any) -> _Option:
    return names, more


def argument_of(spec: Field[Any]) -> _Option:
    """A setting's option: its names, and what else `Parser.add_argument` takes."""
    kind = type(spec.default)
    own, *others = map(option_of, names_of(spec))
    also = f"; also {', '.join(others)}" if others else ""
    return _option(
        own,
        also=others,
        help=f"{spec.metadata['help']}; {spec.metadata['rule']} "
        f"(default: {spec.default}, or the preset's{also})".replace("%", "%%"),
        **(
            {"action": argparse.BooleanOptionalAction}
            if kind is bool
            else {"type": partial(setting_from_text, spec), "metavar": kind.__name__.upper()}
        ),
    )


def _images(default: str) -> _Option:
    return _option(
        "--data",
        metavar="auto|official|synthetic|PATH",
        help="the images: 'auto' takes CIFAR-10 where it lies, else fetches it; a PATH is a "
        f"folder, zip, npz or the official archive (default: {default})",
    )


_JSON = _option("--json", action="store_true", help="print one JSON document and nothing else")
_RUN = _option("run", metavar="RUN")
_STORE = _option(
    "--runs",
    metavar="DIR",
    type=Path,
    help="the folder of runs (default: CIFAR10_RUNS, else ./runs)",
)


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _print_json(document: Any) -> int:
    print(json.dumps(document, indent=1))
    return 0


def _data_of(options: argparse.Namespace) -> str:
    return options.data or os.environ.get("CIFAR10_DATA") or "auto"


def _progress(what: str, done: int, total: int) -> None:
    """A line that overwrites itself, on a terminal only."""
    if sys.stderr.isatty():
        share = f"{done / total:4.0%}" if total else f"{done:,}"
        end = "\n" if done == total else ""
        print(f"\r{what} {share}", end=end, file=sys.stderr, flush=True)


@_command(
    "show what the images are, fetching them if need be", "data", _images("CIFAR10_DATA, else auto")
)
def _data(options: argparse.Namespace) -> int:
    data = load_data(_data_of(options), progress=_progress)
    about = {
        "source": data.source.to_json(),
        "classes": list(data.class_names),
        "x_train": list(data.x_train.shape),
        "y_train": list(data.y_train.shape),
        "x_test": list(data.x_test.shape),
        "y_test": list(data.y_test.shape),
        "dtype": str(data.x_train.dtype),
    }
    if options.json:
        return _print_json(about)
    print(f"{data.source.name} ({data.source.kind}) {data.source.location}".rstrip())
    print(data.source.checksum)
    print(f"train {data.x_train.shape}, test {data.x_test.shape}, {data.x_train.dtype}")
    print(f"classes {', '.join(data.class_names)}")
    if data.source.resized:
        print(f"cropped and resized to 32x32: {counted(data.source.resized, 'picture')}")
    return 0


@_command(
    "train a network and keep everything about it in a run",
    "train --preset tutorial-dropout --epochs 5",
    _images("CIFAR10_DATA, else auto"),
    _STORE,
    _option(
        "--preset",
        type=lambda text: meant(text, {name: name for name in PRESETS}),
        choices=PRESETS,
        help="settings to start from",
    ),
    _option("--name", default="", help="the run's name (default: time and preset)"),
    _option(
        "--resume", metavar="RUN", help="go on with a run that has ended, to --epochs if given"
    ),
    _option("--run", help=argparse.SUPPRESS),  # a run the dashboard has made already
    _option("--wait", action="store_true", help=argparse.SUPPRESS),  # as workers.warm says
    *map(argument_of, fields(TrainingConfig)),
)
def _train(options: argparse.Namespace) -> int:
    if options.wait:
        command = warm.wait()
        return main(command) if command else 0
    runs, data = _runs_to_train(options)
    summaries = []
    for make, epochs in runs:
        run = make()
        if not options.run:
            _say(f"run {run.id}")
        if _train_one(run, data, epochs, options) is RunState.FAILED:
            return 1
        summaries.append(Summary.of(run))
        if summaries[-1].state is not RunState.FINISHED:
            break
    if options.json and len(runs) == 1:
        return _print_json(_summary_json(summaries[0]))
    accuracies = {
        "validation_accuracy": spread(validation_accuracy(one) for one in summaries),
        "test_accuracy": spread(one.test_accuracy for one in summaries),
    }
    if options.json:
        documents = [_summary_json(summary) for summary in summaries]
        means = {name: asdict(found) for name, found in accuracies.items() if found}
        return _print_json({"runs": documents, **means})
    for summary in summaries:
        print(f"{summary.state} after {counted(summary.epochs, 'epoch')}{_figures(summary)}")
    for name, found in accuracies.items() if len(runs) > 1 else ():
        if found and found.deviation is not None:
            name = name.replace("_", " ")
            print(
                f"{name} of {found.count} folds: mean {percent(found.mean)}, standard deviation "
                f"{100 * found.deviation:.2f} points"
            )
    return 0


def _given_settings(options: argparse.Namespace) -> dict[str, Any]:
    given = {spec.name: getattr(options, spec.name) for spec in fields(TrainingConfig)}
    return {name: value for name, value in given.items() if value is not None}


def _runs_to_train(options: argparse.Namespace) -> tuple[list[tuple[Callable[[], Run], int]], str]:
    """What gives each run that `train` is to carry out, its epochs; and the images of all.

    Each is made when its turn comes: one without a worker would read 'interrupted'.
    """
    store, data = RunStore(options.runs), absolute(_data_of(options))
    given = _given_settings(options)
    if options.resume:
        others = [option_of(name) for name in given if name != "epochs"]
        others += [f"--{name}" for name in ("preset", "name") if getattr(options, name)]
        if others:
            raise ConfigError(
                f"a run goes on with its own settings; only --epochs can be changed. "
                f"Received: {', '.join(others)}; start a new run for those."
            )
    if options.run or options.resume:
        run = store.get(options.run or options.resume)
        if options.resume:
            own_data = prepare_resume(run, options.epochs)
            data = options.data or own_data or data
        epochs = given.get("epochs", run.config().epochs)
        return [(lambda: run, epochs)], data
    preset = PRESETS[options.preset].to_json() if options.preset else {}
    config = TrainingConfig.from_json({**preset, **given})
    asked = config.runs()
    images = len(load_data(data, progress=_progress).x_train)
    for one in asked:  # before a run is made for nothing
        check(images, one)
    if config.device == "gpu":
        with device.quiet():
            device.need_gpu(device.find_device())
    names = [options.name] * len(asked)
    if options.name and len(asked) > 1:
        names = [f"{options.name}-fold{one.fold}" for one in asked]
    for name in filter(None, names):
        store.check_name(name)
    named = zip(asked, names, strict=True)
    return [(partial(store.create, one, name, data), one.epochs) for one, name in named], data


def _figures(summary: Summary) -> str:
    accuracy = summary.test_accuracy
    return "" if accuracy is None else f": test accuracy {percent(accuracy)} ({summary.data_name})"


def _train_one(run: Run, data: str, epochs: int, options: argparse.Namespace) -> RunState:
    """Carry one run out and report it on standard error."""

    def report(event: Event) -> None:
        if isinstance(event, LogEvent):
            _say(event.message)
        elif isinstance(event, RateEvent):
            _say(f"learning rate changed to {event.learning_rate:g}")
        elif isinstance(event, StateEvent) and event.state is RunState.QUEUED:
            _say(f"waiting for another run to end, {event.message} (CIFAR10_SLOTS={slots()})")
        elif isinstance(event, EpochEvent):
            _say(
                f"epoch {event.epoch}/{epochs}  {event.seconds:.0f} s  "
                f"loss {event.loss:.4f}  accuracy {percent(event.accuracy)}  "
                f"val_loss {event.val_loss:.4f}  val_accuracy {percent(event.val_accuracy)}"
            )

    try:
        end = execute(run, data, report, epochs)
        state, why = end.state, end.message
    except RunNotWritable as error:
        state, why = RunState.FAILED, str(error)
    except CifarError:
        raise
    except Exception as error:
        if options.run:  # the worker's log keeps what a developer needs
            raise
        state, why = RunState.FAILED, f"{type(error).__name__}: {error}".splitlines()[0]
    if state is RunState.FAILED:
        _say(f"{ERROR_PREFIX}the run failed: {why}")
    return state


def _summary_json(summary: Summary) -> dict[str, Any]:
    return {
        "run": summary.run.id,
        "state": summary.state,
        "epochs": summary.epochs,
        "test_accuracy": summary.test_accuracy,
        "test_loss": summary.test_loss,
        "seconds": summary.seconds,
        "data": summary.data_name,
        "config": summary.config.to_json(),
        "problems": list(summary.problems),
    }


@_command("list the runs, newest first", "runs --json", _STORE)
def _runs(options: argparse.Namespace) -> int:
    store = RunStore(options.runs)
    listing = store.look()
    summaries = listing.summaries
    if options.json:
        found = [_summary_json(summary) for summary in summaries]
        none = dict.fromkeys(found[0] if found else ("run",))
        broken = [
            {**none, "run": one.id, "state": "unreadable", "problems": [one.reason]}
            for one in listing.unreadable
        ]
        return _print_json(found + broken)
    if not summaries and not listing.unreadable:
        print(f"no runs yet in {store.root}; start one: python -m cifar_core train")
    for summary in summaries:
        accuracy = summary.test_accuracy
        figure = "      -" if accuracy is None else f"{percent(accuracy):>7}"
        epochs = f"{counted(summary.epochs, 'epoch'):>10}"
        print(f"{summary.run.id:<40} {summary.state:<11} {epochs} {figure}  {summary.data_name}")
        for problem in summary.problems:
            print(f"  {problem}")
    for one in listing.unreadable:
        print(f"{one.id:<40} cannot be read: {one.reason}")
    return 0


@_command(
    "figures of a run on its test set", "evaluate 20261124-073431-tutorial-dropout", _RUN, _STORE
)
def _evaluate(options: argparse.Namespace) -> int:
    run = RunStore(options.runs).get(options.run)
    predictions, summary = run.predictions(), Summary.of(run)
    if predictions is None or summary.test_accuracy is None:
        raise RunError(
            f"a run is evaluated once it has ended. Received: {run.id}, which is {summary.state}; "
            f"wait for its end or choose another one."
        )
    matrix = evaluation.confusion_matrix(predictions)
    figures = dict(zip(summary.class_names, evaluation.per_class(matrix), strict=True))
    accuracy = evaluation.accuracy(predictions)
    loss = evaluation.cross_entropy(predictions)
    low, high = accuracy_interval(predictions)
    calibration_error = reliability(predictions).calibration_error
    if options.json:
        return _print_json(
            {
                "run": run.id,
                "data": summary.data_name,
                "accuracy": accuracy,
                "loss": loss,
                "interval": [low, high],
                "calibration_error": calibration_error,
                "confusion_matrix": matrix.tolist(),
                "per_class": {name: asdict(row) for name, row in figures.items()},
            }
        )
    print(f"{summary.data_name}: test accuracy {percent(accuracy)}, loss {loss:.4f}")
    print(
        f"95 % interval of the accuracy {percent(low)} to {percent(high)}, "
        f"expected calibration error {percent(calibration_error)} ({BINS} bins)"
    )
    print(f"{'':<12}{'precision':>10}{'recall':>10}{'f1':>10}{'images':>8}")
    for name, row in figures.items():
        shares = "".join(f"{percent(one):>10}" for one in (row.precision, row.recall, row.f1))
        print(f"{name:<12}{shares}{row.images:>8}")
    return 0


@_command(
    "classify a test image or pictures of your own",
    "predict 20261124-073431-tutorial-dropout photo.jpg",
    _RUN,
    _option("images", metavar="IMAGE", nargs="*", type=Path, help="picture files"),
    _option("--index", metavar="I", type=int, help="a test image, from 0"),
    _option("--random", action="store_true", help="a test image drawn at random"),
    _images("the images the run was trained on"),
    _STORE,
)
def _predict(options: argparse.Namespace) -> int:
    asked = [options.index is not None, options.random, bool(options.images)]
    if sum(asked) != 1:
        raise ConfigError(
            "predict takes one of --index I, --random or picture files. "
            f"Received: {sum(asked)} of them."
        )
    run = RunStore(options.runs).get(options.run)
    found = _read_pictures(options.images) if options.images else [_test_image(options, run)]

    from .network.out_of_distribution import is_known
    from .network.predict import predict_probabilities

    with device.quiet():
        device.use_cpu()
    model = run.load_model()
    images = np.stack([pixels for _, _, _, pixels in found])
    probabilities = predict_probabilities(model, images)
    known = is_known(run.novelty(), model, images, probabilities).tolist()
    names = run.class_names()
    answers = [
        {
            "image": image,
            "index": index,
            "label": names[row.argmax()],
            "known": is_one,
            "probabilities": dict(zip(names, row.tolist(), strict=True)),
            "true_label": true_label,
        }
        for (image, index, true_label, _), row, is_one in zip(
            found, probabilities, known, strict=True
        )
    ]
    if options.json:
        return _print_json(answers)
    for answer in answers:
        true = f" (truly {answer['true_label']})" if answer["true_label"] else ""
        label = answer["label"] if answer["known"] else "likely none of the classes"
        print(f"{answer['image'] or 'test image ' + str(answer['index'])}: {label}{true}")
        for name, share in sorted(answer["probabilities"].items(), key=lambda item: -item[1]):
            print(f"  {name:<12} {percent(share):>7}")
    return 0


_Found = tuple[str | None, int | None, str | None, np.ndarray]  # file, index, true label, pixels


def _read_pictures(paths: list[Path]) -> list[_Found]:
    from .data.images import read_image, to_network_size

    found: list[_Found] = []
    for path in paths:
        try:
            found.append((str(path), None, None, to_network_size(read_image(path.read_bytes()))))
        except OSError as error:
            raise ImageError(
                f"the picture must be a file that can be read. Received: {path} "
                f"({reason(error)}); check the path."
            ) from error
        except ImageError as error:
            raise ImageError(f"{path}: {error}") from error
    return found


def _test_image(options: argparse.Namespace, run: Run) -> _Found:
    environment = run.environment()
    spec = options.data or environment.get("spec") or _data_of(options)
    data = load_data(spec, progress=_progress)
    if data.class_names != run.class_names():
        raise RunError(
            f"the images must be of the run's classes. Received: {', '.join(data.class_names)}; "
            f"name the run's own images with --data."
        )
    images = len(data.x_test)
    index = secrets.randbelow(images) if options.random else options.index
    if not 0 <= index < images:
        raise ConfigError(f"--index must be from 0 to {images - 1}. Received: {index}.")
    return None, index, data.class_names[data.y_test[index]], data.x_test[index]


@_command(
    "write a run in a form that other programs read",
    "export 20261124-073431-tutorial-dropout --to tflite --output cat.tflite",
    _RUN,
    _option(
        "--to",
        required=True,
        choices=FORMS,
        help=", ".join(f"{to} ({form.about})" for to, form in FORMS.items())
        + "; all networks but keras's have softmax behind them",
    ),
    _option(
        "--output",
        metavar="PATH",
        type=Path,
        help=f"the file to make; of {' and '.join(to for to in FORMS if FORMS[to].is_folder)} a "
        "folder, or a zip where it ends in '.zip' (default: the run's name, here)",
    ),
    _STORE,
)
def _export(options: argparse.Namespace) -> int:
    run = RunStore(options.runs).get(options.run)
    output = options.output or Path(run.path.name + FORMS[options.to].suffix)
    with device.quiet():
        export(run, options.to, output)
    about = {"run": run.id, "to": options.to, "output": str(output), "classes": run.class_names()}
    if options.json:
        return _print_json(about)
    print(output)
    return 0
