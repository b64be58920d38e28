"""What the settings allow: limits and policies, each where its own module wants it."""

from db_api.policies import CallerLimits, EngineLimits, WritePolicy
from db_api.setting_values import AggregatesFor
from db_api.settings import Settings
from db_api.user_sql.desk import DeskLimits, SqlLimits


def engine_limits(settings: Settings) -> EngineLimits:
    """Return the limits of the data side."""
    aggregates = settings.aggregates_for
    return EngineLimits(
        anon=CallerLimits(
            settings.statement_timeout_anon_ms,
            settings.max_rows_anon,
            aggregates=aggregates is AggregatesFor.EVERYONE,
            max_stream_bytes=settings.max_stream_bytes_anon,
        ),
        service=CallerLimits(
            settings.statement_timeout_service_ms,
            settings.max_rows_service,
            aggregates=aggregates is not AggregatesFor.NOBODY,
        ),
        lock_timeout_ms=settings.lock_timeout_ms,
    )


def write_policy(settings: Settings) -> WritePolicy:
    """Return what writes may do."""
    return WritePolicy(
        end="rollback" if settings.db_api_tx_end.startswith("rollback") else "commit",
        lets_clients_end=settings.db_api_tx_end.endswith("-allow-override"),
        allows_unfiltered=settings.db_api_allow_unfiltered,
    )


def desk_limits(settings: Settings) -> DeskLimits:
    """Return the limits of statements that users write."""
    return DeskLimits(
        anon=SqlLimits(
            timeout_ms=settings.statement_timeout_anon_ms,
            max_timeout_ms=settings.statement_timeout_anon_ms,
            max_rows=settings.max_rows_anon,
        ),
        others=SqlLimits(
            timeout_ms=settings.statement_timeout_service_ms,
            max_timeout_ms=settings.sql_timeout_max_ms,
            max_rows=settings.max_rows_service,
        ),
        max_bytes=settings.sql_max_bytes,
        lock_timeout_ms=settings.lock_timeout_ms,
        names_requests=settings.sql_request_ids,
        extra_schemas=settings.db_extra_search_path,
    )
