"""Muon, an optimiser for convolutions: its step is about as long in every direction.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024. Keras's own leaves
the kernels of convolutions to Adam.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

_REST = 1 / 3  # of the learning rate, for what is no convolution's kernel
_ITERATIONS = 3
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def muon(learning_rate: float, weight_decay: float | None = None) -> keras.optimizers.Optimizer:
    """Nesterov momentum of 0.9; of convolutions, orthogonal before it becomes a step.

    A kernel (height, width, channels, filters) is taken as a matrix (height * width * channels,
    filters). All else, biases and dense layers, is plain Nesterov with a third of the rate.
    """
    return _class()(learning_rate, momentum=0.9, nesterov=True, weight_decay=weight_decay)


@cache
def _class() -> Any:
    import keras

    class Muon(keras.optimizers.SGD):  # type: ignore[misc]  # Keras has no types
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            if len(variable.shape) != 4:
                super().update_step(gradient, variable, learning_rate * _REST)
                return
            momentum = self.momentums[self._get_variable_index(variable)]
            self.assign(momentum, self.momentum * momentum + gradient)
            ahead = gradient + self.momentum * momentum
            flat = keras.ops.reshape(ahead, (-1, variable.shape[-1]))
            step = keras.ops.reshape(orthogonal(flat), variable.shape)
            self.assign_sub(variable, step * keras.ops.cast(learning_rate, variable.dtype))

    return Muon


def orthogonal(matrix: Any) -> Any:
    """The Newton-Schulz iteration: the same singular vectors, singular values near 1.

    Three times a quintic polynomial of the singular values, whose slope at 0 is steep: those that
    are not tiny end between 0.5 and 1.3. The products are of the shorter side.

    Args:
        matrix: float32 (M, N).

    Returns:
        A tensor like it.
    """
    from keras import ops

    a, b, c = _COEFFICIENTS
    is_wide = matrix.shape[0] < matrix.shape[1]
    x = ops.transpose(matrix) if is_wide else matrix
    x = x / (ops.norm(x) + 1e-7)
    for _ in range(_ITERATIONS):
        square = ops.transpose(x) @ x
        x = a * x + x @ (b * square + c * square @ square)
    return ops.transpose(x) if is_wide else x
