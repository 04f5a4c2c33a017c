"""The engine: data, network, training, runs and predictions, without a web framework.

    >>> from cifar_core import PRESETS, RunStore, Summary, execute
    >>> run = RunStore().create(PRESETS["fast"], "first")
    >>> execute(run, "auto")
    >>> Summary.of(run).test_accuracy

None of this imports TensorFlow before something is trained or predicted.
"""

from .config import PRESETS, TrainingConfig
from .data import Dataset, load_data
from .errors import CifarError
from .network.predict import predict_probabilities
from .runs.events import RunState
from .runs.run import Run
from .runs.store import RunStore
from .runs.summary import Summary
from .workers.launch import resume, start
from .workers.worker import execute

__all__ = [
    "PRESETS",
    "CifarError",
    "Dataset",
    "Run",
    "RunState",
    "RunStore",
    "Summary",
    "TrainingConfig",
    "execute",
    "load_data",
    "predict_probabilities",
    "resume",
    "start",
]
