"""SQL that users write: one statement on a connection of its own, contained, and dropped with it.

What contains it is the database: its login's privileges, a READ ONLY transaction, and the two forms
in which a statement is sent (`runner`). What this package adds is that nothing of a statement
outlives its answer, and that neither its time nor its result is without a bound.
"""
