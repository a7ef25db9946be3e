"""The four stages of catalogue/stages.yaml, in tables that a marketer can read.

`days ago` counts from the as-of date: the day before it is 1.
"""


def test_three_orders_with_the_first_at_least_90_days_ago_is_retention(stages):
    assert stages("""
        customer | event           | days ago
        ann      | order_completed | 90, 40, 5
        bob      | order_completed | 89, 40, 5
        eve      | order_completed | 90, 5
        kim      | order_completed | 300, 250, 200
    """) == {"ann": "retention", "bob": "engagement", "eve": "engagement", "kim": "retention"}


def test_three_orders_on_one_day_count_as_three(stages):
    assert stages("""
        customer | event           | days ago
        ann      | order_completed | 100, 100, 100
    """) == {"ann": "retention"}


def test_baskets_renewals_and_orders_add_up_to_retention(stages):
    assert stages("""
        customer | event                | days ago
        ann      | subscription_started | 120
        ann      | subscription_renewed | 90
        ann      | basket               | 3
    """) == {"ann": "retention"}


def test_second_order_is_engagement_however_recent(stages):
    assert stages("""
        customer | event           | days ago
        ann      | order_completed | 2, 1
        bob      | order_completed | 1, 1
        eve      | order_completed | 1
    """) == {"ann": "engagement", "bob": "engagement", "eve": "acquisition"}


def test_single_order_is_engagement_from_31_days_ago(stages):
    assert stages("""
        customer | event           | days ago
        ann      | order_completed | 30
        bob      | order_completed | 31
        eve      | order_completed | 400
    """) == {"ann": "acquisition", "bob": "engagement", "eve": "engagement"}


def test_first_order_in_the_last_30_days_is_acquisition_also_after_years_of_visits(stages):
    assert stages("""
        customer | event           | days ago
        ann      | page_view       | 700, 300, 20
        ann      | order_completed | 10
    """) == {"ann": "acquisition"}


def test_sign_up_or_intent_in_the_last_30_days_is_acquisition(stages):
    assert stages("""
        customer | event            | days ago
        ann      | signed_up        | 30
        bob      | signed_up        | 31
        eve      | product_added    | 1
        kim      | event_registered | 25
    """) == {"ann": "acquisition", "bob": "awareness", "eve": "acquisition", "kim": "acquisition"}


def test_intent_of_somebody_who_bought_long_ago_is_engagement(stages):
    assert stages("""
        customer | event           | days ago
        ann      | order_completed | 200
        ann      | product_added   | 3
    """) == {"ann": "engagement"}


def test_visits_shares_and_mails_alone_are_awareness(stages):
    assert stages("""
        customer | event           | days ago
        ann      | page_view       | 20, 10, 1
        bob      | product_shared  | 2
        eve      | email_delivered | 1
        kim      | ticket_opened   | 1
    """) == {"ann": "awareness", "bob": "awareness", "eve": "awareness", "kim": "awareness"}


def test_customer_on_the_list_who_did_nothing_is_awareness(stages):
    assert stages("customer | event | days ago", ann=1, bob=500) == {
        "ann": "awareness",
        "bob": "awareness",
    }


def test_order_on_the_as_of_date_changes_no_stage(stages):
    assert stages("""
        customer | event           | days ago
        ann      | order_completed | 100, 50, 0
        bob      | page_view       | 5
        bob      | order_completed | 0
    """) == {"ann": "engagement", "bob": "awareness"}


def test_refund_takes_no_order_back(stages):
    assert stages("""
        customer | event           | days ago  | value
        ann      | order_completed | 95, 60, 9 | 20.00
        ann      | order_refunded  | 5         | -20.00
    """) == {"ann": "retention"}


def test_stage_says_which_values_fired_it(customers):
    rows = customers("""
        customer | event           | days ago
        ann      | order_completed | 95, 60, 9
    """)
    assert rows["ann"]["stage_because"] == (
        "retention: value_events 3 (>= 3) days_since_first_value 95 (>= 90)"
    )
