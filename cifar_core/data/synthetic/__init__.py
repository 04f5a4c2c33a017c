"""The built-in image set: pictures of CIFAR-10's ten classes, drawn by code."""
