"""What is asked of PostgreSQL's catalogs: each answers one number, or a column of names."""

from typing import Final, TypeAlias

from sqlalchemy import TextClause, text

Query: TypeAlias = TextClause

VERSION: Final = text("SELECT current_setting('server_version_num')::int")
IS_ENCRYPTED: Final = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
ROOM: Final = text("""
SELECT current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0)""")
TEMPORARY_FOR_PUBLIC: Final = text(
    "SELECT has_database_privilege('public', current_database(), 'TEMPORARY')"
)
LARGE_OBJECT_WRITERS: Final = text("""
SELECT oid::regprocedure::text FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace
    AND proname IN ('lo_create', 'lo_creat', 'lo_from_bytea', 'lo_put')
    AND has_function_privilege('public', oid, 'EXECUTE')
ORDER BY 1""")
OPEN_DEFINERS: Final = text("""
SELECT p.oid::regprocedure::text FROM pg_proc p
WHERE p.prosecdef AND has_function_privilege('public', p.oid, 'EXECUTE')
    AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
ORDER BY 1""")
VIEWS_PAST_POLICIES: Final = text("""
SELECT DISTINCT v.oid::regclass::text
FROM pg_class v
JOIN pg_rewrite w ON w.ev_class = v.oid
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
    AND d.refclassid = 'pg_class'::regclass
JOIN pg_class t ON t.oid = d.refobjid AND t.relrowsecurity
WHERE v.relkind = 'v' AND NOT EXISTS (
    SELECT 1 FROM pg_options_to_table(v.reloptions) o
    WHERE o.option_name = 'security_invoker' AND o.option_value IN ('true', 'on', '1', 'yes'))
ORDER BY 1""")
DANGEROUS_EXTENSIONS: Final = text("""
SELECT extname::text FROM pg_extension
WHERE extname IN ('adminpack', 'dblink', 'file_fdw', 'http', 'mysql_fdw', 'oracle_fdw', 'pg_cron',
    'pg_net', 'plperlu', 'plpython3u', 'plsh', 'pltclu', 'postgres_fdw')
ORDER BY 1""")
OPEN_SCHEMAS: Final = text("""
SELECT nspname::text FROM pg_namespace CROSS JOIN LATERAL aclexplode(nspacl) AS granted
WHERE granted.grantee = 0 AND granted.privilege_type = 'CREATE' AND nspname !~ '^pg_'
ORDER BY 1""")
LOGIN_SETTINGS: Final = text("""
SELECT r.rolname || ': ' || split_part(c.setting, '=', 1)
FROM pg_db_role_setting s
JOIN pg_roles r ON r.oid = s.setrole
CROSS JOIN unnest(s.setconfig) AS c(setting)
LEFT JOIN db_api.logins l ON l.role_name = r.rolname
WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    AND (l.role_name IS NOT NULL OR r.rolname = session_user)
    AND lower(split_part(c.setting, '=', 1)) NOT IN (
        'search_path', 'timezone', 'statement_timeout', 'lock_timeout', 'temp_file_limit',
        'idle_in_transaction_session_timeout', 'log_statement')
    AND c.setting <> 'default_transaction_read_only=on'
ORDER BY 1""")
UNLIMITED_LOGINS: Final = text("""
SELECT r.rolname::text FROM pg_roles r
WHERE (r.rolname = session_user OR r.rolname IN (SELECT role_name FROM db_api.logins))
    AND coalesce(
        (SELECT split_part(c.setting, '=', 2)
        FROM pg_db_role_setting s, unnest(s.setconfig) AS c(setting)
        WHERE c.setting LIKE 'temp\\_file\\_limit=%' AND s.setrole IN (r.oid, 0)
            AND s.setdatabase IN
                (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        ORDER BY s.setrole = 0, s.setdatabase = 0 LIMIT 1),
        (SELECT boot_val FROM pg_settings WHERE name = 'temp_file_limit' AND source = 'default'),
        current_setting('temp_file_limit')) = '-1'
ORDER BY 1""")
WRITING_ANON_LOGINS: Final = text("""
SELECT l.role_name || ': ' || c.oid::regclass::text
FROM db_api.logins l
JOIN pg_roles r ON r.rolname = l.role_name
JOIN pg_namespace n ON n.nspname = l.schema_name
JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'f')
WHERE l.kind = 'anon' AND has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
ORDER BY 1""")
GREAT_LOGINS: Final = text("""
SELECT r.rolname::text FROM pg_roles r
WHERE r.rolname IN (SELECT role_name FROM db_api.logins)
    AND (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication)
ORDER BY 1""")
SCHEMAS_WITHOUT_LOGINS: Final = text("""
SELECT DISTINCT k.schema_name || ' (' || k.type || ')' FROM db_api.keys k
WHERE k.revoked_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM db_api.logins l WHERE l.schema_name = k.schema_name AND l.kind = k.type)
ORDER BY 1""")
