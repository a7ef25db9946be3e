"""A wrong configuration is refused in one line that names file, entry and what is known."""

import re
import shutil

import pytest

from features.errors import ConfigurationError, InputMissingError
from pipelines.project import Project


@pytest.fixture
def project(tmp_path, repository):
    """The shipped configuration, to be broken."""
    shutil.copytree(repository / "catalogue", tmp_path / "catalogue")
    shutil.copy(repository / "params.yaml", tmp_path / "params.yaml")
    return tmp_path


@pytest.fixture
def replaced(project):
    """Replace a text that a file has once, and only there."""

    def replace(file, old, new):
        path = project / file
        text = path.read_text("utf-8")
        assert len(re.findall(old, text, flags=re.MULTILINE)) >= 1
        path.write_text(re.sub(old, new, text, count=1, flags=re.MULTILINE), "utf-8")
        return Project(project)

    return replace


def test_shipped_configuration_is_right(repository):
    project = Project(repository)
    assert len(project.catalogue.actions.actions) >= 16
    assert "order_completed" in project.catalogue.taxonomy.events


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("params.yaml", "  seed: ", "  sead: ", "params.yaml, run.seed: Field required"),
        ("params.yaml", "^churn:", "churn:\n  colour: red", "churn.colour: unknown key"),
        ("params.yaml", "^churn:", "colours: {}\nchurn:", "params.yaml, colours: unknown key"),
        ("params.yaml", "  seed: 0", "  seed: many", r"params.yaml, run.seed: .*Got 'many'"),
        ("params.yaml", "holdout_share: .*", "holdout_share: 2", "holdout_share: .*Got 2"),
        ("params.yaml", "^churn:", "run: {}\nchurn:", r"run \(line \d+\): the key occurs twice"),
        ("params.yaml", "^churn:", "churn: [", "params.yaml: not valid YAML"),
        (
            "catalogue/stages.yaml",
            "feature: value_events,",
            "feature: value_event,",
            r"levels.yaml, retention: unknown feature. Got 'value_event'.*value_events",
        ),
        (
            "catalogue/stages.yaml",
            "    meaning: An est",
            "    colour: red\n    meaning: An est",
            r"stages.yaml, stages.0.colour: unknown key",
        ),
        (
            "catalogue/levels.yaml",
            "^  - id: .*",
            r"\g<0>" "\n    colour: red",
            r"^levels.yaml, levels.0.colour: unknown key",
        ),
        ("catalogue/levels.yaml", "^levels:", "stages: []\nlevels:", "levels.yaml, stages: is in"),
        (
            "catalogue/levels.yaml",
            "  - id: loyalty",
            "  - id: royalty",
            "levels: every id exactly once. Got .*royalty.*Expected .*loyalty",
        ),
        (
            "catalogue/taxonomy.yaml",
            "  order_placed: order_completed",
            "  order_placed: order_complete",
            "aliases, order_placed: unknown event type. Got 'order_complete'.*order_completed",
        ),
        (
            "catalogue/taxonomy.yaml",
            "  order_placed: order_completed",
            "  Order Placed: order_completed",
            "taxonomy.yaml, Order Placed: .*never matches.*Expected 'order_placed'",
        ),
        (
            "catalogue/taxonomy.yaml",
            "  products_searched: ",
            "  product_viewed: {role: exposure}\n  products_searched: ",
            r"taxonomy.yaml, product_viewed \(line \d+\): the key occurs twice",
        ),
        (
            "catalogue/taxonomy.yaml",
            "products_searched: {role: visit",
            "products_searched: {role: guest",
            "taxonomy.yaml, events.products_searched.role: .*Got 'guest'",
        ),
        (
            "catalogue/sources.yaml",
            "table: events",
            "table: event",
            "sources.yaml, sources.baskets.table: .*Got 'event'",
        ),
        (
            "catalogue/sources.yaml",
            "customer_id: {column",
            "customer: {column",
            "baskets: columns of table events: missing customer_id; unknown customer. Known",
        ),
        (
            "catalogue/sources.yaml",
            "{column: basket_id}",
            "{column: basket_id, constant: x}",
            "event_id: exactly one of column, constant or product",
        ),
        (
            "catalogue/sources.yaml",
            "event_id: .*",
            "",
            "sources.baskets: lines_of_order needs the column event_id",
        ),
    ],
)
def test_mistake_is_named_with_its_file_and_entry(replaced, file, old, new, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        replaced(file, old, new).catalogue  # noqa: B018
    assert "\n" not in str(caught.value)


def first_action(project):
    return project.catalogue.actions.actions[0].id


def test_action_with_an_unknown_channel_is_named(replaced, repository):
    action = first_action(Project(repository))
    broken = replaced("catalogue/actions.yaml", r"^    channels: \{", "    channels: {pigeon: 1, ")
    message = rf"actions.yaml, {action}: unknown channel. Got pigeon. Known: .*email"
    with pytest.raises(ConfigurationError, match=message):
        broken.catalogue  # noqa: B018


def test_action_with_an_unknown_stage_is_named(replaced):
    broken = replaced("catalogue/actions.yaml", r"^    stages: \[.*\]", "    stages: [lapsed]")
    with pytest.raises(ConfigurationError, match=r"actions.yaml, actions.0.stages.0: .*'lapsed'"):
        broken.catalogue  # noqa: B018


def test_two_actions_of_one_id_are_refused(replaced, repository):
    actions = Project(repository).catalogue.actions.actions
    broken = replaced("catalogue/actions.yaml", f"id: {actions[1].id}$", f"id: {actions[0].id}")
    with pytest.raises(ConfigurationError, match=f"{actions[0].id}: the id occurs twice"):
        broken.catalogue  # noqa: B018


def test_rule_on_a_window_that_params_no_longer_make_is_refused(replaced):
    broken = replaced("params.yaml", r"windows_days: \[.*\]", "windows_days: [90, 365]")
    with pytest.raises(ConfigurationError, match=r"unknown feature. Got '.*_(28|56|180)d'"):
        broken.catalogue  # noqa: B018


@pytest.mark.parametrize("file", ["params.yaml", "catalogue/actions.yaml", "catalogue/levels.yaml"])
def test_missing_file_is_named_with_what_to_do(project, file):
    (project / file).unlink()
    with pytest.raises(InputMissingError, match=r"yaml: not found. .*name one with --project"):
        Project(project).catalogue  # noqa: B018


@pytest.mark.parametrize("content", ["", "just text", "- a\n- b\n"])
def test_file_that_is_no_mapping_is_refused(project, content):
    (project / "params.yaml").write_text(content)
    with pytest.raises(ConfigurationError, match=r"params.yaml: expected a mapping"):
        Project(project).params  # noqa: B018


def test_enormous_file_is_refused_unread(project):
    (project / "params.yaml").write_text("#" * 1_000_001)
    with pytest.raises(ConfigurationError, match="larger than 1,000,000 bytes"):
        Project(project).params  # noqa: B018


def test_hash_of_the_catalogue_follows_its_content_and_nothing_else(project, repository):
    before = Project(project).catalogue.sha256
    assert before == Project(repository).catalogue.sha256
    with (project / "catalogue" / "levels.yaml").open("a") as file:
        file.write("# a note\n")
    assert Project(project).catalogue.sha256 != before
