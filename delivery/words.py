"""What each code of the tables is called in front of a marketer."""

import re

STAGES = {
    "awareness": "Awareness",
    "acquisition": "Acquisition",
    "engagement": "Engagement",
    "retention": "Retention",
}
LEVELS = {
    "awareness": "Awareness",
    "interest": "Interest",
    "engagement": "Engagement",
    "loyalty": "Loyalty",
    "advocacy": "Advocacy",
}
ACTIVITIES = {
    "new": "New",
    "active": "Active",
    "at_risk": "At risk",
    "lapsed": "Lapsed",
    "won_back": "Won back",
}
ENGAGEMENT_TYPES = {
    "transactional": ("Transactional", "Buying and the steps towards it."),
    "emotional": ("Emotional", "Saying how they feel: surveys, ratings, loyalty."),
    "social": ("Social", "Sharing, commenting, taking part with others."),
    "experiential": ("Experiential", "Coming to events, quizzes, games and visits."),
}
CHANNELS = {
    "email": "E-mail",
    "sms": "SMS",
    "push": "App push",
    "mail": "Post",
    "phone": "Phone",
    "ad": "Ads",
    "web": "Website",
    "app": "App",
    "store": "In store",
    "social": "Social media",
    "event": "Events",
}
TACTICS = {"targeted_email": "Targeted e-mail", "user_generated_content": "User-generated content"}
BASES = {
    "assumed": ("Assumed", "the effect is the catalogue's assumption; nothing was measured yet"),
    "measured": ("Measured", "the effect was measured against customers held out of past runs"),
    "randomised": ("Randomised", "the effect was learned from a randomised test"),
}
CONSENTS = {
    "opt_in": "Opt-in",
    "soft_opt_in": "Soft opt-in",
    "contract": "Contract",
    "not_needed": "Not needed",
}
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKDAYS = dict(enumerate(DAYS, 1))
BANDS = {"low": "Low", "medium": "Medium", "high": "High"}
EXIT_REASONS = {
    "holdout": (
        "Held out for measurement",
        "Left alone on purpose, so that what the actions change can be measured.",
    ),
    "business_as_usual": (
        "Left to business as usual",
        "Left to what the company does without Keepwell, so that both can be compared.",
    ),
    "suppression": (
        "Refused every channel",
        "Wants to hear nothing from us, even where they come to us.",
    ),
    "quiet_period": (
        "Complained recently",
        "Something is to be put right before anything is sold or asked.",
    ),
    "had_enough": (
        "Had the action as often as allowed",
        "A customer may get this action only so often, ever.",
    ),
    "channel_capacity": (
        "Channel used up",
        "Worth doing, but the channel can carry only so many in a run.",
    ),
    "not_drawn": (
        "Drawn to get nothing",
        "In the arm that gets actions by chance, and the draw gave none this time.",
    ),
    "no_consent": (
        "No consent to be contacted",
        "Has not agreed to any channel that a fitting action uses.",
    ),
    "not_eligible": (
        "Does not meet an action's conditions",
        "An action exists for such customers, but its own conditions do not hold.",
    ),
    "not_applicable": (
        "No action for their situation",
        "No action is meant for this stage, level and activity together.",
    ),
    "objected": (
        "Objected to marketing",
        "Has objected since the decision was made.",
    ),
    "suppressed": (
        "On the list of suppressed addresses",
        "The marketing tool lists the address as one that must not be written to.",
    ),
    "address_refused": (
        "Somebody with the same address refused",
        "Another customer with this address objected, or refused the channel.",
    ),
    "address_held_out": (
        "Shares an address with a held-out customer",
        "Writing to it would spoil the comparison with those who are left alone.",
    ),
    "address_repeated": (
        "Same address as another customer",
        "The customer with the higher expected value gets the message, so that it arrives once.",
    ),
    "contact_cap": (
        "Contacted often enough already",
        "One more contact would pass the limit for the channel, or for all channels.",
    ),
    "cool_down": (
        "Had the same action recently",
        "The pause between two uses of the action is not over.",
    ),
    "no_gain": (
        "Not worth its cost",
        "Every possible action is expected to cost more than it brings.",
    ),
    "budget": (
        "Budget used up",
        "Worth doing, but the money went to customers for whom it does more.",
    ),
    "capacity": (
        "Capacity used up",
        "Worth doing, but the team or channel can serve only so many.",
    ),
}
MODELS = {
    "keepwell": "Keepwell model",
    "champion": "Model in use until then",
    "recency": "Rule of days since the last purchase",
    "rfm_logistic": "Simple model of recency, frequency and spend",
    "mbg_nbd": "Simple model of the purchase history alone (MBG/NBD)",
    "base_rate": "Rule of one risk for everybody",
    "stays": "Rule that everybody stays where they are",
    "transition_table": "Table of past moves",
    "past_rate": "Rule that the past year's rate goes on",
}
METRICS = {
    "auc": "AUC",
    "log_loss": "Log-loss",
    "ece": "Calibration error",
    "macro_f1": "Macro F1",
    "brier": "Brier score",
}


def plain(code: str) -> str:
    """Words for a code that has no entry of its own: ``paid_ads`` gives ``Paid ads``."""
    text = code.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def tactic(code: str) -> str:
    """Name of a tactic."""
    return TACTICS.get(code, plain(code))


def channel(code: str) -> str:
    """Name of a channel."""
    return CHANNELS.get(code, plain(code))


def exit_reason(code: str) -> tuple[str, str]:
    """Name of an exit reason and what it means; unknown ones have no explanation."""
    return EXIT_REASONS.get(code, (plain(code), ""))


def model(code: str) -> str:
    """Name of a model or of the rule that it is compared with."""
    return MODELS.get(code, plain(code))


def sentence(text: str) -> str:
    """Text of the training gate with its codes put in words; empty where it says nothing."""
    # Some codes are common words too ("stays"), so only what something is compared with is one.
    codes = r"\b(beats?|than|against) (" + "|".join(MODELS) + r")\b"
    text = re.sub(codes, lambda found: f"{found[1]} “{MODELS[found[2]]}”", text)
    text = re.sub(r" ?\(\{.*?\}\)|`", "", text)
    text = re.sub(r"\b\w*_\w+\b", lambda found: found[0].replace("_", " "), text)
    return text.replace(" %", "%").strip(" .")
