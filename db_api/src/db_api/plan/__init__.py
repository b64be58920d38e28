"""From what a request says to what PostgreSQL is asked, with the schema cache at hand.

A plan holds no value of the request: values are collected apart, and the plan names them by
position. So two requests of the same shape have equal plans, and a plan is the key under which
its statement's text is kept.
"""

from db_api.plan.call import plan_call
from db_api.plan.change import plan_delete, plan_update
from db_api.plan.insert import other_row, plan_insert, plan_put
from db_api.plan.keyset import after, with_total_order
from db_api.plan.model import NOTHING, CallPlan, DeletePlan, InsertPlan, ReadPlan, UpdatePlan, View
from db_api.plan.node import Node
from db_api.plan.overloads import find_function
from db_api.plan.read import plan_read, plan_stream
from db_api.plan.tree import Bounds
from db_api.plan.values import Value, Values

__all__ = [
    "NOTHING",
    "Bounds",
    "CallPlan",
    "DeletePlan",
    "InsertPlan",
    "Node",
    "ReadPlan",
    "UpdatePlan",
    "Value",
    "Values",
    "View",
    "after",
    "find_function",
    "other_row",
    "plan_call",
    "plan_delete",
    "plan_insert",
    "plan_put",
    "plan_read",
    "plan_stream",
    "plan_update",
    "with_total_order",
]
