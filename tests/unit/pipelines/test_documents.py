import json

from pipelines.documents import stripped


def test_outputs_of_a_notebook_are_stripped_and_its_text_kept():
    cell = {
        "cell_type": "code",
        "source": "1 + 1",
        "outputs": [{"text": "2"}],
        "execution_count": 3,
    }
    text = {"cell_type": "markdown", "source": "Why"}
    found = json.loads(stripped(json.dumps({"cells": [cell, text], "nbformat": 4})))
    assert found["cells"] == [{**cell, "outputs": [], "execution_count": None}, text]
