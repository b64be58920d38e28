from db_api.catalog.origins import follow, read_rule

VAR = "{VAR :varno 1 :varattno 1 :location 8}"


def entry(number: int, table: int, column: int, expression: str = VAR) -> str:
    return (
        f"{{TARGETENTRY :expr {expression} :resno {number} :resname n :ressortgroupref 0"
        f" :resorigtbl {table} :resorigcol {column} :resjunk false}}"
    )


def query(*entries: str, tables: str = "<>") -> str:
    return (
        f"{{QUERY :commandType 1 :rtable {tables} :targetList ({' '.join(entries)}) :override 0}}"
    )


def test_a_column_of_an_expression_comes_from_nowhere() -> None:
    assert read_rule(f"({query(entry(1, 0, 0), entry(2, 16385, 4))})") == {2: (16385, 4)}


def test_the_columns_of_a_subquery_are_not_those_of_the_view() -> None:
    inner = (
        f"({{RANGETBLENTRY :subquery {query(entry(1, 99, 1), entry(2, 99, 2))} :lateral false}})"
    )
    sublink = f"{{SUBLINK :subselect {query(entry(3, 98, 1))} :location 1}}"
    rule = f"({query(entry(1, 16385, 2), entry(2, 0, 0, sublink), tables=inner)})"
    assert read_rule(rule) == {1: (16385, 2)}


def test_braces_in_names_are_no_structure() -> None:
    named = entry(1, 16385, 2).replace(":resname n", r":resname a\}\{\{b\\")
    assert read_rule(f"({query(named, entry(2, 16385, 3))})") == {1: (16385, 2), 2: (16385, 3)}


def test_a_rule_that_is_something_else_says_nothing() -> None:
    for rule in ("<>", "", "({NOTIFY})", "}}}{{{", "({QUERY :targetList <>})"):
        assert read_rule(rule) == {}


def test_views_over_views_are_followed_to_the_table() -> None:
    views = {1: {1: (10, 7)}, 2: {1: (1, 1), 2: (1, 2)}, 3: {4: (2, 1)}}
    assert dict(follow(views)) == {
        (1, 1): (10, 7),
        (2, 1): (10, 7),
        (2, 2): (1, 2),
        (3, 4): (10, 7),
    }


def test_a_circle_of_views_ends() -> None:
    assert dict(follow({1: {1: (2, 1)}, 2: {1: (1, 1)}})).keys() == {(1, 1), (2, 1)}
