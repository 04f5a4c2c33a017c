"""What AppTest finds on a page, for all tests of pages."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest


def labels(elements) -> list[str]:
    return [element.label for element in elements]


def by_label(elements, label: str):
    (found,) = [element for element in elements if element.label == label]
    return found


def texts(app: AppTest) -> str:
    kinds = ("info", "warning", "error", "success", "caption", "markdown")
    return "\n".join(element.value for kind in kinds for element in app.get(kind))


def html(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def component(app: AppTest, name: str) -> list[dict]:
    """What the components of this name were given."""
    found = [element.proto for element in app.get("bidi_component")]
    return [json.loads(one.json) for one in found if one.component_name == name]


def grid(app: AppTest) -> list[list]:
    """Index, class name and note of each image shown."""
    (one,) = component(app, "image_grid")
    return one["cells"]


def figure(app: AppTest, key: str) -> dict:
    (one,) = [one for one in component(app, "live_chart") if one["key"] == key]
    return json.loads(one["figure"])
