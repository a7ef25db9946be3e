"""The five levels of catalogue/levels.yaml, in tables that a marketer can read.

`days ago` counts from the as-of date: the day before it is 1.
"""

import pytest


@pytest.mark.parametrize(
    "act", ["review_submitted", "referral_sent", "ugc_posted", "content_shared", "product_shared"]
)
def test_recommending_is_advocacy(levels, act):
    table = f"""
        customer | event           | days ago
        ann      | order_completed | 5
        ann      | {act}           | 3
    """
    assert levels(table) == {"ann": "advocacy"}


def test_recommendation_counts_for_180_days(levels):
    placed = levels("""
        customer | event            | days ago
        ann      | review_submitted | 180
        ann      | order_completed  | 5
        bob      | review_submitted | 181
        bob      | order_completed  | 5
    """)
    assert [c for c, level in placed.items() if level == "advocacy"] == ["ann"]


def test_recommendation_of_somebody_silent_for_three_usual_pauses_is_none(levels):
    placed = levels("""
        customer | event            | days ago
        ann      | order_completed  | 80, 70, 60, 50, 40, 30
        ann      | review_submitted | 70
        bob      | order_completed  | 81, 71, 61, 51, 41, 31
        bob      | review_submitted | 70
    """)
    assert [c for c, level in placed.items() if level == "advocacy"] == ["ann"]


def test_satisfied_answer_alone_is_no_advocacy(levels):
    assert (
        levels("""
        customer | event           | days ago
        ann      | order_completed | 5
        ann      | nps_promoter    | 3
    """)["ann"]
        != "advocacy"
    )


def test_those_who_buy_most_and_lately_are_loyal(levels):
    table = """
        customer | event           | days ago
        ann      | order_completed | 200, 150, 90, 2
        bob      | order_completed | 200, 150, 90
        eve      | order_completed | 80, 60
        kim      | order_completed | 70
        zoe      | order_completed | 100
    """
    placed = levels(table)
    assert placed["ann"] == "loyalty"
    assert {c: level for c, level in placed.items() if c != "ann"} == {
        "bob": "awareness",
        "eve": "awareness",
        "kim": "awareness",
        "zoe": "awareness",
    }


def test_two_orders_are_not_loyal_however_few_the_others_buy(levels):
    table = """
        customer | event           | days ago
        ann      | order_completed | 150, 2
        bob      | order_completed | 90
        eve      | order_completed | 80
        kim      | order_completed | 70
        zoe      | order_completed | 100
    """
    assert levels(table)["ann"] == "awareness"


def test_three_recent_orders_are_not_loyal_where_others_buy_more(levels):
    table = """
        customer | event           | days ago
        ann      | order_completed | 200, 150, 2
        bob      | order_completed | 300, 250, 200, 150
        eve      | order_completed | 300, 280, 250, 200, 50
        kim      | order_completed | 90
        zoe      | order_completed | 96, 95
    """
    placed = levels(table)
    assert [c for c, level in placed.items() if level == "loyalty"] == ["eve"]


def test_orders_more_than_a_year_ago_are_not_loyalty(levels):
    table = """
        customer | event           | days ago
        ann      | order_completed | 366, 150, 2
        bob      | order_completed | 365, 150, 2
        eve      | order_completed | 90
        kim      | order_completed | 80
        zoe      | order_completed | 70
    """
    placed = levels(table)
    assert (placed["ann"], placed["bob"]) == ("awareness", "loyalty")


def test_active_in_three_of_the_last_eight_weeks_is_engagement(levels):
    assert levels("""
        customer | event     | days ago
        ann      | page_view | 50, 30, 2
        bob      | page_view | 14, 8, 2
        eve      | page_view | 57, 30, 2
    """) == {"ann": "engagement", "bob": "awareness", "eve": "awareness"}


def test_strong_in_two_types_of_engagement_is_engagement(levels):
    assert levels("""
        customer | event           | days ago
        ann      | community_post  | 5
        ann      | quiz_completed  | 5
        bob      | community_post  | 5
        eve      | community_post  | 40
        eve      | quiz_completed  | 40
    """) == {"ann": "engagement", "bob": "awareness", "eve": "awareness"}


def test_intent_within_28_days_is_interest(levels):
    assert levels("""
        customer | event     | days ago
        ann      | signed_up | 28
        bob      | signed_up | 29
        eve      | page_view | 2
    """) == {"ann": "interest", "bob": "awareness", "eve": "awareness"}


def test_customer_on_the_list_who_did_nothing_is_awareness(levels):
    assert levels("customer | event | days ago", ann=10) == {"ann": "awareness"}


def test_deepest_level_wins(levels):
    assert levels("""
        customer | event            | days ago
        ann      | product_added    | 20, 12, 3
        ann      | review_submitted | 3
    """) == {"ann": "advocacy"}
