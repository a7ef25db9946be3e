"""The five activities of catalogue/stages.yaml, in tables that a marketer can read.

Each customer is alone, so that the usual pause is the median of their own. `days ago` counts from
the as-of date: the day before it is 1.
"""


def test_first_order_in_the_last_30_days_is_new(activities):
    assert activities("""
        customer | event           | days ago
        ann      | order_completed | 30
        bob      | order_completed | 31
        eve      | page_view       | 400
        eve      | order_completed | 30, 1
    """) == {"ann": "new", "bob": "active", "eve": "new"}


def test_without_an_order_the_first_event_counts(activities):
    assert activities("""
        customer | event     | days ago
        ann      | page_view | 30, 3
        bob      | page_view | 31, 21, 11
    """) == {"ann": "new", "bob": "active"}


def test_silent_for_less_than_one_and_a_half_usual_pauses_is_active(activities):
    assert activities("""
        customer | event           | days ago
        ann      | order_completed | 74, 54, 34, 29
        bob      | order_completed | 89, 69, 49, 29
        eve      | order_completed | 90, 70, 50, 30
    """) == {"ann": "active", "bob": "active", "eve": "at_risk"}


def test_silent_for_up_to_three_usual_pauses_is_at_risk(activities):
    assert activities("""
        customer | event           | days ago
        ann      | order_completed | 90, 70, 50, 30
        bob      | order_completed | 119, 99, 79, 59
        eve      | order_completed | 120, 100, 80, 60
    """) == {"ann": "at_risk", "bob": "at_risk", "eve": "lapsed"}


def test_silent_for_more_than_180_days_is_lapsed_however_slow_the_customer(activities):
    assert activities("""
        customer | event           | days ago
        ann      | order_completed | 580, 380, 180
        bob      | order_completed | 581, 381, 181
    """) == {"ann": "active", "bob": "lapsed"}


def test_back_within_30_days_after_three_usual_pauses_is_won_back(activities):
    assert activities("""
        customer | event           | days ago
        ann      | order_completed | 190, 170, 150, 90, 30
        bob      | order_completed | 190, 170, 150, 130, 30
        eve      | order_completed | 191, 171, 151, 131, 31
        kim      | order_completed | 130, 110, 90, 70, 11
    """) == {"ann": "active", "bob": "won_back", "eve": "at_risk", "kim": "active"}


def test_back_after_more_than_180_days_is_won_back(activities):
    assert activities("""
        customer | event           | days ago
        ann      | order_completed | 190, 9
        bob      | order_completed | 189, 9
        eve      | order_completed | 231, 50
    """) == {"ann": "won_back", "bob": "active", "eve": "active"}


def test_visits_do_not_break_the_silence_of_a_buyer(activities):
    assert activities("""
        customer | event           | days ago
        ann      | order_completed | 120, 100, 80, 60
        ann      | page_view       | 2
    """) == {"ann": "lapsed"}


def test_established_customer_can_be_at_risk(customers):
    rows = customers("""
        customer | event           | days ago
        ann      | order_completed | 140, 110, 80, 50
    """)
    assert (rows["ann"]["stage"], rows["ann"]["activity"]) == ("retention", "at_risk")


def test_customer_without_a_pause_is_measured_by_the_others(customers):
    rows = customers("""
        customer | event           | days ago
        ann      | order_completed | 100, 80, 60, 40
        bob      | order_completed | 59
        eve      | order_completed | 60
    """)
    assert {c: r["activity"] for c, r in rows.items()} == {
        "ann": "at_risk",
        "bob": "at_risk",
        "eve": "lapsed",
    }
