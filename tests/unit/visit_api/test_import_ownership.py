"""Whose word counts, field by field."""

from visit_api.imports.ownership import SHIPPED, orders, winners

OWNER = {"name": "王伟", "unit_code": "37401", "phone": "13800000000"}
OTHER = {"name": "王伟伟", "unit_code": "37402", "phone": "13911112222", "address": "泉城路1号"}
SAID = {"sg186": OWNER, "sg2": OTHER}


def test_the_owner_of_the_number_is_believed_and_others_where_it_says_nothing() -> None:
    assert winners(orders(SHIPPED), "sg186", SAID) == {
        **dict.fromkeys(("name", "unit_code", "phone"), "sg186"),
        "address": "sg2",
    }


def test_a_rule_names_who_is_believed_first_where_they_say_something() -> None:
    rules = orders({"fields": [{"field": "phone", "sources": ["csg", "sg2"]}, {"field": "name", "sources": ["csg"]}]})
    assert winners(rules, "sg186", SAID) == {
        **dict.fromkeys(("name", "unit_code"), "sg186"),
        **dict.fromkeys(("phone", "address"), "sg2"),
    }
    assert winners(rules, "sg186", {**SAID, "sg2": {**OTHER, "phone": ""}})["phone"] == "sg186", "an empty cell is none"
