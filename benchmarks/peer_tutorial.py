"""The tutorial's way as a person writes it: what the presets are measured against.

python -m benchmarks.peer_tutorial ARRAYS.npz [EPOCHS]
"""

import sys

import numpy as np
from tensorflow.keras import layers, losses, models

arrays = np.load(sys.argv[1])
x_train, x_test = arrays["x_train"] / 255.0, arrays["x_test"] / 255.0
y_train, y_test = arrays["y_train"], arrays["y_test"]

model = models.Sequential(
    [
        layers.Input((32, 32, 3)),
        layers.Conv2D(32, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.Dropout(0.4),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10),
    ]
)
model.compile(
    optimizer="adam",
    loss=losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 15
model.fit(x_train, y_train, epochs=epochs, validation_data=(x_test, y_test), verbose=2)
model.save(f"{sys.argv[1]}.keras")
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print("test accuracy", accuracy)
