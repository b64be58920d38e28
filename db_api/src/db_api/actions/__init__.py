"""What each method does: planned before a connection is taken, then run on one."""

from db_api.actions.action import Action, Work, find_table
from db_api.actions.batch import Batch, Operation, noting
from db_api.actions.call import Call
from db_api.actions.change import Delete, Update
from db_api.actions.insert import Insert, Put
from db_api.actions.load import Inlet, Load
from db_api.actions.read import Read
from db_api.actions.stream import Outlet, Stream

__all__ = [
    "Action",
    "Batch",
    "Call",
    "Delete",
    "Inlet",
    "Insert",
    "Load",
    "Operation",
    "Outlet",
    "Put",
    "Read",
    "Stream",
    "Update",
    "Work",
    "find_table",
    "noting",
]
