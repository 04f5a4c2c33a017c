"""The histories that the tutorial prints, to lay a run of one's own beside.

The figures of its two `fit` calls on CIFAR-10, as printed: the baseline, 10 epochs, and dropout
0.4, 15 epochs, each with batch 32 and the test set as validation data.
"""

from __future__ import annotations

from .events import EpochEvent
from .history import History

IMAGES = "CIFAR-10"
"""The images they were measured on, by the name that the official archive has as a source."""

_STEPS = 1563  # of an epoch: 50,000 images in batches of 32

# Of each epoch: seconds, loss, accuracy, val_loss, val_accuracy.
_PRINTED = {
    "tutorial-baseline": (
        (60, 1.5249, 0.4436, 1.2871, 0.5290),
        (58, 1.1353, 0.5964, 1.1610, 0.5881),
        (58, 0.9876, 0.6531, 0.9847, 0.6471),
        (57, 0.8943, 0.6858, 0.9196, 0.6797),
        (60, 0.8251, 0.7120, 0.8963, 0.6842),
        (58, 0.7695, 0.7327, 0.8835, 0.6954),
        (59, 0.7245, 0.7453, 0.8565, 0.7037),
        (57, 0.6795, 0.7623, 0.8657, 0.7017),
        (58, 0.6393, 0.7761, 0.8812, 0.7061),
        (58, 0.6069, 0.7865, 0.8741, 0.7117),
    ),
    "tutorial-dropout": (
        (51, 1.5991, 0.4103, 1.2660, 0.5516),
        (50, 1.2697, 0.5447, 1.1952, 0.5719),
        (49, 1.1372, 0.5962, 1.0070, 0.6447),
        (49, 1.0468, 0.6295, 0.9739, 0.6545),
        (57, 0.9842, 0.6517, 0.8994, 0.6838),
        (56, 0.9279, 0.6723, 0.8807, 0.6915),
        (57, 0.8926, 0.6842, 0.8701, 0.6974),
        (57, 0.8517, 0.6993, 0.8823, 0.6904),
        (55, 0.8212, 0.7099, 0.8147, 0.7160),
        (53, 0.8004, 0.7171, 0.7914, 0.7226),
        (51, 0.7729, 0.7263, 0.8080, 0.7227),
        (51, 0.7541, 0.7346, 0.8217, 0.7129),
        (47, 0.7330, 0.7408, 0.7825, 0.7264),
        (47, 0.7204, 0.7458, 0.7820, 0.7262),
        (48, 0.6966, 0.7535, 0.7707, 0.7329),
    ),
}


def printed_histories() -> dict[str, History]:
    """Epoch figures by the preset they were made with; their times are 0, for nobody knows."""
    return {
        preset: History(
            epochs=[
                EpochEvent(
                    time=0.0,
                    step=_STEPS * epoch,
                    epoch=epoch,
                    loss=loss,
                    accuracy=accuracy,
                    val_loss=val_loss,
                    val_accuracy=val_accuracy,
                    seconds=float(seconds),
                )
                for epoch, (seconds, loss, accuracy, val_loss, val_accuracy) in enumerate(rows, 1)
            ]
        )
        for preset, rows in _PRINTED.items()
    }
